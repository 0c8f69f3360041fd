"""IDX files of unsigned bytes, the format of MNIST (Y. LeCun's page), gzipped or not.

0 0 8 k        8 stands for unsigned bytes, k is the number of axes
k x 4 bytes    the size of each axis, its highest byte first
the values     of the last axis next to each other
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError

MAX_ITEMS = 1_000_000  # what a file may claim to hold


def write_idx(path: Path, array: NDArray[Any]) -> None:
    """Write values 0..255; a name that ends in .gz: gzipped, without the time."""
    header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content, 6, mtime=0) if path.suffix == ".gz" else content)


def read_idx(path: Path, item: tuple[int, ...], *, fix: str) -> NDArray[np.uint8]:
    """Return the items of a file, each of the shape ``item``: (n, *item).

    Raises:
        DataError: it cannot be read, is of another format, or shorter or longer than it says.
    """

    def broken(message: str, expected: str | None = None) -> DataError:
        return DataError(message, file=path, expected=expected, fix=fix)

    num_axes = 1 + len(item)
    start = 4 + 4 * num_axes
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            header = stream.read(start)
            if len(header) < start or header[:4] != bytes((0, 0, 8, num_axes)):
                begin = header[:4].hex(" ") or "(none)"
                expected = f"an IDX file of unsigned bytes with {num_axes} axes"
                raise broken(f"begins with the bytes {begin}", expected)
            count, *shape = (int(size) for size in np.frombuffer(header[4:], ">u4"))
            if count > MAX_ITEMS or tuple(shape) != item:
                message = f"says it holds {' x '.join(map(str, (count, *shape)))}"
                size = f" of {' x '.join(map(str, item))}" if item else ""
                raise broken(message, f"up to {MAX_ITEMS:,}{size}")
            num_bytes = count * math.prod(item)
            content = stream.read(num_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise broken(f"cannot be read ({error})") from error
    if len(content) != num_bytes:
        more = "more" if len(content) > num_bytes else f"{len(content):,}"
        raise broken(f"holds {more} bytes", f"{num_bytes:,} as its header says")
    return np.frombuffer(content, np.uint8).reshape(count, *item)
