"""Handwritten digits: the built-in 5,000 or a folder with MNIST's files, as uint8 arrays.

    DIR[/MNIST][/MNIST]/raw/train-images-idx3-ubyte[.gz]     60,000 images
    .../train-labels-idx1-ubyte[.gz]
    .../t10k-images-idx3-ubyte[.gz]                          10,000 for the test
    .../t10k-labels-idx1-ubyte[.gz]

The doubled folder is torchvision's (``MNIST/MNIST/raw``). Without the two test files the last
sixth of the training images is held out in their place.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.idx import read_idx
from mlspring.core.image_folder import find
from mlspring.core.source import Source
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.worlds.digits import digits_world
from mlspring.worlds.world import World

SIDE, NUM_CLASSES = 28, 10
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
HELD_OUT = 6  # one training image in six stands in for a missing test part, as 10,000 of 60,000
FIX = "fetch it again: mlspring fetch hw14"  # of a damaged file


@dataclass(frozen=True, kw_only=True)
class Data:
    """All digits of one source; n differs by part.

    Args:
        train_images: uint8 (n, 28, 28), white on black; likewise test.
        train_labels: int64 (n,), digit 0..9; likewise test.
        test_part: where the test digits come from, in words.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    test_part: str


def world() -> World:
    """Return the built-in data set of the homework."""
    return digits_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the digits of ``source``, not turned: the tasks are made of them on the device.

    Raises:
        DataError: a file is missing, damaged, of another format, or a label is out of range.
    """
    there = find(source.folder, f"train-{IMAGES}", f"train-{IMAGES}.gz", "raw")
    if there is None:
        raise DataError(
            f"has no train-{IMAGES}",
            file=source.folder,
            expected="MNIST's files, also gzipped, also inside MNIST/raw/",
            fix="see: mlspring fetch hw14, or mlspring data hw14 --export DIR for an example",
        )
    raw = there if there.name == "raw" else there.parent
    images, labels = _part(raw, "train")
    if any(raw.glob("t10k-*-ubyte*")):
        test_images, test_labels = _part(raw, "t10k")
        test_part = "a fifth of each class" if source.kind == "world" else "the t10k files"
    else:
        kept = len(images) - len(images) // HELD_OUT
        if kept == len(images):
            message = f"has {kept} training images and no test part"
            expected = f"t10k-{IMAGES} and t10k-{LABELS}, or at least {HELD_OUT} images"
            raise DataError(message, file=raw, expected=expected)
        images, test_images = np.split(images, [kept])
        labels, test_labels = np.split(labels, [kept])
        test_part = "no t10k files here: the last sixth of the training images is held out"
    return Data(
        train_images=images,
        train_labels=labels,
        test_images=test_images,
        test_labels=test_labels,
        test_part=test_part,
    )


def describe(data: Data) -> dict[str, str]:
    """Return the data card."""
    counts = np.bincount(data.train_labels, minlength=NUM_CLASSES)
    return {
        "digits": f"{len(data.train_images):,} training, {len(data.test_images):,} test; "
        f"{SIDE} x {SIDE}, grey",
        "test part": data.test_part,
        "training digits a class": ", ".join(map(str, counts)),
        "tasks": "the same digits turned or with shuffled pixels, or two classes a task",
    }


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return a row of training images for each digit, as they are before any turn."""
    return {
        f"digit {digit}": data.train_images[data.train_labels == digit][:12]
        for digit in range(NUM_CLASSES)
    }


def export(world_folder: Path, to: Path) -> None:
    """Write the world's digits as MNIST's four files under ``to``/MNIST/raw."""
    shutil.copytree(world_folder / "public", to / "MNIST" / "raw", dirs_exist_ok=True)


def _part(folder: Path, prefix: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images (n, 28, 28) and labels (n,) of ``train`` or ``t10k``."""
    images_file, labels_file = (_file(folder, f"{prefix}-{suffix}") for suffix in (IMAGES, LABELS))
    images = read_idx(images_file, (SIDE, SIDE), fix=FIX)
    labels = read_idx(labels_file, (), fix=FIX).astype(np.int64)
    if len(images) != len(labels) or not len(images):
        expected = f"one for each of the {len(images):,} images in {images_file.name}"
        raise DataError(f"holds {len(labels):,} labels", file=labels_file, expected=expected)
    wrong = np.flatnonzero(labels >= NUM_CLASSES)
    if len(wrong):
        message = f"label {labels[wrong[0]]} of image {wrong[0] + 1}"
        raise DataError(message, file=labels_file, expected="a digit 0..9")
    return images, labels


def _file(folder: Path, name: str) -> Path:
    """Return the file of that name, plain or gzipped."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise DataError("lacks a file", file=folder, expected=f"{name} or {name}.gz")
