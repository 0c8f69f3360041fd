"""Features of an utterance as a file of ``torch.save``: read as a tensor and as nothing else."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.texts import size

MAX_BYTES = 50_000_000  # half an hour of speech has 28 million
FIX = "copy it again, or leave the utterance out"


def read_features(path: Path, num_features: int) -> NDArray[np.float32]:
    """Return the features in a file, float32 (t, num_features), t >= 1.

    Raises:
        DataError: missing, cut short, another pickle than a tensor, of another type or shape,
            empty, or with a value that is not finite.
    """
    expected = f"a float32 tensor (frames, {num_features}), saved by torch.save"
    tensor = _load(path, expected)
    shape = tuple(tensor.shape)
    if tensor.dtype != torch.float32:
        found = f"holds {str(tensor.dtype).removeprefix('torch.')} numbers"
        raise DataError(found, file=path, expected=expected, fix="save tensor.float()")
    if len(shape) != 2 or shape[1] != num_features or tensor.nbytes > MAX_BYTES:
        raise DataError(f"holds a tensor {shape}", file=path, expected=expected)
    if not shape[0]:
        raise DataError("is an empty utterance: it has no frame", file=path, fix=FIX)
    features: NDArray[np.float32] = tensor.detach().numpy()
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        frame = int(np.argmin(finite))
        value = features[frame][~np.isfinite(features[frame])][0]
        found = f"frame {frame:,} holds {value}"
        raise DataError(found, file=path, expected="finite numbers", fix=FIX)
    return features


def save_features(path: Path, features: NDArray[np.float32]) -> None:
    """Write features (t, d) as the course's files are: a tensor, by ``torch.save``."""
    torch.save(torch.from_numpy(features.copy()), path)  # a view would save the whole array


def _load(path: Path, expected: str) -> torch.Tensor:
    """Return the tensor in a file."""
    try:
        num_bytes = path.stat().st_size
        if num_bytes > MAX_BYTES:
            raise DataError(f"has {size(num_bytes)}", file=path, expected=expected, fix=FIX)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        found = "is missing; the split names it"
        fix = "copy it, or take its name out of the split"
        raise DataError(found, file=path, fix=fix) from error
    except DataError:
        raise
    except Exception as error:  # what a damaged pickle raises is of many kinds
        reason = str(error).partition("\n")[0][:120]
        found = f"cannot be read as a tensor ({type(error).__name__}: {reason})"
        raise DataError(found, file=path, expected=expected, fix=FIX) from error
    if not isinstance(loaded, torch.Tensor) or loaded.layout != torch.strided:
        found = f"holds a {type(loaded).__name__}, not a plain tensor"
        raise DataError(found, file=path, expected=expected)
    return loaded
