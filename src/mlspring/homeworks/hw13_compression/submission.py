"""The file handed in: the course's ``submission.csv`` and the student's weights, in one archive.

    submission.zip
        submission.csv          Id,Category; ids as four-digit strings, one row a test picture
        student.safetensors     one file a network; an ensemble's parameters are added up
        student.onnx            instead, for a network that is not one of ours

The metadata of a safetensors file name its network: ``{"metadata": '{"architecture": "plain",
"channels": [32, 32, 64, 100]}'}``. The judge compares names and shapes with that description and
counts; of an ONNX file it counts the numbers that it holds. Nothing is built, run or unpickled, and
torch is not needed.
"""

import json
import math
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
from numpy.typing import NDArray

from mlspring.core.archives import extract
from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.files import atomic_path
from mlspring.core.tables import submission_table, write_table
from mlspring.core.texts import at_most, count, read_bytes, size
from mlspring.homeworks.hw13_compression.architecture import (
    MAX_PARAMETERS,
    NUM_CLASSES,
    Architecture,
    is_weight,
)
from mlspring.homeworks.hw13_compression.onnx_file import Stored, over_budget, read_network
from mlspring.homeworks.hw13_compression.spec import SPEC

HEADER = ("Id", "Category")
TABLE, SUFFIX, ONNX = "submission.csv", ".safetensors", ".onnx"
MAX_FILES = 64
MAX_UNPACKED_BYTES = 4 * SPEC.limits.max_bytes
EXPONENT = {"F16": (np.uint16, 0x7C00), "BF16": (np.uint16, 0x7F80), "F32": (np.uint32, 0x7F800000)}
EXAMPLE = '{"architecture": "plain", "channels": [32, 32, 64, 100]}'


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a run hands in.

    Args:
        categories: the class of every test picture, int64 (n,).
        weights: the networks that they come from, safetensors files.
    """

    categories: NDArray[np.int64]
    weights: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """What the judge finds in a submission.

    Args:
        categories: int64 (n,), in the order of the ids.
        num_parameters: of all its networks together.
    """

    categories: NDArray[np.int64]
    num_parameters: int


def write(path: Path, ids: Sequence[str], values: Prediction) -> None:
    """Write the archive, whole or not at all; equal content gives equal bytes."""
    categories = values.categories.tolist()
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / TABLE
        write_table(table, HEADER, ([i, str(v)] for i, v in zip(ids, categories, strict=True)))
        with atomic_path(path) as partial, zipfile.ZipFile(partial, "w") as archive:
            for file in (table, *values.weights):
                entry = zipfile.ZipInfo(file.name)  # without the time of day
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, file.read_bytes())


def read(path: Path, ids: Sequence[str]) -> HandedIn:
    """Return the categories in the order of ``ids`` and the number of parameters.

    Raises:
        SubmissionError: no such archive, a bad row of the table (names it), weights that are
            damaged, not finite or of no known network, or more than 100,000 parameters.
    """
    with tempfile.TemporaryDirectory() as scratch:
        table, *weights = _unpack(path, Path(scratch) / "files")
        categories = _categories(table, path, ids)
        theirs = [_in_onnx(f, path / f.name) for f in weights if f.suffix == ONNX]
        num_parameters = sum(stored.num_parameters for stored in theirs)
        num_parameters += sum(
            _num_parameters(f, path / f.name) for f in weights if f.suffix != ONNX
        )
    if num_parameters > MAX_PARAMETERS:
        raise SubmissionError(
            f"has {num_parameters:,} parameters in {count(len(weights), 'network')}",
            file=path,
            expected=f"at most {MAX_PARAMETERS:,} over all its networks",
            fix="hand in a smaller student",
        )
    if found := over_budget(theirs):
        fix = "hand in a network of fewer nodes, or of shorter names"
        raise SubmissionError(found, file=path, fix=fix)
    return HandedIn(categories=categories, num_parameters=num_parameters)


def _unpack(path: Path, to: Path) -> list[Path]:
    """Return the unpacked table, then the files of weights."""
    limit = SPEC.limits.max_bytes
    if path.is_file() and path.stat().st_size > limit:
        found = f"has {size(path.stat().st_size)}"
        raise SubmissionError(found, file=path, expected=at_most(limit))
    try:
        files = extract(path, to, max_bytes=MAX_UNPACKED_BYTES, max_files=MAX_FILES)
    except DataError as error:
        expected = error.expected or f"an archive of {TABLE} and weights (*{SUFFIX}, *{ONNX})"
        raise SubmissionError(error.found, file=path, expected=expected) from error
    tables = [file for file in files if file.name == TABLE]
    weights = [file for file in files if file.suffix in (SUFFIX, ONNX)]
    for file in files:
        if file not in tables and file not in weights:
            expected = f"only {TABLE}, *{SUFFIX} and *{ONNX}"
            raise SubmissionError("has no place here", file=path / file.name, expected=expected)
    if len(tables) != 1:
        raise SubmissionError(f"holds {count(len(tables), TABLE)}", file=path, expected="one")
    if not weights:
        expected = f"the student as *{SUFFIX} or *{ONNX}"
        raise SubmissionError("holds no weights", file=path, expected=expected)
    return [*tables, *weights]


def _categories(table: Path, path: Path, ids: Sequence[str]) -> NDArray[np.int64]:
    try:
        rows = submission_table(table, header=HEADER, ids=ids, limits=SPEC.limits)
        return rows.integers(1, 0, NUM_CLASSES - 1)
    except SubmissionError as error:  # which names the unpacked file, gone in a moment
        raise SubmissionError(
            error.found,
            file=path / TABLE,
            row=error.row,
            expected=error.expected,
            fix=error.fix,
        ) from error


def _num_parameters(file: Path, shown: Path) -> int:
    """Return the parameters of one network after every check of its weights."""
    try:
        with safetensors.safe_open(file, framework="np") as stream:
            metadata = stream.metadata() or {}
        tensors = dict(safetensors.deserialize(read_bytes(file, max_bytes=MAX_UNPACKED_BYTES)))
    except (DataError, safetensors.SafetensorError, OSError) as error:
        told = str(error).replace(str(file), file.name)[:200]  # it may repeat what the file says
        found = f"cannot be read as safetensors ({told})"
        raise SubmissionError(found, file=shown, fix="write it again, whole") from error
    architecture = _architecture(metadata.get("metadata", ""), shown)
    _check_names(set(tensors), architecture, shown)
    for name, shape in architecture.shapes.items():
        if tuple(tensors[name]["shape"]) != shape:
            found = f"{name} has shape {tuple(tensors[name]['shape'])}"
            expected = f"{shape} for {architecture.name} {list(architecture.channels)}"
            raise SubmissionError(found, file=shown, expected=expected)
        _check_values(name, tensors[name]["dtype"], tensors[name]["data"], shown)
    return sum(math.prod(s) for name, s in architecture.shapes.items() if is_weight(name))


def _in_onnx(file: Path, shown: Path) -> Stored:
    try:
        return read_network(read_bytes(file, max_bytes=MAX_UNPACKED_BYTES))
    except DataError as error:  # which names the unpacked file
        raise SubmissionError(error.found, file=shown, expected="an ONNX file") from error
    except ValueError as error:
        fix = "torch.onnx.export(model.eval(), images, 'student.onnx', external_data=False)"
        raise SubmissionError(str(error), file=shown, fix=fix) from error


def _architecture(facts: str, shown: Path) -> Architecture:
    fix = f"save_file(..., metadata={{'metadata': '{EXAMPLE}'}})"
    try:
        told = json.loads(facts)
        name, channels = told["architecture"], told["channels"]
        whole = isinstance(channels, list) and all(type(c) is int for c in channels)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        found = "does not say which network it is"
        raise SubmissionError(found, file=shown, expected="metadata", fix=fix) from error
    if not whole:
        raise SubmissionError("channels are no whole numbers", file=shown, fix=fix)
    try:
        return Architecture(name=name, channels=tuple(channels))
    except ValueError as error:
        raise SubmissionError(str(error), file=shown, fix=fix) from error


def _check_names(names: set[str], architecture: Architecture, shown: Path) -> None:
    for name in architecture.shapes:
        if name not in names:
            raise SubmissionError(f"lacks the tensor {name}", file=shown)
    if extra := sorted(names - set(architecture.shapes)):
        expected = f"the tensors of {architecture.name} only"
        raise SubmissionError(f"has a tensor {extra[0][:80]!r}", file=shown, expected=expected)


def _check_values(name: str, dtype: str, data: bytes, shown: Path) -> None:
    """Raise unless the numbers are floats of 32 or 16 bits, all finite; or batch norm's count."""
    if name.endswith("num_batches_tracked"):
        return
    if dtype not in EXPONENT:
        expected = ", ".join(EXPONENT)
        raise SubmissionError(f"{name} is {dtype}", file=shown, expected=expected)
    kind, mask = EXPONENT[dtype]
    bits = np.frombuffer(data, dtype=np.dtype(kind).newbyteorder("<"))
    num_bad = int(np.count_nonzero((bits & mask) == mask))
    if num_bad:
        found = f"{name} holds {count(num_bad, 'value')} that are NaN or infinite"
        raise SubmissionError(found, file=shown, expected="finite weights")
