"""Checkpoints that others saved with torch: read as tensors, nothing in them is executed."""

import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from mlspring.core.errors import DataError

# What torch's own unpickler raises where a file ends early or some of its bytes have changed.
DAMAGE = (
    *(OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError),
    *(AssertionError, OverflowError, MemoryError, struct.error, zipfile.BadZipFile),
)


def read_state_dict(
    file: Path, *, expected: str, fetch: str, inside: str = ""
) -> dict[str, Tensor]:
    """Return the tensors of a file that ``torch.save(model.state_dict(), file)`` wrote, on the CPU.

    Args:
        file: of any origin; what holds more than tensors is refused, since reading it would execute
            what it says.
        expected: in messages, what the file should be.
        fetch: in messages, the command that gets it again.
        inside: key of the state_dict where the file may hold a dictionary around it.

    Raises:
        DataError: no state_dict of tensors, damaged, or with numbers that are not finite.
    """
    again = f"fetch it again: {fetch}"
    save_it = f"save it as a state_dict: torch.save(model.state_dict(), {file.name!r})"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an unusual protocol: said again below, in a word
            state = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        with file.open("rb") as stream:
            whole = stream.read(1) in (b"P", b"\x80")  # a zip, or a pickle as torch once wrote
        kind = "holds Python objects beside tensors, e.g. a whole module, which are never unpickled"
        found, fix = (kind, save_it) if whole else ("is no checkpoint", again)
        raise DataError(found, file=file, expected=expected, fix=fix) from error
    except DAMAGE as error:
        found = "is damaged or cut short"
        raise DataError(found, file=file, expected=expected, fix=again) from error
    if isinstance(state, dict) and isinstance(state.get(inside), dict):
        state = state[inside]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise DataError("is no state_dict", file=file, expected=expected, fix=save_it)
    for name, tensor in state.items():
        if not tensor.isfinite().all():
            found = f"{str(name)[:80]!r} holds values that are NaN or infinite"
            raise DataError(found, file=file, expected="finite weights", fix=again)
    return {str(name): tensor for name, tensor in state.items()}
