"""The file handed in: ``id,class``; id = 5 * task + place in the query, one row a query image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.tables import submission_table, write_table
from mlspring.homeworks.hw15_meta.spec import SPEC

HEADER = ("id", "class")
NUM_WAYS = 5


def write(path: Path, ids: Sequence[str], values: NDArray[np.int64]) -> None:
    """Write one class for every id, whole or not at all."""
    write_table(path, HEADER, ([i, str(v)] for i, v in zip(ids, values.tolist(), strict=True)))


def read(path: Path, ids: Sequence[str]) -> NDArray[np.int64]:
    """Return the classes in the order of ``ids``: int64 (n,), places in the task's support.

    Raises:
        SubmissionError: wrong header, a missing, doubled or unknown id, or a class that is no
            integer 0..4; names the row.
    """
    table = submission_table(path, header=HEADER, ids=ids, limits=SPEC.limits)
    return table.integers(1, 0, NUM_WAYS - 1)
