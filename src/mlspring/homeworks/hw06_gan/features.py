"""What the judge sees: two small networks that read faces, and their features.

*factors* tells hair, eyes, pose and so on of a drawn face: its 96 features say what a picture is
like. *faces* tells whole faces from broken ones. Both were trained on the world's truth by ``python
-m benchmarks.features_hw06``; training code only ever measures with them.

Letters: N pictures, C channels, S side of a map.
"""

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from mlspring.kit import checkpoint
from mlspring.worlds.faces.factors import FACTORS, Factor

FOLDER = Path(__file__).parent / "readers"
MAKE = "python -m benchmarks.features_hw06 trains and writes them"
SIDE, NUM_FEATURES = 64, 96
CHANNELS = (24, 40, 56, 40)
NUM_OUTPUTS = sum(len(factor.choices) or 1 for factor in FACTORS)
JPEG_QUALITY = 75  # the course's; what generated faces are compared with goes through it, too
CHUNK = 250  # pictures at once; no result depends on it

Pixels = NDArray[np.uint8]
Name = Literal["factors", "faces"]


class Reader(nn.Module):
    """A picture's features and, from them, ``num_outputs`` answers."""

    def __init__(self, num_outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((3, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs)]
            layers.append(nn.LeakyReLU(0.1))
        wide = CHANNELS[-1] * (SIDE >> len(CHANNELS)) ** 2
        # Without weights of its own the last norm gives features of variance 1 on real faces, so
        # that a distance is in units of how real faces differ.
        layers += [nn.Flatten(), nn.Linear(wide, NUM_FEATURES, bias=False)]
        layers.append(nn.BatchNorm1d(NUM_FEATURES, affine=False))
        self.body = nn.Sequential(*layers)
        self.answers = nn.Linear(NUM_FEATURES, num_outputs)

    def features(self, images: Tensor) -> Tensor:
        """Return features (N, 96) of images (N, 3, 64, 64), floats from -1 to 1."""
        seen: Tensor = self.body(images)
        return seen

    def forward(self, images: Tensor) -> Tensor:
        """Return answers (N, num_outputs)."""
        return self.answers(self.features(images))


def build(name: Name) -> Reader:
    """Return the network of that name, its weights drawn from torch's global generator."""
    return Reader(NUM_OUTPUTS if name == "factors" else 1)


@cache
def load(name: Name) -> Reader:
    """Return the finished network, frozen, on the CPU.

    Raises:
        InternalError: its weights are missing or damaged.
    """
    return checkpoint.load_shipped(FOLDER / f"{name}.safetensors", build(name), fix=MAKE)


@cache
def face_threshold() -> float:
    """Return the least answer that counts as a face: 99 % of held-out real faces reach it."""
    return float(checkpoint.read_metadata(FOLDER / "faces.safetensors")["threshold"])


def to_images(pictures: Pixels) -> Tensor:
    """Return uint8 pictures (N, 64, 64, 3) as floats from -1 to 1, (N, 3, 64, 64)."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def read(pictures: Pixels) -> tuple[NDArray[np.float64], Tensor]:
    """Return what *factors* sees in pictures: features (N, 96) and answers (N, num_outputs)."""
    network = load("factors")
    seen = torch.cat([network.features(images) for images in _chunks(pictures)])
    return seen.double().numpy(), network.answers(seen)


@torch.no_grad()
def are_faces(pictures: Pixels) -> NDArray[np.bool_]:
    """Return which of uint8 pictures (N, 64, 64, 3) the detector takes for faces: (N,)."""
    network = load("faces")
    logits = torch.cat([network(images)[:, 0] for images in _chunks(pictures)])
    return (logits >= face_threshold()).numpy()


def _chunks(pictures: Pixels) -> Iterator[Tensor]:
    for start in range(0, len(pictures), CHUNK):
        yield to_images(np.ascontiguousarray(pictures[start : start + CHUNK]))


def places() -> Iterator[tuple[Factor, slice]]:
    """Yield each factor with the answers of *factors* that belong to it."""
    start = 0
    for factor in FACTORS:
        stop = start + (len(factor.choices) or 1)
        yield factor, slice(start, stop)
        start = stop


def choices(answers: Tensor, name: str) -> NDArray[np.int64]:
    """Return which choice of the factor called ``name`` each picture has: (N,)."""
    where = next(part for factor, part in places() if factor.name == name)
    return answers[:, where].argmax(1).numpy()


def compressed(pictures: Pixels, quality: int = JPEG_QUALITY) -> Pixels:
    """Return pictures (N, S, S, 3) as they come back from JPEG files of that quality."""
    made = np.empty_like(pictures)
    for row, picture in enumerate(pictures):
        with io.BytesIO() as file:
            Image.fromarray(picture).save(file, "JPEG", quality=quality)
            made[row] = np.asarray(Image.open(file))
    return made
