"""Homework 10's layout with a few coloured squares, and attacks on them made by hand."""

import csv
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.tiny.archives import tarred

CLASS_NAMES = tuple(f"thing{letter}" for letter in "abcdefghij")
SIDE = 32


def square(label: int, index: int) -> NDArray[np.uint8]:
    """Return a picture whose colour tells its class: uint8 (32, 32, 3), values 30 .. 225."""
    draw = np.random.default_rng([label, index + 1])
    colour = 60 + 135 * np.array([(label >> 2) & 1, (label >> 1) & 1, label & 1]) + label // 8 * 25
    return np.clip(colour + draw.normal(0, 12, (SIDE, SIDE, 3)), 30, 225).astype(np.uint8)


def png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture as the content of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def write_targets(folder: Path, num: int = 2, num_train: int = 10) -> Path:
    """Write ``num`` benign pictures and ``num_train`` to learn from a class; return the folder."""
    for label, name in enumerate(CLASS_NAMES):
        benign, training = folder / "data" / name, folder / "training" / name
        for part, count, first in ((benign, num, 100), (training, num_train, 0)):
            part.mkdir(parents=True)
            for i in range(count):
                file = f"{name}{i + 1}.png" if part is benign else f"{i:04d}.png"
                (part / file).write_bytes(png(square(label, first + i)))
    return folder


def ids(num: int = 2) -> list[str]:
    """Return the names of the benign pictures in order."""
    return [f"{name}/{name}{i + 1}.png" for name in CLASS_NAMES for i in range(num)]


def benign(num: int = 2) -> NDArray[np.uint8]:
    """Return the benign pictures: uint8 (10 num, 32, 32, 3)."""
    return np.stack([square(c, 100 + i) for c in range(len(CLASS_NAMES)) for i in range(num)])


def hand_in(path: Path, pictures: NDArray[np.uint8], num: int = 2, **changed: bytes | None) -> Path:
    """Write a tgz of pictures; ``changed`` replaces, adds or (None) leaves out files by name."""
    files: dict[str, bytes | None] = {
        name: png(picture) for name, picture in zip(ids(num), pictures, strict=True)
    }
    files |= changed
    return tarred(
        path, {name: content for name, content in files.items() if content is not None}, "w:gz"
    )


def write_benign(answers: Path, path: Path) -> Path:
    """Write the submission that changes no picture."""
    pictures = np.load(answers.parent.parent / "public" / "benign_images.npy")
    with answers.open(newline="") as stream:
        names = [row[0] for row in csv.reader(stream)][1:]
    files = {name: png(picture) for name, picture in zip(names, pictures, strict=True)}
    return tarred(path, files, "w:gz")


def write_answers(path: Path, num: int = 2) -> Path:
    """Write the answers and, beside their folder, the pictures, as a world has them."""
    for part in ("private", "public"):
        (path.parent / part).mkdir(exist_ok=True)
    np.save(path.parent / "public" / "benign_images.npy", benign(num))
    file = path.parent / "private" / path.name
    with file.open("w", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("Id", "Category", "Usage"))
        for number, name in enumerate(ids(num)):
            table.writerow((name, number // num, ("Public", "Private")[number % 2]))
    return file


# A few steps of two small networks: what a test may spend.
SMALL = (
    'networks.proxies=["residual_gn"]',
    'networks.held_out=["squeeze_bn"]',
    "networks.source=trained",
    "networks.steps=12",
    "train.steps=6",
    "train.validate_every=1",
    "train.checkpoint_seconds=0",
)
