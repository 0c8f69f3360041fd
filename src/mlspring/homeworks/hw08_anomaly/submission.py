"""The file handed in: a table ``ID,score``, one finite number for each test picture.

The larger a score, the less its picture is like the training; only the order of scores counts.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.tables import submission_table, write_table
from mlspring.core.texts import count
from mlspring.homeworks.hw08_anomaly.spec import SPEC

HEADER = ("ID", "score")
Values = NDArray[np.float64]


def write(path: Path, ids: Sequence[str], values: Values) -> None:
    """Write one score for every id with all its digits, whole or not at all."""
    rows = ([name, repr(value)] for name, value in zip(ids, values.tolist(), strict=True))
    write_table(path, HEADER, rows)


def read(path: Path, ids: Sequence[str]) -> Values:
    """Return the scores in the order of ``ids``, whatever the order of the rows: float64 (n,).

    Raises:
        SubmissionError: wrong header, a missing, doubled or unknown id, or a score that is no
            finite number; names the row.
    """
    return submission_table(path, header=HEADER, ids=ids, limits=SPEC.limits).floats([1])[:, 0]


def describe(values: Values) -> str:
    """Return what a submission holds, as words; ties cost area, so they are told."""
    tied = len(values) - len(np.unique(values))
    said = count(len(values), "score")
    return f"{said}, {tied:,} of them equal to another" if tied else said
