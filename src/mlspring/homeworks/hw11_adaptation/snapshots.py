"""Features of some photos and drawings, kept at three stages of training for the report's t-SNE."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from mlspring.core.files import atomic_path
from mlspring.core.runs import Run
from mlspring.homeworks.hw11_adaptation import transform
from mlspring.homeworks.hw11_adaptation.batches import Domains
from mlspring.homeworks.hw11_adaptation.models import Adapter
from mlspring.kit.device import Hardware
from mlspring.kit.evaluate import predict_all

STAGES = {"early": 0.02, "middle": 0.3, "final": 1.0}  # ends after this share of the steps
NUM_POINTS = 400  # photos, and as many drawings
BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Features at one stage: first n photos, then m drawings.

    Args:
        features: (n + m, num_features).
        labels: classes of the photos (n,).
    """

    features: Tensor
    labels: Tensor


def stages(num_steps: int) -> dict[int, str]:
    """Return the stage that ends with a step; a run of one or two steps has fewer stages."""
    return {max(1, round(num_steps * share)): stage for stage, share in STAGES.items()}


def save(run: Run, stage: str, model: Adapter, domains: Domains, hardware: Hardware) -> None:
    """Keep the features of evenly spread photos (first view) and drawings."""
    photos = spread(domains.photos.shape[1])
    pictures = torch.cat(
        (domains.photos[0, photos], domains.drawings[spread(len(domains.drawings))])
    )

    def forward(part: slice) -> Tensor:
        num_photos = len(photos[part])  # none in a batch of drawings alone
        with hardware.autocast():
            images = hardware.images_to_device(transform.to_input(pictures[part]))
            return model.features(images, num_photos)

    was_training = model.training
    model.eval()
    features = predict_all(forward, len(pictures), BATCH)
    model.train(was_training)
    with atomic_path(_path(run, stage)) as partial:
        save_file({"features": features, "labels": domains.labels[photos].cpu()}, partial)


def read(run: Run) -> dict[str, Snapshot]:
    """Return the run's snapshots by stage, in order."""
    found = {stage: _path(run, stage) for stage in STAGES}
    return {s: Snapshot(**load_file(path)) for s, path in found.items() if path.exists()}


def spread(num_items: int) -> Tensor:
    """Return at most ``NUM_POINTS`` positions, evenly spread over the items: int64."""
    count = min(num_items, NUM_POINTS)
    return torch.arange(count) * num_items // count


def _path(run: Run, stage: str) -> Path:
    return run.checkpoints / f"features-{stage}.safetensors"
