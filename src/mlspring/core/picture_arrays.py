"""Pictures that are kept as one .npy file: opened and checked, and told apart by their content."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError


def open_pictures(
    file: Path, *, expected: str, fix: str, count: int | None = None, side: int | None = None
) -> NDArray[np.uint8]:
    """Return square RGB pictures of a .npy file as a memory map, uint8 (n, s, s, 3).

    Args:
        file: never unpickled.
        expected: what it holds, for messages.
        fix: what to do where it does not.
        count: pictures that there must be; None: any.
        side: pixels of a side; None: any.

    Raises:
        DataError: it is missing, no .npy file, or of another type or shape.
    """
    try:  # "c": private, so that torch may share it; writing to it never reaches the file
        pictures: NDArray[np.uint8] = np.load(file, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read as .npy"
        raise DataError(why, file=file, expected=expected, fix=fix) from error
    shape = pictures.shape
    square = len(shape) == 4 and shape[1:] == (shape[1], shape[1], 3)
    wanted = square and count in (None, shape[0]) and side in (None, shape[1])
    if not wanted or pictures.dtype != np.uint8:
        raise DataError(f"is {pictures.dtype} {shape}", file=file, expected=expected, fix=fix)
    return pictures


def fingerprint(*arrays: NDArray[Any]) -> str:
    """Return 16 digits that stand for arrays: equal shapes and bytes, equal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for array in arrays:
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
