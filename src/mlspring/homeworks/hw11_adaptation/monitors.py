"""What can be known of the drawings without their labels, and which pictures are watched.

Each monitor is a number a validation: the risk on photos held out, the entropy of the predictions
on drawings, their agreement under augmentation, their balance, and how well the domain classifier
still tells the domains apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.files import atomic_path
from mlspring.core.runs import Run
from mlspring.homeworks.hw11_adaptation import losses, transform
from mlspring.homeworks.hw11_adaptation.batches import Domains
from mlspring.homeworks.hw11_adaptation.models import Adapter, DomainClassifier
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import accuracy, predict_all
from mlspring.kit.seeding import generator

EVAL_BATCH = 256
MAX_WATCHED = 2000  # drawings that are asked at every validation

# A monitor's key in the log, and whether a large value is a good sign.
MONITORS: dict[str, tuple[str, bool]] = {
    "source_risk": ("valid/loss", False),
    "entropy": ("target/entropy", False),
    "agreement": ("target/agreement", True),
    "balance": ("target/imbalance", False),
}


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What a validation looks at, on the device; m drawings, v photos.

    Args:
        photos: first views uint8 (v, s, s) of photos held out; ``labels``: their classes (v,).
        drawings: uint8 (m, s, s), evenly from all; ``changed``: the same, augmented once, as
            floats (m, 1, s, s).
        shares: of the classes among all drawings, or none.
    """

    photos: Tensor
    labels: Tensor
    drawings: Tensor
    changed: Tensor
    shares: Sequence[float] = ()


def watch(domains: Domains, held_out: Tensor, recipe: Recipe) -> Watched:
    """Return what every validation looks at: the same pictures, augmented in the same way."""
    drawings = domains.drawings[watched_rows(len(domains.drawings))]
    draws = transform.draw(recipe.augment, len(drawings), generator("monitor"))
    return Watched(
        photos=domains.photos[0, held_out],
        labels=domains.labels[held_out],
        drawings=drawings,
        changed=transform.vary(drawings, draws),
        shares=recipe.data.shares,
    )


def watched_rows(num_drawings: int) -> Tensor:
    """Return the drawings that validations look at: int64 positions, evenly spread."""
    count = min(num_drawings, MAX_WATCHED)
    return torch.from_numpy(np.arange(count) * num_drawings // count)


def measure(
    model: Adapter, watched: Watched, hardware: Hardware, ranks: Ranks = ALONE
) -> tuple[dict[str, float], Tensor]:
    """Return the monitors as log values, and the class of every watched drawing (m,)."""
    model.eval()
    photos, photos_domain = ask(
        model, transform.to_input(watched.photos), hardware, ranks, are_photos=True
    )
    plain, plain_domain = ask(model, transform.to_input(watched.drawings), hardware, ranks)
    changed, _ = ask(model, watched.changed, hardware, ranks)
    labels = watched.labels.cpu()
    votes = plain.argmax(1)
    values = {
        "valid__loss": F.cross_entropy(photos, labels).item(),
        "valid__accuracy": accuracy(photos, labels),
        "target__entropy": losses.entropy(plain).item(),
        "target__agreement": (votes == changed.argmax(1)).double().mean().item(),
        "target__imbalance": losses.imbalance(plain, watched.shares).item(),
    }
    if isinstance(model.opponent, DomainClassifier):
        right = (photos_domain > 0).double().mean() + (plain_domain <= 0).double().mean()
        values["domain__accuracy"] = right.item() / 2
    return {key: round(value, 5) for key, value in values.items()}, votes


def ask(
    model: Adapter,
    images: Tensor,
    hardware: Hardware,
    ranks: Ranks = ALONE,
    *,
    are_photos: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return class logits (n, num_classes) and the opponent's answers (n, ...), on the CPU."""

    def forward(part: slice) -> Tensor:
        with hardware.autocast():
            asked = hardware.images_to_device(images[part])
            num_photos = len(asked) if are_photos else 0
            return torch.cat(model(asked, num_photos=num_photos)[:2], dim=1)

    num_classes = model.classify[-1].out_features
    answers = predict_all(forward, len(images), EVAL_BATCH, ranks)
    return answers[:, :num_classes], answers[:, num_classes:]


def merit(keep: str, values: dict[str, float], step: int) -> float:
    """Return how good a validation is by the monitor ``keep``, the larger the better.

    ``last`` is the step itself.
    """
    if keep == "last":
        return float(step)
    key, large_is_good = MONITORS[keep]
    value = values[key.replace("/", "__")]
    return value if large_is_good else -value


def save_votes(run: Run, number: int, step: int, votes: Tensor) -> None:
    """Keep the classes of the watched drawings at a validation: int16 (m,).

    Whoever has the answers can then tell how well each monitor ranks the validations.
    """
    path = run.folder / "votes" / f"member-{number}-step-{step:07d}.npy"
    with atomic_path(path) as partial, partial.open("wb") as stream:
        np.save(stream, votes.numpy().astype(np.int16), allow_pickle=False)
