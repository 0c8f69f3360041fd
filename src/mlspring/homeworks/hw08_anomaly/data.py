"""Pictures of faces, all normal, and pictures to tell apart: two arrays as the course has them.

    DIR[/data]/trainingset.npy    uint8 (n, 64, 64, 3), normal faces
    DIR[/data]/testingset.npy     uint8 (m, 64, 64, 3); the id of a picture is its row

The world is drawn in the same files. They are memory maps, of which a step reads its rows: the
course's 1.2 GB are never in memory at once. Nothing is unpickled.
"""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.foreign import open_regular
from mlspring.core.source import Source
from mlspring.homeworks.hw08_anomaly.recipe import Recipe
from mlspring.worlds.faces.anomaly_world import anomaly_world
from mlspring.worlds.world import World

SIDE = 64  # pixels
TRAIN, TEST = "trainingset.npy", "testingset.npy"
FOLDERS = (".", "data")  # the course's archive puts a folder around the files
FEWEST = 4  # pictures to train on and to hold out
SHOWN = 24  # pictures of a part on the contact sheet

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Data:
    """All pictures of one source.

    Args:
        train: uint8 (n, 64, 64, 3), to learn from.
        held_out: uint8 (k, 64, 64, 3), the last rows of the training file: of normal faces, too.
        test: uint8 (m, 64, 64, 3), some of them anomalies.
        is_world: whether they are the built-in ones, of which it is known what is wrong.
    """

    train: Pixels
    held_out: Pixels
    test: Pixels
    is_world: bool


def world() -> World:
    """Return the built-in data set of the homework."""
    return anomaly_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the pictures of ``source`` as memory maps.

    The held-out rows are the last ones, so that pictures of one person, which stand together, are
    not on both sides.

    Raises:
        DataError: a file is missing or no array of pictures, or too few pictures are in it.
    """
    train, test = _open(_find(source.folder, TRAIN)), _open(_find(source.folder, TEST))
    held_out = recipe.data.held_out
    left = len(train) - held_out
    if left < FEWEST:
        raise DataError(
            f"holds {len(train):,} pictures, of which data.held_out = {held_out:,}",
            file=_find(source.folder, TRAIN),
            expected=f"at least {FEWEST} to train on",
            fix="hold fewer out: --set data.held_out=...",
        )
    is_world = source.kind == "world"
    return Data(train=train[:left], held_out=train[left:], test=test, is_world=is_world)


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order; reads no picture."""
    return [str(row) for row in range(len(_open(_find(source.folder, TEST))))]


def describe(data: Data) -> dict[str, str]:
    """Return the rows of the data card."""
    megabytes = sum(part.nbytes for part in (data.train, data.held_out, data.test)) / 2**20
    return {
        "pictures": f"{len(data.train):,} normal ones to train on, {len(data.held_out):,} held "
        f"out, {len(data.test):,} to tell apart; {SIDE} x {SIDE} RGB",
        "labels": "none: all of the training is normal, nobody says what an anomaly is",
        "size": f"{megabytes:,.0f} MiB, read row by row",
    }


def contact_sheet(data: Data) -> dict[str, Pixels]:
    """Return the first pictures of each part: name to uint8 (n, 64, 64, 3)."""
    return {"training": data.train[:SHOWN], "test": data.test[:SHOWN]}


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout under ``to``/data; the answers stay with the judge."""
    (to / "data").mkdir(parents=True, exist_ok=True)
    for name in (TRAIN, TEST):
        shutil.copyfile(world_folder / "public" / name, to / "data" / name)


# ---- reading


def _find(folder: Path, name: str) -> Path:
    """Return the file ``name`` in ``folder`` or in the folder of the course's archive inside.

    Raises:
        DataError: it is in neither.
    """
    for inner in FOLDERS:
        if (folder / inner / name).exists():
            return folder / inner / name
    raise DataError(
        f"holds no {name}, nor does its folder data",
        file=folder,
        expected=f"{TRAIN} and {TEST}, as the course's data.zip unpacks",
        fix="see: mlspring fetch hw08, or mlspring data hw08 --export DIR for an example",
    )


def _open(path: Path) -> Pixels:
    """Return an array of pictures as a memory map; its header is checked first.

    Raises:
        DataError: no .npy file, Python objects, another type or shape, or fewer bytes than it says.
    """
    wanted = f"an array of uint8 (pictures, {SIDE}, {SIDE}, 3)"
    fix = "save it again: np.save(PATH, pictures.astype(np.uint8)), values 0 to 255"

    def wrong(found: str, expected: str = wanted) -> DataError:
        return DataError(found, file=path, expected=expected, fix=fix)

    with open_regular(path) as stream:
        try:
            version = np.lib.format.read_magic(stream)
            reader = "read_array_header_1_0" if version == (1, 0) else "read_array_header_2_0"
            shape, by_column, kind = getattr(np.lib.format, reader)(stream)
        except (ValueError, OSError) as error:
            raise wrong("is no .npy file that NumPy writes") from error
        start = stream.tell()
        there = path.stat().st_size - start
    if kind.hasobject:
        raise wrong("holds Python objects, which are never unpickled")
    if kind != np.uint8:
        raise wrong(f"holds {kind.name}")
    if len(shape) != 4 or shape[1:] != (SIDE, SIDE, 3) or by_column:
        order = ", column by column" if by_column else ""
        raise wrong(f"has the shape {' x '.join(map(str, shape)) or '()'}{order}")
    if shape[0] == 0:
        raise wrong("holds no picture")
    num_bytes = math.prod(shape)
    if there != num_bytes:
        short = "is cut off" if there < num_bytes else "is longer than it says"
        found = f"{short}: {there:,} bytes of pictures"
        raise wrong(found, f"{num_bytes:,} for {shape[0]:,} pictures")
    # copy-on-write: torch wants memory that may be written to
    return np.memmap(path, np.uint8, "c", start, shape)
