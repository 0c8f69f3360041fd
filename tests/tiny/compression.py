"""Homework 13's layout with a few coloured squares, and students made by hand."""

import itertools
import json
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save

from mlspring.homeworks.hw13_compression.architecture import Architecture
from tests.tiny import food

write_food13 = partial(food.write_food11, name="food11-hw13", test="evaluation", first=0)

CHANNELS = (2, 2, 2, 2)
Tensors = dict[str, NDArray[np.float32] | NDArray[np.int64]]


def ones(name: str = "plain", channels: tuple[int, ...] = CHANNELS) -> Tensors:
    """Return the tensors of a network, all ones."""
    return {
        tensor: np.ones(shape, np.int64 if tensor.endswith("tracked") else np.float32)
        for tensor, shape in Architecture(name=name, channels=channels).shapes.items()
    }


def weights(
    name: str = "plain", channels: tuple[int, ...] = CHANNELS, *, told: str | None = None
) -> bytes:
    """Return a checkpoint of ones as safetensors; ``told`` replaces what it says of itself."""
    metadata = json.dumps({"architecture": name, "channels": list(channels)})
    return save(ones(name, channels), metadata={"metadata": metadata if told is None else told})


def mean_colours() -> NDArray[np.float32]:
    """Return the mean colour of each class's squares, normalised as a network sees it: (11, 3)."""
    squares = [[np.asarray(food.square(c, i)) for i in range(20)] for c in range(food.NUM_CLASSES)]
    colours = np.array(squares).mean((1, 2, 3)) / 255
    return ((colours - 0.5) / 0.25).astype(np.float32)


def nearest_colour() -> bytes:
    """Return a student that knows the squares: of the classes the nearest colour x, by 2 c x - c c.

    Six channels carry max(x, 0) and max(-x, 0) of red, green and blue through all layers.
    """
    tensors, colours = ones(channels=(6, 6, 6, 6)), mean_colours()
    for name, value in tensors.items():
        if name.endswith(("bias", "running_mean")) or value.ndim == 4:
            value[:] = 0
    for i in range(4):
        kernel = tensors[f"blocks.{i}.conv.weight"]
        for channel in range(6):
            kernel[channel, channel % 3 if i == 0 else channel, 1, 1] = 1
            if i == 0 and channel >= 3:
                kernel[channel] *= -1
    tensors["classify.weight"] = np.concatenate((2 * colours, -2 * colours), axis=1)
    tensors["classify.bias"] = -(colours**2).sum(1)
    metadata = json.dumps({"architecture": "plain", "channels": [6, 6, 6, 6]})
    return save(tensors, metadata={"metadata": metadata})


def hand_in(path: Path, student: bytes, table: str = "Id,Category\n") -> Path:
    """Write a submission of a student and a table, which nobody reads."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("submission.csv", table)
        archive.writestr("student.safetensors", student)
    return path


def write_answers(path: Path, num_test: int = 1) -> Path:
    """Write the answers of ``write_food13``'s test part, and its pictures, as a world has them.

    The answers go into a folder ``private`` beside ``path``, the pictures into ``public``.
    """
    for part in ("private", "public"):
        (path.parent / part).mkdir(exist_ok=True)
    squares: list[Image.Image] = [
        food.square(label, 200 + index)
        for label in range(food.NUM_CLASSES)
        for index in range(num_test)
    ]
    np.save(path.parent / "public" / "test_images.npy", np.stack([np.asarray(s) for s in squares]))
    return food.write_answers(path.parent / "private" / path.name, num_test=num_test, first=0)


def write_student(answers: Path, path: Path) -> Path:
    """Write a submission; its score on pictures other than the squares nobody knows."""
    return hand_in(path, nearest_colour())


def exactly(num_parameters: int) -> tuple[int, ...]:
    """Return channels of the plain student with just so many parameters."""
    for c0, c1, c2 in itertools.product(range(20, 60), repeat=3):
        first_three = 30 * c0 + 9 * c0 * c1 + 3 * c1 + 9 * c1 * c2 + 3 * c2
        c3, rest = divmod(num_parameters - first_three - 11, 9 * c2 + 3 + 11)
        if rest == 0 and c3 > 0:
            return c0, c1, c2, c3
    raise ValueError(f"no plain student has {num_parameters} parameters")


# A few steps of small networks: what a test may spend.
SMALL = (
    "data.image_size=32",
    "student.name=plain",
    "student.channels=[4, 4, 8, 8]",
    "student.start=fresh",
    "train.batch_size=16",
    "train.steps=24",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
    "compress.keep=[0.5]",
    "compress.finetune_steps=2",
    "compress.pictures=11",
    "compress.repeats=1",
    "teacher.source=trained",
    "teacher.width=2",
    "teacher.steps=4",
)

# Pruned copies, and timings on this machine: the score of the first level's student needs neither.
SPARED = ("compress.finetune_steps=2", "compress.pictures=50", "compress.repeats=1")
