"""Features of some photos and drawings, kept at three stages of training for the report's t-SNE."""

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

STAGES = {"early": 0.02, "middle": 0.3, "final": 1.0}  # ends after this fraction of the steps
NUM_POINTS = 400  # photos, and as many drawings
BATCH = 256


def stages(num_steps: int) -> dict[int, str]:
    """Return the stage that ends with a step; a run of one or two steps has fewer stages."""
    return {max(1, round(num_steps * fraction)): stage for stage, fraction in STAGES.items()}


def save(run: Run, stage: str, model: Adapter, domains: Domains, hardware: Hardware) -> None:
    """Keep the features of evenly spread photos (first view) and drawings."""
    photos = spread(domains.photos.shape[1])
    drawings = spread(len(domains.drawings))
    pictures = torch.cat((domains.photos[0, photos], domains.drawings[drawings]))

    def forward(part: slice) -> Tensor:
        num_photos = len(photos[part])  # none in a batch of drawings alone
        with hardware.autocast():
            images = hardware.images_to_device(transform.to_input(pictures[part]))
            return model.features(images, num_photos)

    was_training = model.training
    model.eval()
    features = predict_all(forward, len(pictures), BATCH)
    model.train(was_training)
    with atomic_path(path(run, stage)) as partial:
        save_file({"features": features, "labels": domains.labels[photos].cpu()}, partial)


def load(file: Path) -> dict[str, Tensor]:
    """Return ``features`` (n + m, f) of n photos and m drawings, and ``labels`` of photos (n,)."""
    return load_file(file)


def spread(num_items: int) -> Tensor:
    """Return at most ``NUM_POINTS`` positions, evenly spread over the items: int64."""
    count = min(num_items, NUM_POINTS)
    return torch.arange(count) * num_items // count


def path(run: Run, stage: str) -> Path:
    """Return the file of a stage's features."""
    return run.checkpoints / f"features-{stage}.safetensors"
