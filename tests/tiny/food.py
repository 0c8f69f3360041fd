"""A Food-11 folder of a few coloured squares: learnable in a second."""

from pathlib import Path

import numpy as np
from PIL import Image

NUM_CLASSES = 11


def square(label: int, index: int, side: int = 32) -> Image.Image:
    """Return a noisy picture whose colours tell its class."""
    draw = np.random.default_rng([label, index])
    hue = np.array([label / 11, (label * 5 % 11) / 11, (label * 3 % 11) / 11])
    pixels = 255 * (0.15 + 0.7 * hue) + draw.normal(0, 12, (side, side, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def write_food11(
    folder: Path,
    *,
    num_train: int = 6,
    num_valid: int = 2,
    num_test: int = 1,
    name: str = "food11",
    test: str = "test",
    first: int = 1,
) -> Path:
    """Write the three parts with so many pictures a class; return the folder to give --data.

    Test pictures are numbered from ``first`` in the folder ``name``/``test``.
    """
    parts = (("training", num_train, 0), ("validation", num_valid, 100), (test, num_test, 200))
    for part, count, offset in parts:
        target = folder / name / part
        target.mkdir(parents=True)
        number = first
        for label in range(NUM_CLASSES):
            for index in range(count):
                stem = f"{number:04d}" if part == test else f"{label}_{index}"
                square(label, offset + index).save(target / f"{stem}.jpg", quality=95)
                number += 1
    return folder


def write_answers(path: Path, *, num_test: int = 1, first: int = 1) -> Path:
    """Write the answers of ``write_food11``'s test part, every second one public."""
    rows = [
        (f"{label * num_test + index + first:04d}", label)
        for label in range(NUM_CLASSES)
        for index in range(num_test)
    ]
    usages = ("Public", "Private")
    lines = [f"{number},{label},{usages[i % 2]}" for i, (number, label) in enumerate(rows)]
    path.write_text("\n".join(["Id,Category,Usage", *lines]) + "\n")
    return path


# A few steps of a small network: what a test may spend.
SMALL = (
    "data.image_size=32",
    "train.crop_size=0",
    "model.width=4",
    "train.batch_size=16",
    "train.steps=24",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
)
