"""The file handed in: a tgz of ten class folders, each with its attacked pictures as PNG.

    submission.tgz
        airplane/airplane1.png ... airplane20.png      names as the benign pictures have them
        automobile/ ...

Names, size and kind of every picture are checked here, on files that are safely unpacked and never
resized or turned. How far each is from its benign self is checked by the judge, which knows those.
"""

import gzip
import io
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core.archives import archive_kind, extract
from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.files import atomic_path
from mlspring.core.png import decode_rgb
from mlspring.core.texts import count, size
from mlspring.homeworks.hw10_attack.recipe import MAX_EPSILON
from mlspring.homeworks.hw10_attack.spec import SPEC

SIDE = 32
MAX_FILES = 2 * SPEC.limits.max_rows  # folders and what an Apple computer adds are entries, too
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
    with (
        atomic_path(path) as partial,
        partial.open("wb") as stream,
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, picture in zip(ids, values, strict=True):
            content = io.BytesIO()
            Image.fromarray(picture).save(content, "PNG")
            entry = tarfile.TarInfo(name)  # without the time of day
            entry.size = len(content.getvalue())
            archive.addfile(entry, io.BytesIO(content.getvalue()))


def read(path: Path, ids: Sequence[str]) -> HandedIn:
    """Return the pictures in the order of ``ids``.

    Raises:
        SubmissionError: no such archive, a picture is missing, not asked for, or no plain PNG of
            32 x 32 pixels; names it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "files"
        files = {file.relative_to(folder).as_posix(): file for file in _unpack(path, folder)}
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


def _unpack(path: Path, to: Path) -> list[Path]:
    expected = "a tgz of class folders, e.g. airplane/airplane1.png"
    try:
        if path.is_file() and path.stat().st_size > SPEC.limits.max_bytes:
            most = f"at most {size(SPEC.limits.max_bytes)}"
            found = f"has {size(path.stat().st_size)}"
            raise SubmissionError(found, file=path, expected=most, fix="save as PNG, pack as tgz")
        if (kind := archive_kind(path)) != "tar.gz":
            raise SubmissionError(f"is a {kind}", file=path, expected=expected, fix=PACK_IT)
        return extract(path, to, max_bytes=MAX_UNPACKED_BYTES, max_files=MAX_FILES)
    except DataError as error:
        raise SubmissionError(
            error.found, file=path, expected=error.expected or expected, fix=PACK_IT
        ) from error


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
