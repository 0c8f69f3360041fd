"""Homework 13's layout with a few coloured squares, and a student of a hundred weights."""

import itertools
import json
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from mlspring.homeworks.hw13_compression.architecture import Architecture
from tests.tiny import food

write_food13 = partial(food.write_food11, name="food11-hw13", test="evaluation", first=0)
write_answers = partial(food.write_answers, first=0)

CHANNELS = (2, 2, 2, 2)


def weights(
    name: str = "plain", channels: tuple[int, ...] = CHANNELS, *, told: str | None = None
) -> bytes:
    """Return a checkpoint of ones as safetensors; ``told`` replaces what it says of itself."""
    tensors = {
        tensor: np.ones(shape, np.int64 if tensor.endswith("tracked") else np.float32)
        for tensor, shape in Architecture(name=name, channels=channels).shapes.items()
    }
    facts = json.dumps({"architecture": name, "channels": list(channels)})
    return save(tensors, metadata={"metadata": facts if told is None else told})


def hand_in(table: str, file: Path) -> None:
    """Write ``table`` as a submission, with a small student beside it."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("submission.csv", table)
        archive.writestr("student.safetensors", weights())


def write_perfect(answers: Path, path: Path) -> Path:
    """Write the best submission from a table of answers."""
    rows = [line.rpartition(",")[0] for line in answers.read_text().splitlines()]
    hand_in("\n".join(rows) + "\n", path)
    return path


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
    "distill.attention=0",
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
    "teacher_train.batch_size=16",
    "teacher_train.steps=4",
    "teacher_train.validate_every=4",
)

# Pruned copies, and timings on this machine: the score of the first level's student needs neither.
SPARED = ("compress.finetune_steps=2", "compress.pictures=50", "compress.repeats=1")
