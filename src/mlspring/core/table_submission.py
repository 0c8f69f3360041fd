"""Submissions that are a table ``id,value``: written, read and scored by what the spec declares.

A homework of this kind has no ``submission.py`` and no ``score.py``; its spec says

    table=TableFormat(header=("Id", "Category"), values=Classes(11), metric="accuracy")
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.answers import Answers, read_answers
from mlspring.core.errors import SubmissionError
from mlspring.core.score import Score
from mlspring.core.spec import Classes, Names, Numbers, Spec, TableFormat, Texts
from mlspring.core.tables import Table, submission_table, write_table

MAX_CLASSES = 1000  # where the data say how many there are
MAX_NAME = 200  # characters
Values = NDArray[Any]


@dataclass(frozen=True)
class TableSubmission:
    """The parts ``submission`` and ``score`` of a homework whose spec declares a table."""

    spec: Spec

    @property
    def format(self) -> TableFormat:
        """The declared table."""
        assert self.spec.table is not None
        return self.spec.table

    def write(self, path: Path, ids: Sequence[str], values: Values) -> None:
        """Write one value for every id, whole or not at all; numbers with all their digits."""
        show: Callable[[Any], str] = repr
        if isinstance(self.format.values, Names):
            show = str
        elif isinstance(self.format.values, Texts):
            show = _without_commas
        rows = ([i, show(v)] for i, v in zip(ids, values.tolist(), strict=True))
        write_table(path, self.format.header, rows)

    def read(
        self, path: Path, ids: Sequence[str], known: int | Sequence[str] | None = None
    ) -> Values:
        """Return the values in the order of ``ids``, (n,): int64 classes, float64, names or texts.

        Args:
            path: the learner's file.
            ids: what the file must name, in any order.
            known: where the spec leaves them open: how many classes the data have, or their names.

        Raises:
            SubmissionError: wrong header, a missing, doubled or unknown id, or a value that is no
                class, no name, no text or no number of the declared size; names the row.
        """
        table = submission_table(path, header=self.format.header, ids=ids, limits=self.spec.limits)
        return self._values(table, known)

    def read_answers(self, path: Path) -> Answers:
        """Return what only the judge may see; ``ids`` are what a submission must name.

        Raises:
            DataError: no table with the submission's header and ``Usage``.
        """
        return read_answers(path, header=self.format.header)

    def score(self, values: Values, answers: Answers) -> Score:
        """Return the metric of ``values``, in the order of ``answers.ids``, on both parts; pure.

        Raises:
            SubmissionError: a class that the answers do not have, or nothing but such names. (One
                name alone may be right: the answers need not hold every name of the training.)
        """
        truth = self._values(answers.table, None)
        if self.format.values == Classes(None):
            self._require_known(values, int(truth.max()), answers.ids)
        if isinstance(self.format.values, Names) and not np.isin(values, truth).any():
            found = f"no {self.format.header[1]} is known; the first is {str(values[0])!r}"
            raise SubmissionError(found, expected=self.format.values.what)
        return answers.mean_score(METRICS[self.format.metric](values, truth))

    def _values(self, table: Table, known: int | Sequence[str] | None) -> Values:
        match self.format.values:
            case Classes(num):
                most = known if isinstance(known, int) else MAX_CLASSES
                return table.integers(1, 0, (num or most) - 1)
            case Names(what):
                names = None if known is None or isinstance(known, int) else known
                return np.array(table.names(1, MAX_NAME, names, what))
            case Texts(longest, what):
                return np.array(table.texts(1, longest, what))
            case Numbers(largest, unit):
                values = table.floats([1])[:, 0]
                if (too_large := np.abs(values) > largest).any():
                    row, name = int(np.argmax(too_large)), self.format.header[1]
                    raise table.error(
                        f"column 2 {name!r} is {values[row]:g}",
                        file=table.path,
                        row=table.lines[row],
                        expected=f"{unit}, at most {largest:,.0f} in size",
                    )
                return values

    def _require_known(self, values: Values, largest: int, ids: Sequence[str]) -> None:
        if (unknown := values > largest).any():
            row, (id_name, name) = int(np.argmax(unknown)), self.format.header
            raise SubmissionError(
                f"{name} of {id_name} {ids[row]!r} is {values[row]}",
                expected=f"a class from 0 to {largest}",
            )


def _without_commas(text: Any) -> str:
    return str(text).replace(",", "")


def _right(values: Values, truth: Values) -> NDArray[np.float64]:
    return (values == truth).astype(np.float64)


def _squared_error(values: Values, truth: Values) -> NDArray[np.float64]:
    squared: NDArray[np.float64] = (values - truth) ** 2
    return squared


# What a row is worth; the score of a part of the board is the mean over its rows.
METRICS: dict[str, Callable[[Values, Values], NDArray[np.float64]]] = {
    "accuracy": _right,
    "mean squared error": _squared_error,
}
