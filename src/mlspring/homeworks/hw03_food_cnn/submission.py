"""The file handed in: ``Id,Category``, ids as four-digit strings, one row a test picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.tables import submission_table, write_table
from mlspring.homeworks.hw03_food_cnn.spec import SPEC

HEADER = ("Id", "Category")
NUM_CATEGORIES = 11


def write(path: Path, ids: Sequence[str], values: NDArray[np.int64]) -> None:
    """Write one category for every id, whole or not at all."""
    write_table(path, HEADER, ([i, str(v)] for i, v in zip(ids, values.tolist(), strict=True)))


def read(path: Path, ids: Sequence[str]) -> NDArray[np.int64]:
    """Return the categories in the order of ``ids``: int64 (n,).

    Raises:
        SubmissionError: wrong header, a missing, doubled or unknown id, or a category that is no
            integer 0..10; names the row.
    """
    table = submission_table(path, header=HEADER, ids=ids, limits=SPEC.limits)
    return table.integers(1, 0, NUM_CATEGORIES - 1)
