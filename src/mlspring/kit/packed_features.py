"""Features of many files as one array, read once and kept as a memory map while nothing changes.

A data set of speech may have tens of thousands of small files; opening one whenever a step asks for
it is what makes a loop wait. Half precision keeps log energies to 0.01, of a spread of 3.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.files import atomic_path, home
from mlspring.core.progress import bar
from mlspring.kit.feature_files import read_features

LARGEST = 1000.0  # in size; logarithms of energies are far below
VERSION = 1  # raised when features are kept differently; part of the key


def packed_features(
    files: Sequence[Path], lengths: Sequence[int], num_features: int, fix: str
) -> NDArray[np.float16]:
    """Return the features of all files one after another, (T, num_features), as a memory map.

    Args:
        files: each holds a tensor (t, num_features), as ``read_features`` reads it.
        lengths: the t that is promised of each.
        num_features: of a frame.
        fix: in messages, what to do about a file that does not keep its promise.

    Raises:
        DataError: a file is missing, damaged, no tensor, or of another length.
        MachineError: the disk is full.
    """
    shape = (sum(lengths), num_features)
    if not files:
        return np.zeros(shape, np.float16)
    cached = home() / "decoded" / f"{_fingerprint(files, lengths, fix)}.npy"
    if not _is_whole(cached, shape):
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        with (
            atomic_path(cached) as partial,
            partial.open("wb") as stream,
            bar("read features", len(files), unit="files") as progress,
        ):
            npy.write_array_header_1_0(stream, header)
            for file, length in zip(files, lengths, strict=True):
                stream.write(_read(file, length, num_features, fix).tobytes())
                progress.advance()
    features: NDArray[np.float16] = np.load(cached, mmap_mode="c", allow_pickle=False)
    return features


def _read(file: Path, length: int, num_features: int, fix: str) -> NDArray[np.float16]:
    features = read_features(file, num_features)
    if len(features) != length:
        found = f"has {len(features):,} frames; {length:,} are promised"
        raise DataError(found, file=file, expected="as many", fix=fix)
    if np.abs(features).max() > LARGEST:
        frame = int(np.abs(features).max(1).argmax())
        found = f"frame {frame:,} holds {np.abs(features[frame]).max():g}"
        raise DataError(found, file=file, expected=f"log energies, at most {LARGEST:g} in size")
    return features.astype(np.float16)


def _fingerprint(files: Sequence[Path], lengths: Sequence[int], fix: str) -> str:
    """Return a digest that changes when a file does, by its name, size and time."""
    digest = hashlib.sha256(f"features {VERSION}".encode())
    for file, length in zip(files, lengths, strict=True):
        try:
            status = file.stat()
        except OSError as error:
            there_is_none = isinstance(error, FileNotFoundError)
            found = "is missing" if there_is_none else f"cannot be read ({error.strerror})"
            expected = f"the {length:,} frames that are promised"
            raise DataError(found, file=file, expected=expected, fix=fix) from error
        digest.update(os.fsencode(file) + b"\0")
        digest.update(f"{length} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _is_whole(cached: Path, shape: tuple[int, int]) -> bool:
    """Return whether the file holds features of that shape."""
    try:
        features = np.load(cached, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return features.shape == shape and features.dtype == np.float16
