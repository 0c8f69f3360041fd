"""The file handed in: ``id,label``, ids counted from 0 without padding, one row a drawing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.tables import submission_table, write_table
from mlspring.homeworks.hw11_adaptation.spec import SPEC

HEADER = ("id", "label")
MAX_CLASSES = 1000  # of any pair of domains; the course's has 10


def write(path: Path, ids: Sequence[str], values: NDArray[np.int64]) -> None:
    """Write one label for every id, whole or not at all."""
    write_table(path, HEADER, ([i, str(v)] for i, v in zip(ids, values.tolist(), strict=True)))


def read(path: Path, ids: Sequence[str], num_classes: int = MAX_CLASSES) -> NDArray[np.int64]:
    """Return the labels in the order of ``ids``: int64 (n,).

    Where the classes are not told, any label that some pair of domains may have is in the format:
    ``data.count_classes`` tells them to whoever has the data, the answers to the scorer.

    Raises:
        SubmissionError: wrong header, a missing, doubled or unknown id, or a label that is no
            integer 0 .. num_classes - 1; names the row.
    """
    table = submission_table(path, header=HEADER, ids=ids, limits=SPEC.limits)
    return table.integers(1, 0, num_classes - 1)
