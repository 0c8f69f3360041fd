"""What can be known of the drawings without their labels, for the log and the report.

Each monitor is one number a validation: the risk on photos held out, the entropy of the predictions
on drawings, their agreement under augmentation, their balance, and how well the domain classifier
still tells the domains apart. For the report's t-SNE, features are kept at three stages.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.files import atomic_path
from mlspring.core.runs import Run
from mlspring.homeworks.hw11_adaptation import losses, transform
from mlspring.homeworks.hw11_adaptation.batches import Domains
from mlspring.homeworks.hw11_adaptation.models import Adapter
from mlspring.homeworks.hw11_adaptation.recipe import AugmentKnobs
from mlspring.kit import checkpoint
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import accuracy, predict_all
from mlspring.kit.seeding import generator

EVAL_BATCH = 256
MAX_DRAWINGS = 2000  # that are looked at in every validation
MAX_POINTS = 400  # photos whose features are kept, and as many drawings
STAGES = {"early": 0.02, "middle": 0.3, "final": 1.0}  # ends after this fraction of the steps


@dataclass(frozen=True, kw_only=True)
class ValidationSet:
    """What every validation looks at, on the device."""

    photos: Tensor  # first views of those held out, uint8 (v, s, s)
    labels: Tensor  # classes of the photos (v,)
    drawings: Tensor  # evenly from all, uint8 (m, s, s)
    changed: Tensor  # the same drawings, augmented once, floats (m, 1, s, s)


def validation_set(domains: Domains, held_out: Tensor, knobs: AugmentKnobs) -> ValidationSet:
    """Return what every validation looks at: the same pictures, augmented in the same way."""
    drawings = domains.drawings[spread(len(domains.drawings), MAX_DRAWINGS)]
    return ValidationSet(
        photos=domains.photos[0, held_out],
        labels=domains.labels[held_out],
        drawings=drawings,
        changed=transform.vary(drawings, knobs, generator("monitor")),
    )


def spread(num_items: int, at_most: int) -> Tensor:
    """Return ``at_most`` positions, or all if there are fewer, evenly spread: int64."""
    count = min(num_items, at_most)
    return torch.arange(count) * num_items // count


def measure(
    model: Adapter, pictures: ValidationSet, hardware: Hardware, ranks: Ranks = ALONE
) -> tuple[dict[str, float], Tensor]:
    """Return the monitors as log values, and the predicted class of every drawing (m,)."""
    was_training = model.training
    ranks.sync_buffers(model.eval())  # what is measured is what rank 0 saves
    photos, photos_domain = answers(model, pictures.photos, hardware, ranks, are_photos=True)
    plain, plain_domain = answers(model, pictures.drawings, hardware, ranks)
    changed, _ = answers(model, pictures.changed, hardware, ranks)
    model.train(was_training)
    labels, predictions = pictures.labels.cpu(), plain.argmax(1)
    values = {
        "valid__loss": F.cross_entropy(photos, labels).item(),
        "valid__accuracy": accuracy(photos, labels),
        "target__entropy": losses.entropy(plain).item(),
        "target__agreement": (predictions == changed.argmax(1)).double().mean().item(),
        "target__imbalance": losses.imbalance(plain).item(),
    }
    if model.domain_classifier is not None:
        right = (photos_domain > 0).double().mean() + (plain_domain <= 0).double().mean()
        values["domain__accuracy"] = right.item() / 2
    return {key: round(value, 5) for key, value in values.items()}, predictions


def answers(
    model: Adapter,
    pictures: Tensor,
    hardware: Hardware,
    ranks: Ranks = ALONE,
    *,
    are_photos: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return class logits (n, num_classes) and domain logits (n, 1), or (n, 0), on the CPU.

    ``pictures`` are uint8 (n, s, s), or floats (n, 1, s, s) that were augmented.
    """

    def forward(part: slice) -> Tensor:
        inputs = pictures[part]
        if inputs.dtype == torch.uint8:
            inputs = transform.to_input(inputs)
        with hardware.autocast():
            images = hardware.images_to_device(inputs)
            outputs = model(images, num_photos=len(images) if are_photos else 0)
        domain = outputs.logits[:, :0] if outputs.domain_logits is None else outputs.domain_logits
        return torch.cat((outputs.logits, domain), dim=1)

    both = predict_all(forward, len(pictures), EVAL_BATCH, ranks)
    num_classes = model.classify.num_classes
    return both[:, :num_classes], both[:, num_classes:]


def save_predictions(run: Run, number: int, step: int, predictions: Tensor) -> None:
    """Keep the predicted classes of a validation's drawings: int16 (m,).

    Whoever has the answers can then tell how well each monitor ranks the validations.
    """
    path = run.folder / "predictions" / f"member-{number}-step-{step:07d}.npy"
    with atomic_path(path) as partial, partial.open("wb") as stream:
        np.save(stream, predictions.numpy().astype(np.int16), allow_pickle=False)


def stages(num_steps: int) -> dict[int, str]:
    """Return the stage that ends with a step; a run of one or two steps has fewer stages."""
    return {max(1, round(num_steps * fraction)): stage for stage, fraction in STAGES.items()}


def features_path(run: Run, stage: str) -> Path:
    """Return the file of the features at the end of a stage."""
    return run.checkpoints / f"features-{stage}.safetensors"


def save_features(
    run: Run, stage: str, model: Adapter, domains: Domains, hardware: Hardware
) -> None:
    """Keep the features of evenly spread photos (first view) and drawings, and photos' classes."""
    photos = spread(domains.photos.shape[1], MAX_POINTS)
    drawings = spread(len(domains.drawings), MAX_POINTS)
    pictures = torch.cat((domains.photos[0, photos], domains.drawings[drawings]))

    def forward(part: slice) -> Tensor:
        num_photos = len(photos[part])  # none in a batch of drawings alone
        with hardware.autocast():
            images = hardware.images_to_device(transform.to_input(pictures[part]))
            return model.features(images, num_photos)

    was_training = model.training
    model.eval()
    features = predict_all(forward, len(pictures), EVAL_BATCH)
    model.train(was_training)
    tensors = {"features": features, "labels": domains.labels[photos]}
    checkpoint.write_tensors(features_path(run, stage), tensors, {})


def read_features(file: Path) -> tuple[Tensor, Tensor]:
    """Return features (n + m, f) of n photos and m drawings, and the photos' classes (n,).

    Raises:
        RunError: the file is missing or damaged.
    """
    kept, _ = checkpoint.read_tensors(file)
    return kept["features"], kept["labels"]
