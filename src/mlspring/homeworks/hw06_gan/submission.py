"""The file handed in: a tgz of 1000 faces, without a folder, below 2 MB.

    submission.tgz
        1.jpg 2.jpg ... 1000.jpg       64 x 64 RGB

So a picture has 2 kB. The writer finds the best quality at which all fit; the reader checks name,
kind, mode and size of every picture, on files that are safely unpacked.
"""

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mlspring.core.errors import InternalError, SubmissionError
from mlspring.core.files import atomic_path
from mlspring.core.images import BROKEN
from mlspring.core.submitted_archives import pack, unpack
from mlspring.core.texts import count, size
from mlspring.homeworks.hw06_gan.spec import SPEC

NUM_PICTURES, SIDE = SPEC.limits.max_rows, 64
QUALITIES = (92, 88, 84, 80, 75, 70, 65, 60, 50, 40, 30, 20, 10, 5)
MAX_UNPACKED_BYTES = 8_000_000  # a picture of 2 kB takes 4 kB in a tar
PACK_IT = "pack from inside the folder: cd OUT && tar zcf ../submission.tgz *.jpg"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """The generated faces in the order of the ids: uint8 (n, 64, 64, 3)."""

    pictures: Pixels
    ids: tuple[str, ...]
    file: Path  # where they were, for messages


def write(path: Path, ids: Sequence[str], values: Pixels) -> None:
    """Write the archive, whole or not at all; equal pictures give equal bytes.

    Args:
        path: of the archive.
        ids: ``1.jpg`` and so on.
        values: the pictures, uint8 (n, 64, 64, 3), n of them.
    """
    for quality in QUALITIES:
        jpegs = (_as_jpeg(picture, quality) for picture in values)
        content = pack(zip(ids, jpegs, strict=True))
        if len(content) <= SPEC.limits.max_bytes:
            break
    else:
        found = f"{len(ids)} pictures take {size(len(content))} at quality {QUALITIES[-1]}"
        raise InternalError(found, file=path)
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def _as_jpeg(picture: Pixels, quality: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality, optimize=True)
    return stream.getvalue()


def read(path: Path, ids: Sequence[str]) -> HandedIn:
    """Return the pictures in the order of ``ids``.

    Raises:
        SubmissionError: no such archive, or a picture is missing, not asked for, or no JPEG of
            64 x 64 RGB pixels; names it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files = unpack(
            path,
            Path(scratch) / "files",
            SPEC.limits,
            max_bytes=MAX_UNPACKED_BYTES,
            expected="a tgz of 1.jpg, 2.jpg and so on",
            make_smaller="save at a lower JPEG quality",
            pack_it=PACK_IT,
        )
        _check_names(path, list(files), ids)
        pictures = [_decode(files[name].read_bytes(), path / name) for name in ids]
    return HandedIn(pictures=np.stack(pictures), ids=tuple(ids), file=path)


def describe(values: HandedIn) -> str:
    """Return what a submission holds, as words."""
    return f"{count(len(values.pictures), 'picture')}, {SIDE} x {SIDE} RGB"


def _check_names(path: Path, names: Sequence[str], ids: Sequence[str]) -> None:
    """Raise unless the files are those that are asked for, no more and no fewer."""
    expected = f"{count(len(ids), 'picture')}, {ids[0]} to {ids[-1]}, without a folder"
    wanted, there = set(ids), set(names)
    if extra := [name for name in names if name not in wanted]:
        outer, _, inner = extra[0].rpartition("/")
        if inner in wanted:
            found = f"holds its pictures in a folder, {outer!r}"
            raise SubmissionError(found, file=path, expected=expected, fix=PACK_IT)
        raise SubmissionError("is not asked for", file=path / extra[0], expected=expected)
    if missing := [name for name in ids if name not in there]:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise SubmissionError(f"lacks {missing[0]!r}{others}", file=path, expected=expected)


def _decode(content: bytes, name: Path) -> Pixels:
    """Return the pixels of one JPEG file, (64, 64, 3); nothing is resized, turned or converted."""
    expected = f"a JPEG of {SIDE} x {SIDE} pixels, RGB"
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            if image.size != (SIDE, SIDE):
                found = f"has {image.width} x {image.height} pixels"
                raise SubmissionError(found, file=name, expected=expected)
            if image.mode != "RGB":
                raise SubmissionError(f"has mode {image.mode}", file=name, expected=expected)
            return np.asarray(image, dtype=np.uint8)
    except UnidentifiedImageError as error:
        raise SubmissionError("is no JPEG", file=name, expected=expected) from error
    except BROKEN as error:
        raise SubmissionError(f"is broken ({error})", file=name, expected=expected) from error
