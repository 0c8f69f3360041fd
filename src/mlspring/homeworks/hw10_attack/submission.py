"""The file handed in: a tgz of ten class folders, each with its attacked pictures as PNG.

    submission.tgz
        airplane/airplane1.png ... airplane20.png      names as the benign pictures have them
        automobile/ ...

Names, size and kind of every picture are checked here, on files that are safely unpacked and never
resized or turned. How far each is from its benign self is checked by the judge, which knows those.
"""

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core.errors import SubmissionError
from mlspring.core.files import atomic_path
from mlspring.core.png import decode_rgb
from mlspring.core.submitted_archives import pack, unpack
from mlspring.core.texts import count
from mlspring.homeworks.hw10_attack.recipe import MAX_EPSILON
from mlspring.homeworks.hw10_attack.spec import SPEC

SIDE = 32
MAX_UNPACKED_BYTES = 8_000_000  # 200 pictures stored as they are: 0.6 MB, with tar's blocks 1 MB
PACK_IT = "pack from inside the folder: cd OUT && tar zcvf ../submission.tgz *"


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """The attacked pictures in the order of the ids: uint8 (n, 32, 32, 3)."""

    pictures: NDArray[np.uint8]
    ids: tuple[str, ...]
    file: Path  # where they were, for messages


def write(path: Path, ids: Sequence[str], values: NDArray[np.uint8]) -> None:
    """Write the archive, whole or not at all; equal pictures give equal bytes.

    Args:
        path: of the archive.
        ids: ``airplane/airplane1.png`` and so on.
        values: the pictures, uint8 (n, 32, 32, 3), n of them.
    """
    pngs = (_as_png(picture) for picture in values)
    with atomic_path(path) as partial:
        partial.write_bytes(pack(zip(ids, pngs, strict=True)))


def _as_png(picture: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def read(path: Path, ids: Sequence[str]) -> HandedIn:
    """Return the pictures in the order of ``ids``.

    Raises:
        SubmissionError: no such archive, a picture is missing, not asked for, or no plain PNG of
            32 x 32 pixels; names it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files = unpack(
            path,
            Path(scratch) / "files",
            SPEC.limits,
            max_bytes=MAX_UNPACKED_BYTES,
            expected="a tgz of class folders, e.g. airplane/airplane1.png",
            make_smaller="save as PNG, pack as tgz",
            pack_it=PACK_IT,
        )
        _check_names(path, list(files), ids)
        contents = {name: files[name].read_bytes() for name in ids}  # bounded when unpacked
    pictures = [
        decode_rgb(content, name=str(path / name), width=SIDE, height=SIDE)
        for name, content in contents.items()
    ]
    return HandedIn(pictures=np.stack(pictures), ids=tuple(ids), file=path)


def describe(values: HandedIn) -> str:
    """Return what a submission holds, as words."""
    told = f"{count(len(values.pictures), 'picture')}, {SIDE} x {SIDE} RGB"
    budget = f"whether each is within {MAX_EPSILON} of its benign self tells: mlspring score hw10"
    return f"{told}; {budget}"


def _check_names(path: Path, names: Sequence[str], ids: Sequence[str]) -> None:
    """Raise unless the files are those that are asked for, no more and no fewer."""
    missing = [name for name in ids if name not in set(names)]
    extra = [name for name in names if name not in set(ids)]
    expected = f"{count(len(ids), 'picture')} like {ids[0]}"
    if extra:
        outer, _, inner = extra[0].partition("/")
        if inner in ids:
            found = f"holds the class folders inside of {outer!r}"
            raise SubmissionError(found, file=path, expected=expected, fix=PACK_IT)
        raise SubmissionError("is not asked for", file=path / extra[0], expected=expected)
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        first = missing[0].split("/")[0]
        if not any(name.startswith(f"{first}/") for name in names):
            others += f"; nothing of the class {first!r} is there"
        raise SubmissionError(f"lacks {missing[0]!r}{others}", file=path, expected=expected)
