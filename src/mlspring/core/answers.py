"""What only the judge may see: the right values, and which part of the board each belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.score import Score
from mlspring.core.tables import Table, read_table

USAGES = ("Public", "Private")
MAX_BYTES, MAX_ROWS = 100_000_000, 2_000_000


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A table ``id,value,Usage`` in the order of the test rows.

    Args:
        ids: what a submission must name, in order.
        table: column 1 holds the values as text; ``floats`` and ``integers`` convert.
        is_public: which rows count on the public board, bool (n,); the others are private.
    """

    ids: list[str]
    table: Table
    is_public: NDArray[np.bool_]

    def mean_score(self, per_row: NDArray[Any], **details: float) -> Score:
        """Return the mean of what each row is worth, (n,), on each part of the board."""
        return Score(
            public=float(per_row[self.is_public].mean()),
            private=float(per_row[~self.is_public].mean()),
            details=details,
        )


def read_answers(path: Path, header: Sequence[str]) -> Answers:
    """Return the answers in ``path``, whose header is the submission's with ``Usage`` appended.

    Raises:
        DataError: no such table, an id twice, a Usage other than Public and Private, or a part of
            the board without rows.
    """
    table = read_table(path, header=[*header, "Usage"], max_bytes=MAX_BYTES, max_rows=MAX_ROWS)
    ids, usages = table.strings(0), table.strings(2)
    seen: set[str] = set()
    for line, number, usage in zip(table.lines, ids, usages, strict=True):
        if number in seen:
            raise DataError(f"id {number!r} stands twice", file=path, row=line)
        if usage not in USAGES:
            expected = "Public or Private"
            raise DataError(f"Usage is {usage!r}", file=path, row=line, expected=expected)
        seen.add(number)
    is_public = np.array([usage == "Public" for usage in usages])
    if is_public.all() or not is_public.any():
        raise DataError("one part of the board has no rows", file=path, expected="rows of both")
    return Answers(ids=ids, table=table, is_public=is_public)
