"""Homework 8's two arrays, of faces that are a disc with two dots; an anomaly lacks one."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 64
NUM_TRAIN, NUM_TEST = 40, 16


def face(number: int, *, is_wrong: bool = False) -> NDArray[np.uint8]:
    """Return a disc of some colour with two dark dots, or one: uint8 (64, 64, 3)."""
    draw = np.random.default_rng([8, number])
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + draw.integers(-3, 4, (2, 1, 1))
    picture = np.full((SIDE, SIDE, 3), 220.0)
    picture[x**2 + y**2 < 26**2] = draw.integers(120, 180, 3)
    for across in (-10, 10)[: 1 if is_wrong else 2]:
        picture[(x - across) ** 2 + (y + 6) ** 2 < 6**2] = 20
    return np.clip(picture + draw.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def write_faces(folder: Path, *, num_train: int = NUM_TRAIN, num_test: int = NUM_TEST) -> Path:
    """Write both arrays; every second picture of the test is an anomaly. Return ``folder``."""
    (folder / "data").mkdir(parents=True)
    train = np.stack([face(number) for number in range(num_train)])
    test = np.stack([face(1000 + row, is_wrong=row % 2 == 1) for row in range(num_test)])
    np.save(folder / "data" / "trainingset.npy", train)
    np.save(folder / "data" / "testingset.npy", test)
    return folder


def write_answers(path: Path, num_test: int = NUM_TEST) -> Path:
    """Write the answers of ``write_faces``, two rows public, two private, and so on."""
    usages = ("Public", "Public", "Private", "Private")
    rows = [f"{row},{row % 2},{usages[row % 4]}" for row in range(num_test)]
    path.write_text("\n".join(["ID,Anomaly,Usage", *rows]) + "\n", encoding="utf-8")
    return path


def write_perfect(answers: Path, path: Path) -> Path:
    """Write the table of scores in which every anomaly stands above every other picture."""
    with answers.open(newline="", encoding="utf-8") as stream:
        rows = [(row["ID"], f"{row['Anomaly']}.5") for row in csv.DictReader(stream)]
    lines = ["ID,score", *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# A few steps of a small network: what a test may spend.
SMALL = (
    "data.image_size=16",
    "data.held_out=8",
    "model.units=[8, 8]",
    "model.latent=4",
    "train.batch_size=8",
    "train.steps=24",
    "train.warmup_steps=0",
    "train.learning_rate=0.003",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
    "score.window=8",
    "study.steps=4",
)
