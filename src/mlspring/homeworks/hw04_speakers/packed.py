"""All frames of many files as one array, read once and kept as a memory map while nothing changes.

The course's data are 64,666 small files; opening each whenever a step asks for it is what makes the
notebook slow. Half precision keeps log energies to 0.01, of a spread of 3.
"""

import hashlib
import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.files import atomic_path, home
from mlspring.core.progress import bar
from mlspring.core.speech_features import NUM_MELS
from mlspring.homeworks.hw04_speakers.layout import AGAIN, METADATA, Listed

MAX_FILE_BYTES = 100_000_000
VERSION = 1  # raised when frames are kept differently; part of the key
EXPECTED = f"a float32 tensor (frames, {NUM_MELS})"


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
        DataError: it is missing, damaged, holds no tensor of floats, other than ``length`` frames,
            or a frame that is not finite.
    """
    tensor = _load(file)
    shape = tuple(tensor.shape)
    if not tensor.is_floating_point() or len(shape) != 2 or shape[1] != NUM_MELS:
        found = f"holds a tensor {shape} of {str(tensor.dtype).removeprefix('torch.')}"
        raise DataError(found, file=file, expected=EXPECTED, fix=AGAIN)
    if len(tensor) != length:
        found = f"has {len(tensor)} frames, and {length} by its mel_len in the list"
        fix = f"make {METADATA} and the files together; {AGAIN}"
        raise DataError(found, file=file, expected="as many", fix=fix)
    frames: NDArray[np.float16] = tensor.half().numpy()
    finite = np.isfinite(frames).all(1)
    if not finite.all():
        found = (
            f"frame {int(np.argmin(finite))} holds values that are NaN, infinite or far too large"
        )
        raise DataError(found, file=file, expected="log energies", fix=AGAIN)
    return frames


def _load(file: Path) -> Any:
    """Return the tensor in a file; what holds anything else is never unpickled."""
    import torch  # here: reading the lists needs none

    from mlspring.kit.given_checkpoint import DAMAGE

    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise DataError(f"has more than {MAX_FILE_BYTES:,} bytes", file=file, expected=EXPECTED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an unusual protocol
            tensor = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise DataError("is missing", file=file, expected=EXPECTED, fix=AGAIN) from error
    except pickle.UnpicklingError as error:
        found = "holds Python objects and no tensor; they are never unpickled"
        raise DataError(found, file=file, expected=EXPECTED, fix=AGAIN) from error
    except DAMAGE as error:
        found = "is damaged or cut short"
        raise DataError(found, file=file, expected=EXPECTED, fix=AGAIN) from error
    if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided:
        found = f"holds a {type(tensor).__name__}, which is no tensor of numbers"
        raise DataError(found, file=file, expected=EXPECTED, fix=AGAIN)
    return tensor.detach()


def _fingerprint(folder: Path, listed: Sequence[Listed]) -> str:
    """Return a digest that changes when a file does, by its name, size and time."""
    digest = hashlib.sha256(f"hw04 {VERSION} {folder.resolve()}".encode())
    for one in listed:
        try:
            status = (folder / one.name).stat()
        except OSError as error:
            found = f"cannot be read ({error.strerror})"
            if isinstance(error, FileNotFoundError):
                found = "is missing"
            raise DataError(found, file=folder / one.name, expected=EXPECTED, fix=AGAIN) from error
        digest.update(f"{one} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()[:32]


def _is_whole(cached: Path, shape: tuple[int, int]) -> bool:
    """Return whether the file holds frames of that shape."""
    try:
        frames = np.load(cached, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return frames.shape == shape and frames.dtype == np.float16
