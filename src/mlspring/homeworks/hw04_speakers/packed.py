"""All frames of many files as one array, read once and kept as a memory map while nothing changes.

The course's data are 64,666 small files; opening each whenever a step asks for it is what makes the
notebook slow. Half precision keeps log energies to 0.01, of a spread of 3.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.files import atomic_path, home
from mlspring.core.progress import bar
from mlspring.core.speech_features import NUM_MELS
from mlspring.homeworks.hw04_speakers.layout import AGAIN, METADATA, Listed

LARGEST = 1000.0  # in size; logarithms of energies are far below
VERSION = 1  # raised when frames are kept differently; part of the key


def frames_of(folder: Path, listed: Sequence[Listed]) -> NDArray[np.float16]:
    """Return the frames of all files one after another, (T, 40), as a private memory map.

    Raises:
        DataError: a file is missing, damaged, no tensor, or not as the list says.
        MachineError: the disk is full.
    """
    if not listed:
        return np.zeros((0, NUM_MELS), np.float16)
    shape = (sum(one.length for one in listed), NUM_MELS)
    cached = home() / "decoded" / f"{_fingerprint(folder, listed)}.npy"
    if not _is_whole(cached, shape):
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        with (
            atomic_path(cached) as partial,
            partial.open("wb") as stream,
            bar("read frames", len(listed), unit="files") as progress,
        ):
            npy.write_array_header_1_0(stream, header)
            for one in listed:
                stream.write(read_frames(folder / one.name, one.length).tobytes())
                progress.advance()
    frames: NDArray[np.float16] = np.load(cached, mmap_mode="c", allow_pickle=False)
    return frames


def read_frames(file: Path, length: int) -> NDArray[np.float16]:
    """Return the frames in a file that ``torch.save(tensor, file)`` wrote, (length, 40).

    Raises:
        DataError: it is missing, damaged, holds no tensor of float32, other than ``length`` frames,
            or a frame that is not finite.
    """
    from mlspring.kit.feature_files import read_features  # here: reading the lists needs no torch

    features = read_features(file, NUM_MELS)
    if len(features) != length:
        found = f"has {len(features):,} frames, and {length:,} by its mel_len in the list"
        fix = f"make {METADATA} and the files together; {AGAIN}"
        raise DataError(found, file=file, expected="as many", fix=fix)
    if np.abs(features).max() > LARGEST:
        frame = int(np.abs(features).max(1).argmax())
        found = f"frame {frame:,} holds {np.abs(features[frame]).max():g}"
        raise DataError(found, file=file, expected=f"log energies, at most {LARGEST:g} in size")
    return features.astype(np.float16)


def _fingerprint(folder: Path, listed: Sequence[Listed]) -> str:
    """Return a digest that changes when a file does, by its name, size and time."""
    digest = hashlib.sha256(f"hw04 {VERSION} {folder.resolve()}".encode())
    for one in listed:
        try:
            status = (folder / one.name).stat()
        except OSError as error:
            there_is_none = isinstance(error, FileNotFoundError)
            found = "is missing" if there_is_none else f"cannot be read ({error.strerror})"
            expected = f"the {one.length:,} frames that the list promises"
            raise DataError(found, file=folder / one.name, expected=expected, fix=AGAIN) from error
        digest.update(f"{one} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()[:32]


def _is_whole(cached: Path, shape: tuple[int, int]) -> bool:
    """Return whether the file holds frames of that shape."""
    try:
        frames = np.load(cached, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return frames.shape == shape and frames.dtype == np.float16
