"""The file handed in: the student's weights, which the judge runs, and the course's table.

    submission.zip
        student.safetensors     the network; the judge computes the classes with it
        submission.csv          Id,Category, as the course's own board takes it; not read here

The metadata of the weights name the network: ``{"metadata": '{"architecture": "plain", "channels":
[32, 32, 64, 100]}'}``. Here names, types and shapes of the tensors are compared with it and their
numbers counted; nothing is built, run or unpickled, and torch is not needed.
"""

import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray

from mlspring.core.archives import extract
from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.files import atomic_path
from mlspring.core.tables import write_table
from mlspring.core.texts import count
from mlspring.homeworks.hw13_compression.architecture import MAX_PARAMETERS, Architecture
from mlspring.homeworks.hw13_compression.spec import SPEC

TABLE, WEIGHTS, SUFFIX = "submission.csv", "student.safetensors", ".safetensors"
MAX_FILES = 8
MAX_UNPACKED_BYTES = 2 * SPEC.limits.max_bytes
DTYPES = ("F16", "BF16", "F32")
EXAMPLE = '{"architecture": "plain", "channels": [32, 32, 64, 100]}'
SAVE_IT = f"save_file(model.state_dict(), {WEIGHTS!r}, metadata={{'metadata': '{EXAMPLE}'}})"


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a run hands in: the class of every test picture, and the file of the network."""

    categories: NDArray[np.int64]  # (n,)
    weights: Path


@dataclass(frozen=True, kw_only=True)
class Student:
    """A network that was handed in: what it says it is, which its tensors' shapes confirm."""

    architecture: Architecture
    weights: bytes  # the safetensors file
    file: Path  # where it was, for messages


def write(path: Path, ids: Sequence[str], values: Prediction) -> None:
    """Write the archive, whole or not at all; equal content gives equal bytes."""
    categories = values.categories.tolist()
    rows = ([i, str(v)] for i, v in zip(ids, categories, strict=True))
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / TABLE
        write_table(table, ("Id", "Category"), rows)
        with atomic_path(path) as partial, zipfile.ZipFile(partial, "w") as archive:
            for name, file in ((TABLE, table), (WEIGHTS, values.weights)):
                entry = zipfile.ZipInfo(name)  # without the time of day
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, file.read_bytes())


def read(path: Path, ids: Sequence[str]) -> Student:
    """Return the student; ``ids`` play no part, since the judge shows it the test pictures itself.

    Raises:
        SubmissionError: no such archive, weights that are damaged or of no known network, or more
            than 100,000 parameters.
    """
    with tempfile.TemporaryDirectory() as scratch:
        file = _unpack(path, Path(scratch) / "files")
        content = file.read_bytes()  # bounded when it was unpacked
    shown = path / file.name
    tensors, metadata = _header(content, shown)
    architecture = _architecture(metadata, shown)
    _check(tensors, architecture, shown)
    if (num_parameters := architecture.num_parameters) > MAX_PARAMETERS:
        found, expected = f"has {num_parameters:,} parameters", f"at most {MAX_PARAMETERS:,}"
        raise SubmissionError(found, file=path, expected=expected, fix="hand in a smaller student")
    return Student(architecture=architecture, weights=content, file=shown)


def describe(values: Student) -> str:
    """Return what a submission holds, as words."""
    architecture = values.architecture
    return f"a student ({architecture.name}) of {architecture.num_parameters:,} parameters"


def _unpack(path: Path, to: Path) -> Path:
    """Return the file of weights, unpacked."""
    try:
        files = extract(path, to, max_bytes=MAX_UNPACKED_BYTES, max_files=MAX_FILES)
    except DataError as error:
        expected = error.expected or f"an archive of {WEIGHTS} and {TABLE}"
        raise SubmissionError(error.found, file=path, expected=expected) from error
    weights = [file for file in files if file.suffix == SUFFIX]
    for file in files:
        if file not in weights and file.name != TABLE:
            expected = f"only {WEIGHTS} and {TABLE}"
            raise SubmissionError("cannot be handed in", file=path / file.name, expected=expected)
    if len(weights) != 1:
        found = f"holds {count(len(weights), 'network')}"
        raise SubmissionError(found, file=path, expected=f"one, as {WEIGHTS}")
    return weights[0]


def _header(content: bytes, shown: Path) -> tuple[dict[str, Any], str]:
    """Return the tensors by name, each with ``dtype`` and ``shape``, and the file's metadata.

    Files of an earlier version call them ``facts``.
    """
    try:
        tensors = dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]  # has none
        size = int.from_bytes(content[:8], "little")
        told = json.loads(content[8 : 8 + size]).get("__metadata__") or {}
    except (safetensors.SafetensorError, ValueError, RecursionError) as error:
        found = f"cannot be read as safetensors ({str(error)[:120]})"
        raise SubmissionError(found, file=shown, fix="write it again, whole") from error
    return tensors, told.get("metadata", told.get("facts", ""))


def _architecture(metadata: str, shown: Path) -> Architecture:
    try:
        told = json.loads(metadata)
        name, channels = told["architecture"], tuple(told["channels"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        found = "does not say which network it is"
        raise SubmissionError(found, file=shown, expected="metadata", fix=SAVE_IT) from error
    try:
        return Architecture(name=name, channels=channels)
    except ValueError as error:
        raise SubmissionError(str(error), file=shown, fix=SAVE_IT) from error


def _check(tensors: dict[str, Any], architecture: Architecture, shown: Path) -> None:
    """Raise unless the tensors are those of the network, of 16 or 32 bits."""
    shapes = {name: tuple(tensor["shape"]) for name, tensor in tensors.items()}
    if wrong := architecture.difference(shapes):
        raise SubmissionError(wrong, file=shown, fix=SAVE_IT)
    for name, tensor in tensors.items():
        dtypes = ("I64",) if name.endswith("num_batches_tracked") else DTYPES
        if tensor["dtype"] not in dtypes:
            found, expected = f"{name} is {tensor['dtype']}", ", ".join(dtypes)
            raise SubmissionError(found, file=shown, expected=expected)
