"""Homework 6's layout with a few blots in place of faces, and archives of generated ones."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.tiny.archives import tarred

SIDE, NUM = 64, 1000
Pixels = NDArray[np.uint8]


def blots(num: int, seed: int = 0) -> Pixels:
    """Return pictures of one light disc on a dark ground, of any colours: (num, 64, 64, 3)."""
    rng = np.random.default_rng([seed, 6])
    at = np.mgrid[0:SIDE, 0:SIDE]
    made = np.empty((num, SIDE, SIDE, 3), np.uint8)
    for picture in made:
        middle, radius = rng.uniform(20, 44, (2, 1, 1)), rng.uniform(8, 20)
        ground, ink = rng.integers(0, 120, 3), rng.integers(120, 256, 3)
        inside = ((at - middle) ** 2).sum(0) < radius**2
        picture[:] = np.where(inside[..., None], ink, ground)
    return made


def jpeg(picture: Pixels, quality: int = 75) -> bytes:
    """Return a picture as the content of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return file.getvalue()


def write_faces(folder: Path, num: int = 60) -> Path:
    """Write ``num`` pictures as the course's folder ``faces``; return the folder around it."""
    (folder / "faces").mkdir(parents=True)
    for number, picture in enumerate(blots(num)):
        (folder / "faces" / f"{number}.jpg").write_bytes(jpeg(picture, 90))
    return folder


def hand_in(path: Path, pictures: Pixels, **changed: bytes | None) -> Path:
    """Write a tgz of pictures; ``changed`` replaces, adds or (None) leaves out files by name."""
    files: dict[str, bytes | None] = {
        f"{number}.jpg": jpeg(picture) for number, picture in enumerate(pictures, start=1)
    }
    files |= changed
    return tarred(
        path, {name: content for name, content in files.items() if content is not None}, "w:gz"
    )


def write_answers(path: Path, num: int = 80) -> Path:
    """Write held-out pictures as a world has them; return the file."""
    file = path.parent / "private" / "held_out.npy"
    file.parent.mkdir(exist_ok=True)
    np.save(file, blots(num, seed=1))
    return file


def write_perfect(answers: Path, path: Path) -> Path:
    """Write as many pictures of the same law as a submission has."""
    del answers
    return hand_in(path, blots(NUM, seed=2))


# A few steps of a narrow pair: what a test may spend.
SMALL = (
    "model.feature_dim=4",
    "model.discriminator_dim=4",
    "model.z_dim=8",
    "train.batch_size=6",
    "train.steps=5",
    "train.validate_every=1",
    "train.checkpoint_seconds=0",
    "study.steps=2",
    "study.feature_dim=4",
)
