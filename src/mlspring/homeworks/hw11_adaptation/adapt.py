"""What each method asks of a batch of photos and drawings: the terms of the loss by name."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw11_adaptation import losses
from mlspring.homeworks.hw11_adaptation.batches import Batch
from mlspring.homeworks.hw11_adaptation.models import Adapter
from mlspring.homeworks.hw11_adaptation.recipe import AdaptKnobs, Recipe
from mlspring.kit.device import Hardware


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What a step asks, by the share of the steps that is done.

    Args:
        weight: factor of the reversed gradient.
        asked: whether the terms on the drawings' predictions have begun (``adapt.start``).
        refined: whether photos are no longer learnt from (``adapt.refine``).
        taught: whether a teacher's opinion is needed.
    """

    weight: float
    asked: bool
    refined: bool
    taught: bool


def phase(knobs: AdaptKnobs, progress: float) -> Phase:
    """Return what is asked after a share ``progress`` of the steps."""
    asked, refined = progress >= knobs.start, progress >= 1 - knobs.refine
    return Phase(
        weight=knobs.weight * (losses.rising(progress) if knobs.schedule == "rising" else 1.0),
        asked=asked,
        refined=refined,
        taught=bool((asked and knobs.pseudo) or (refined and knobs.stay)),
    )


def terms(
    recipe: Recipe,
    outputs: tuple[Tensor, ...],
    labels: Tensor,
    teacher: Tensor | None,
    now: Phase,
) -> dict[str, Tensor]:
    """Return the terms whose sum a step lowers.

    Args:
        recipe: the weights.
        outputs: of ``Adapter``, for n photos, then n drawings, then, with ``adapt.smooth``, the
            same drawings once more, each moved in its worst direction.
        labels: classes of the photos (n,).
        teacher: its logits of the n drawings, plain (n, num_classes), where there is one.
        now: what this step asks. Once photos are no longer learnt from, their terms are told but
            have no gradient, and each step stays near the teacher: the second stage of DIRT-T (Shu
            et al. 2018, arXiv:1802.08735).
    """
    knobs, shares, n = recipe.adapt, recipe.data.shares, len(labels)
    codes = None
    if knobs.needs_twins:
        *outputs, codes = outputs
    logits = outputs[0]
    drawings = logits[n : 2 * n]
    found = {"class": _source_risk(recipe, logits[:n], labels)}
    match knobs.method:
        case "dann":
            is_source = torch.arange(2 * n, device=labels.device) < n
            found["domain"] = losses.domain_loss(outputs[1][: 2 * n, 0], is_source)
        case "mcd":
            first, second = (held[n : 2 * n] for held in outputs[2:])
            found["rival"] = _source_risk(recipe, outputs[1][:n], labels)
            found["discrepancy"] = -losses.discrepancy(first, second)  # raised; reversed below
    if now.refined:  # a gradient of zero and not none, which several processes would miss
        found = {name: term.detach() + 0 * term for name, term in found.items()}
        if teacher is not None:
            found["stay"] = knobs.stay * losses.divergence(drawings, teacher)
    if knobs.twins:
        found["twins"] = knobs.twins * losses.instance_loss(codes[n : 2 * n])
    if knobs.photo_twins:
        found["photo_twins"] = knobs.photo_twins * losses.instance_loss(codes[:n])
    if not now.asked:
        return found
    if knobs.entropy:
        found["entropy"] = knobs.entropy * losses.entropy(drawings)
    if knobs.balance:
        found["balance"] = knobs.balance * losses.imbalance(drawings, shares)
    if knobs.smooth:
        moved = logits[2 * n : 3 * n]
        found["smooth"] = knobs.smooth * losses.divergence(moved, drawings.detach())
    if teacher is not None and knobs.pseudo:
        guessed = losses.pseudo_labels(teacher, min(knobs.balance, 1.0), shares)
        found["pseudo"] = knobs.pseudo * losses.pseudo_loss(drawings, guessed, knobs.threshold)
    return found


def worst_drawings(
    model: Adapter, batch: Batch, radius: float, hardware: Hardware, generator: torch.Generator
) -> Tensor:
    """Return the batch's drawings (n, 1, s, s), each moved where its prediction changes most.

    The network is asked in evaluation mode, so that batch norm learns nothing from the question.
    """

    def ask(images: Tensor) -> Tensor:
        with hardware.autocast():
            return model(hardware.images_to_device(images))[0].float()

    start = torch.randn(batch.drawings.shape, generator=generator).to(batch.drawings)
    model.eval()
    direction = losses.worst_direction(ask, batch.drawings, start)
    model.train()
    return batch.drawings + radius * direction


def _source_risk(recipe: Recipe, logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, label_smoothing=recipe.train.label_smoothing)
