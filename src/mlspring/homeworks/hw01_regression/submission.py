"""The file handed in: ``id,tested_positive``, one row a test row, percentages."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import SubmissionError
from mlspring.core.tables import submission_table, write_table
from mlspring.homeworks.hw01_regression.spec import SPEC

HEADER = ("id", "tested_positive")
LARGEST = 1e6  # its square still is a number that a board can show


def write(path: Path, ids: Sequence[str], values: NDArray[np.float64]) -> None:
    """Write one percentage for every id, whole or not at all."""
    write_table(path, HEADER, ([i, repr(v)] for i, v in zip(ids, values.tolist(), strict=True)))


def read(path: Path, ids: Sequence[str]) -> NDArray[np.float64]:
    """Return the percentages in the order of ``ids``: float64 (n,).

    Raises:
        SubmissionError: wrong header, a missing, doubled or unknown id, or a value that is no
            finite number or absurdly large; names the row.
    """
    table = submission_table(path, header=HEADER, ids=ids, limits=SPEC.limits)
    values = table.floats([1])[:, 0]
    if (np.abs(values) > LARGEST).any():
        row = int(np.argmax(np.abs(values) > LARGEST))
        found = f"column 2 'tested_positive' is {values[row]:g}"
        expected = f"a percentage, at most {LARGEST:,.0f} in size"
        raise SubmissionError(found, file=path, row=table.lines[row], expected=expected)
    return values
