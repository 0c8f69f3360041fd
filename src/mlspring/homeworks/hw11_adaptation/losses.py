"""The losses of domain adaptation, and the terms of each step's loss.

Shapes: n rows, k classes, f features; logits and probabilities are (n, k), features (n, f).
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw11_adaptation import sketches
from mlspring.homeworks.hw11_adaptation.recipe import AdaptKnobs, TrainKnobs


class Rivals(NamedTuple):
    """What the two label predictors of MCD say; ``turned`` are behind the gradient reversal."""

    rival: Tensor  # logits of the second predictor (2 n, k)
    turned: Tensor  # logits of the first
    turned_rival: Tensor  # and of the second


class Outputs(NamedTuple):
    """What a network says of a batch: n photos, n drawings, perhaps the drawings moved."""

    logits: Tensor  # of the classes (2 n, k), or (3 n, k) with virtual adversarial training
    domain_logits: Tensor | None = None  # high for photos, a column; DANN only
    codes: Tensor | None = None  # of positive pairs (2 n, 64)
    rivals: Rivals | None = None  # MCD only


def loss_of(
    outputs: Outputs,
    labels: Tensor,
    teacher_logits: Tensor | None,
    knobs: AdaptKnobs,
    train: TrainKnobs,
    progress: float,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss that a step lowers, and its terms by name.

    The class term alone needs labels: those of the photos.

    Args:
        outputs: for n photos, then n drawings, then, if ``knobs.smooth``, the drawings moved.
        labels: classes of the photos (n,).
        teacher_logits: of the moving average for the n drawings, unchanged; None: none are needed.
        knobs: the weight of each term.
        train: with the label smoothing of the class term.
        progress: fraction of the steps that is done.
    """
    terms = photo_terms(outputs, labels, knobs, train)
    if refines(knobs, progress):  # photos teach no more, but every weight keeps a gradient
        terms = {name: 0 * term for name, term in terms.items()}
    if progress >= knobs.start:
        terms |= drawing_terms(
            outputs.logits.float()[len(labels) :], teacher_logits, knobs, progress
        )
    return sum(terms.values(), start=outputs.logits.new_zeros(())), terms


def refines(knobs: AdaptKnobs, progress: float) -> bool:
    """Return whether the second stage of DIRT-T has begun: drawings alone, near the teacher."""
    return knobs.refine > 0 and progress >= 1 - knobs.refine


def photo_terms(
    outputs: Outputs, labels: Tensor, knobs: AdaptKnobs, train: TrainKnobs
) -> dict[str, Tensor]:
    """Return the terms that learn from photos, or bring the two domains' features together."""
    n = len(labels)

    def class_loss(logits: Tensor) -> Tensor:
        return F.cross_entropy(logits.float()[:n], labels, label_smoothing=train.label_smoothing)

    terms = {"class": class_loss(outputs.logits)}
    if outputs.domain_logits is not None:
        is_photo = torch.arange(2 * n, device=labels.device) < n
        terms["domain"] = domain_loss(outputs.domain_logits[: 2 * n, 0].float(), is_photo)
    if outputs.rivals is not None:
        first, second = outputs.rivals.turned.float(), outputs.rivals.turned_rival.float()
        terms["rival"] = class_loss(outputs.rivals.rival)
        terms["discrepancy"] = -discrepancy(first[n : 2 * n], second[n : 2 * n])
    if outputs.codes is not None:
        codes = outputs.codes.float()
        terms["pairs"] = knobs.positive_pairs * sketches.contrastive_loss(codes[n:])
        terms["photo_pairs"] = sketches.PHOTO_PAIRS * sketches.contrastive_loss(codes[:n])
    return terms


def drawing_terms(
    logits: Tensor, teacher_logits: Tensor | None, knobs: AdaptKnobs, progress: float
) -> dict[str, Tensor]:
    """Return the terms on predictions for drawings (n, k), or (2 n, k) if they are moved, too."""
    terms = {}
    moved = knobs.smooth > 0
    drawings = logits[: len(logits) // 2] if moved else logits
    if knobs.balance:
        terms["balance"] = knobs.balance * imbalance(drawings)
    if knobs.entropy:
        terms["entropy"] = knobs.entropy * entropy(drawings)
    if moved:
        terms["smooth"] = knobs.smooth * divergence(logits[len(drawings) :], drawings.detach())
    if teacher_logits is not None and knobs.pseudo:
        # more than 1 would over-correct: classes that the teacher misses would become the largest
        targets = pseudo_labels(teacher_logits, min(knobs.balance, 1.0))
        terms["pseudo"] = knobs.pseudo * pseudo_loss(drawings, targets, knobs.threshold)
    if teacher_logits is not None and refines(knobs, progress):
        terms["stay"] = divergence(drawings, teacher_logits)
    return terms


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.weight * gradient, None


def reverse(features: Tensor, weight: float) -> Tensor:
    """Return ``features`` unchanged; their gradient comes back times ``-weight``.

    So the domain classifier learns to lower its loss and the extractor to raise it, in one backward
    pass. Source: Ganin et al. 2016, arXiv:1505.07818.
    """
    reversed_features: Tensor = _Reversal.apply(features, weight)  # type: ignore[no-untyped-call]
    return reversed_features


def reversal_weight(knobs: AdaptKnobs, progress: float) -> float:
    """Return lambda after a fraction p of the steps, rising or constant.

    Rising: 2 / (1 + exp(-10 p)) - 1 of ``knobs.weight``, from 0 towards 1, since the features mean
    nothing at first. Source: Ganin et al. 2016, section 5.2; the slides' "adaptive lambda".
    """
    rising = 2 / (1 + math.exp(-10 * progress)) - 1
    return knobs.weight * (rising if knobs.schedule == "rising" else 1.0)


def domain_loss(logits: Tensor, is_photo: Tensor) -> Tensor:
    """Return the cross entropy of domain ``logits`` (n,) against bool (n,): log 2 = confused."""
    return F.binary_cross_entropy_with_logits(logits, is_photo.to(logits))


def discrepancy(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean absolute difference of two predictors' probabilities: 0 to 2 / k.

    Source: Saito et al. 2018 (MCD, arXiv:1712.02560), where the extractor takes several steps for
    each of the predictors'; here its gradient is as many times larger.
    """
    return (first.softmax(1) - second.softmax(1)).abs().mean()


def divergence(logits: Tensor, reference: Tensor) -> Tensor:
    """Return the mean KL(softmax(reference) || softmax(logits)) of the rows in nats."""
    logs, wanted = logits.log_softmax(1), reference.log_softmax(1)
    return F.kl_div(logs, wanted, log_target=True, reduction="batchmean")


def entropy(logits: Tensor) -> Tensor:
    """Return the mean entropy of the rows in nats: 0 = all certain, log k = none.

    Source: Grandvalet & Bengio 2004.
    """
    return -(logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()


def imbalance(logits: Tensor) -> Tensor:
    """Return KL(mean prediction || uniform) in nats: 0 where all classes have equal mass.

    The slides hint that the drawings are balanced. Source: Liang et al. 2020 (SHOT,
    arXiv:2002.08546).
    """
    mean = logits.softmax(1).mean(0)
    # a class without any mass adds 0, the limit of p log p, and not NaN
    return math.log(logits.shape[1]) + (mean * mean.clamp(min=1e-12).log()).sum()


def pseudo_labels(logits: Tensor, balance: float) -> Tensor:
    """Return a teacher's probabilities (n, k), with their mean moved towards equal classes.

    Each class is divided by its mean mass to the power ``balance``, 0 to 1 (distribution alignment,
    Berthelot et al. 2020, arXiv:1911.09785).
    """
    probabilities = logits.softmax(1)
    probabilities = probabilities / probabilities.mean(0).clamp(min=1e-6) ** balance
    return probabilities / probabilities.sum(1, keepdim=True)


def pseudo_loss(logits: Tensor, targets: Tensor, threshold: float) -> Tensor:
    """Return the cross entropy against the largest of ``targets`` (n, k), of certain rows only.

    A row counts where that probability reaches ``threshold``; the sum is divided by all n rows, so
    that few certain rows weigh little. Source: Sohn et al. 2020 (FixMatch), arXiv:2001.07685.
    """
    confidence, classes = targets.max(1)
    certain = (confidence >= threshold).to(logits)
    return (F.cross_entropy(logits, classes, reduction="none") * certain).mean()
