"""Faces to learn from, decoded once: the world's, or a folder of pictures.

    DIR[/faces]/0.jpg 1.jpg ...     71,314 in the course; any size, made 64 x 64

A twentieth, at most 1,000, is held out to measure by while training goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core import image_folder
from mlspring.core.errors import DataError
from mlspring.core.images import load_images
from mlspring.core.source import Source
from mlspring.homeworks.hw06_gan.recipe import Recipe
from mlspring.homeworks.hw06_gan.submission import NUM_PICTURES, SIDE
from mlspring.worlds.faces.face_world import face_world
from mlspring.worlds.world import World

MOST_HELD_OUT, SHARE_HELD_OUT = 1000, 20  # one of so many
FEWEST = 40  # faces, of which two are held out
SHOWN = 12  # on the contact sheet, a row
EXPORT_QUALITY = 95  # of JPEG
FETCH = "mlspring fetch hw06"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Data:
    """Faces as uint8 pictures, (n, 64, 64, 3); ``valid`` are kept from training."""

    train: Pixels
    valid: Pixels
    test_ids: list[str]


def world() -> World:
    """Return the built-in data set of the homework."""
    return face_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return all faces as memory maps.

    Raises:
        DataError: a file is missing, broken or no picture, or there are too few.
    """
    del recipe  # pictures have one size
    if source.kind == "world":
        faces = np.load(source.folder / "faces.npy", mmap_mode="c", allow_pickle=False)
    else:
        faces = load_images(face_files(source.folder), SIDE)
    held_out = min(MOST_HELD_OUT, len(faces) // SHARE_HELD_OUT)
    split = len(faces) - held_out
    return Data(train=faces[:split], valid=faces[split:], test_ids=test_ids(source))


def test_ids(source: Source) -> list[str]:
    """Return the names of the pictures in a submission: 1.jpg .. 1000.jpg, whatever the data."""
    del source
    return [f"{number}.jpg" for number in range(1, NUM_PICTURES + 1)]


def answers(world_folder: Path) -> Path:
    """Return the file that generated faces of a world are compared with."""
    return world_folder / "private" / "held_out.npy"


def face_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder, those in ``faces/`` where there is one.

    Raises:
        DataError: there is something else, or there are fewer than 40.
    """
    part = image_folder.find(folder, "faces") or folder
    if inner := image_folder.find(part, "faces"):  # Kaggle's archive has faces/faces/
        part = inner
    files = image_folder.pictures(part, "0.jpg")
    if len(files) < FEWEST:
        found, expected = f"holds {len(files)} pictures", f"at least {FEWEST}"
        raise DataError(found, file=part, expected=expected, fix=f"fetch all: {FETCH}")
    return files


def describe(data: Data) -> dict[str, str]:
    """Return the rows of the data card."""
    return {
        "faces to learn from": f"{len(data.train):,}, {SIDE} x {SIDE} RGB",
        "faces to measure by": f"{len(data.valid):,}, held out from training",
        "handed in": f"{len(data.test_ids):,} generated faces",
    }


def contact_sheet(data: Data) -> Mapping[str, Pixels]:
    """Return rows of faces: caption to uint8 (n, 64, 64, 3)."""
    rows = [data.train[i * SHOWN : (i + 1) * SHOWN] for i in range(4)]
    return {f"faces {i * SHOWN}..": row for i, row in enumerate(rows) if len(row)}


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout: ``to``/faces/0.jpg and so on."""
    (to / "faces").mkdir(parents=True, exist_ok=True)
    faces = np.load(world_folder / "public" / "faces.npy", mmap_mode="r", allow_pickle=False)
    for number, face in enumerate(faces):
        path = to / "faces" / f"{number}.jpg"
        Image.fromarray(face).save(path, "JPEG", quality=EXPORT_QUALITY)
