"""Whole numbers in NumPy's .npy and .npz, and how many of them action lists may have.

What a file says of itself is checked before anything of that size is made: a few bytes may speak of
any number of rows, or be packed many times. Format: NumPy's ``lib.format``.
"""

import io
import math
import tokenize
import warnings
import zipfile
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlspring.core.archives import DAMAGE
from mlspring.core.texts import count
from mlspring.homeworks.hw12_lander.environment import MAX_STEPS

MAX_HEADER = 10_128  # what NumPy reads of one, and its magic bytes
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what NumPy writes

Header = tuple[tuple[int, ...], Literal["C", "F"], np.dtype[Any]]


def demand_count(number: int, ids: Sequence[str]) -> None:
    """Raise ValueError unless there is one list an episode."""
    if number != len(ids):
        raise ValueError(f"has {count(number, 'list')}, expected {len(ids)}, one an episode")


def demand_length(name: str, number: int) -> None:
    """Raise ValueError unless an episode may take ``number`` steps."""
    if not 1 <= number <= MAX_STEPS:
        raise ValueError(f"list {name} has {number:,} actions, expected 1 to {MAX_STEPS}")


def read_header(stream: io.BytesIO) -> Header:
    """Return shape, order and type that the header of a .npy tells; the numbers follow.

    Raises:
        ValueError: it is damaged, or of a version that NumPy does not write for numbers.
    """
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"is .npy of version {version}")
    read = np.lib.format.read_array_header_1_0
    if version == (2, 0):
        read = np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            shape, by_columns, dtype = read(stream)
    except (
        tokenize.TokenError,
        SyntaxError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        MemoryError,
    ) as error:
        raise ValueError(f"has a damaged .npy header ({error})") from error
    return shape, "F" if by_columns else "C", dtype


def numbers(content: bytes, header: Header) -> NDArray[Any]:
    """Return the whole numbers that follow a header, in its shape.

    Raises:
        ValueError: they are of another type, or not as many as the header says.
    """
    shape, order, dtype = header
    said = f"{dtype} of shape {shape}"[:80]
    if dtype.kind not in "iu":
        raise ValueError(f"holds {said}, expected whole numbers")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"holds {len(content):,} bytes, which are not {said}")
    if not content:
        raise ValueError(f"holds {said}: no numbers")
    return np.frombuffer(content, dtype).reshape(shape, order=order)


def from_npz(content: bytes, num_lists: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the arrays ``actions`` and ``lengths`` of a .npz.

    Raises:
        ValueError: it is damaged, holds anything else, or more than ``num_lists`` lists can have.
    """
    most = {"actions": num_lists * MAX_STEPS, "lengths": num_lists}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            found = sorted(entry.filename for entry in archive.infolist())
            if found != [f"{name}.npy" for name in most]:
                names = ", ".join(found)[:80]
                raise ValueError(f"holds {names!r}; a .npz of lists holds actions and lengths")
            actions, lengths = (
                _row(_unpacked(archive, entries[f"{name}.npy"], MAX_HEADER + 8 * number), name)
                for name, number in most.items()
            )
    except DAMAGE as error:
        raise ValueError(f"is a damaged .npz ({error})") from error
    return actions, lengths


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, max_bytes: int) -> bytes:
    """Return an entry's bytes; never more than one above ``max_bytes`` come out."""
    if entry.flag_bits & 1 or entry.compress_type not in METHODS:
        raise ValueError(f"{entry.filename} is locked or packed in a way that NumPy does not use")
    content = b""
    if entry.file_size <= max_bytes:
        with archive.open(entry) as stream:
            content = stream.read(max_bytes + 1)
    if max(entry.file_size, len(content)) > max_bytes:
        raise ValueError(f"{entry.filename} unpacks to more than {max_bytes:,} bytes")
    return content


def _row(content: bytes, name: str) -> NDArray[Any]:
    stream = io.BytesIO(content)
    header = read_header(stream)
    if len(header[0]) != 1:
        raise ValueError(f"{name} has shape {header[0]}"[:120] + ", expected a row of numbers")
    return numbers(content[stream.tell() :], header)
