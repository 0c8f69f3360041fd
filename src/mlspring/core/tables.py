"""Tables read with bounds and row-level errors, written whole or not at all.

Row numbers are line numbers of the file, as an editor shows them: the header is row 1.
"""

import csv
import difflib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError, InternalError, SubmissionError, UserError
from mlspring.core.files import write_text
from mlspring.core.spec import Limits
from mlspring.core.texts import count, read_text


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text under a checked header; the methods turn columns into arrays.

    Columns are counted from 0, because names may repeat (they do in hw01).

    Args:
        path: the file it was read from.
        header: column names, exactly as expected.
        rows: the cells, one list of ``len(header)`` strings a row.
        lines: the file's line number of each row.
        error: the class of errors about this file.
    """

    path: Path
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    error: type[UserError] = DataError

    def strings(self, column: int) -> list[str]:
        """Return one column as it stands in the file."""
        return [row[column] for row in self.rows]

    def floats(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Return finite numbers, shape (rows, len(columns)).

        Raises:
            UserError: a cell is empty, text, NaN or infinite; names row, column and cell.
        """
        cells = [[row[column] for column in columns] for row in self.rows]
        try:
            values = np.array(cells, dtype=np.float64).reshape(len(cells), len(columns))
        except ValueError:
            values = np.full((1, 1), np.nan)
        # Python reads 1_000 and the digits of other scripts as numbers; no spreadsheet does.
        together = "".join(chain.from_iterable(cells))
        if np.isfinite(values).all() and "_" not in together and together.isascii():
            return values
        for line, row in zip(self.lines, cells, strict=True):
            for column, cell in zip(columns, row, strict=True):
                if not _is_finite_number(cell):
                    raise self._bad_cell(line, column, cell, "a finite number")
        raise InternalError("a number was refused without a reason", file=self.path)

    def integers(self, column: int, low: int, high: int) -> NDArray[np.int64]:
        """Return one column of whole numbers from ``low`` to ``high``, both included; (rows,).

        Raises:
            UserError: a cell is no whole number or out of range; names row, column and cell.
        """
        values = []
        for line, row in zip(self.lines, self.rows, strict=True):
            cell = row[column].strip()
            digits = cell[1:] if cell[:1] in ("+", "-") else cell
            # The length keeps a million digits from becoming a number.
            plain = digits.isascii() and digits.isdigit() and len(digits) <= 18
            if not plain or not low <= int(cell) <= high:
                wanted = f"a whole number from {low} to {high}"
                raise self._bad_cell(line, column, row[column], wanted)
            values.append(int(cell))
        return np.array(values, dtype=np.int64)

    def names(
        self, column: int, longest: int, known: Sequence[str] | None, expected: str
    ) -> list[str]:
        """Return one column of names, blanks around them taken off.

        Args:
            column: which.
            longest: characters of a name at most.
            known: the names that may stand there; None: any.
            expected: what a name is, for messages.

        Raises:
            UserError: a cell is empty, too long or not known; names row, column and cell.
        """
        allowed = None if known is None else set(known)
        names = []
        for line, row in zip(self.lines, self.rows, strict=True):
            name = row[column].strip()
            if not 1 <= len(name) <= longest or (allowed is not None and name not in allowed):
                near = difflib.get_close_matches(name[:longest], known or (), n=1, cutoff=0.6)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise self._bad_cell(line, column, row[column], f"{expected}{hint}")
            names.append(name)
        return names

    def texts(self, column: int, longest: int, expected: str) -> list[str]:
        """Return one column of free text: line ends as LF, no commas, no blanks at the ends.

        Args:
            column: which.
            longest: characters of a text at most.
            expected: what a text is, for messages.

        Raises:
            UserError: a cell is too long; names row, column and cell.
        """
        texts = []
        for line, row in zip(self.lines, self.rows, strict=True):
            text = row[column].replace("\r\n", "\n").replace("\r", "\n").replace(",", "").strip()
            if len(text) > longest:
                found = f"{expected}, at most {longest:,} characters; this has {len(text):,}"
                raise self._bad_cell(line, column, row[column], found)
            texts.append(text)
        return texts

    def _bad_cell(self, line: int, column: int, cell: str, expected: str) -> UserError:
        found = f"column {column + 1} {self.header[column]!r} is {_short(cell)}"
        return self.error(found, file=self.path, row=line, expected=expected)


def read_table(
    path: Path,
    *,
    header: Sequence[str],
    max_bytes: int,
    max_rows: int,
    error: type[UserError] = DataError,
) -> Table:
    """Return a comma-separated table whose first row is exactly ``header``.

    A byte order mark, CRLF and quoted cells are accepted, blank lines are passed over.

    Raises:
        UserError: of class ``error``; the file is missing, too large or no text, the header
            differs, a row has too few or too many cells, or there is no row at all.
    """
    text = read_text(path, max_bytes=max_bytes, error=error)
    # Only LF, CRLF and CR end a line here; str.splitlines would also break at U+2028.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for cells in reader:
            if line == 1:
                _check_header(path, cells, header, error)
            elif not cells or cells == [""]:
                pass  # csv on Windows writes one between rows; the row numbers stay the file's
            elif len(cells) != len(header):
                found = f"has {count(len(cells), 'cell')}"
                raise error(found, file=path, row=line, expected=f"{len(header)}, as the header")
            elif len(rows) == max_rows:
                found = f"has more than {max_rows:,} rows"
                raise error(found, file=path, row=line, expected=f"at most {max_rows:,}")
            else:
                rows.append(cells)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as problem:
        fix = "look for a quotation mark that is never closed"
        raise error(f"is no csv ({problem})", file=path, row=line, fix=fix) from problem
    if not rows:
        raise error("has a header and no rows", file=path)
    return Table(path=path, header=tuple(header), rows=rows, lines=lines, error=error)


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a comma-separated table with LF line ends, whole or not at all."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, stream.getvalue())


def submission_table(
    path: Path, *, header: tuple[str, str], ids: Sequence[str], limits: Limits
) -> Table:
    """Return a submission of two columns, id and value, its rows in the order of ``ids``.

    ``floats([1])`` or ``integers(1, low, high)`` of the result reject a bad value with its row.

    Raises:
        SubmissionError: no such table, an id twice, an unknown id (names the nearest), missing
            ids (how many, and the first), too many rows.
    """
    table = read_table(
        path,
        header=header,
        max_bytes=limits.max_bytes,
        max_rows=limits.max_rows,
        error=SubmissionError,
    )
    place = {known: index for index, known in enumerate(ids)}
    order: list[int | None] = [None] * len(ids)
    for index, (line, (given, _)) in enumerate(zip(table.lines, table.rows, strict=True)):
        if given not in place:
            found = f"unknown {header[0]} {_short(given)}"
            raise SubmissionError(found, file=path, row=line, fix=_nearest_id(given, ids))
        earlier = order[place[given]]
        if earlier is not None:
            found = f"{header[0]} {_short(given)} stands in row {table.lines[earlier]} already"
            raise SubmissionError(found, file=path, row=line, expected="each id once")
        order[place[given]] = index
    missing = [known for known, index in zip(ids, order, strict=True) if index is None]
    if missing:
        found = f"lacks {count(len(missing), 'row')}, the first is {header[0]} {missing[0]!r}"
        raise SubmissionError(found, file=path, expected=f"{count(len(ids), 'row')}, one an id")
    kept = [index for index in order if index is not None]
    return replace(table, rows=[table.rows[i] for i in kept], lines=[table.lines[i] for i in kept])


def _check_header(
    path: Path, found: Sequence[str], expected: Sequence[str], error: type[UserError]
) -> None:
    """Raise ``error`` that names the first column that differs and says where."""
    if list(found) == list(expected):
        return
    wanted = f"the header {_short(','.join(expected), 60)}"
    if len(found) == 1 and len(expected) > 1:
        for mark, name in ((";", "semicolons"), ("\t", "tabs")):
            if mark in found[0]:
                raise error(f"cells are separated by {name}", file=path, row=1, expected="commas")
    if not any(_same_name(cell, name) for cell in found for name in expected):
        shown = _short(",".join(found), 60)
        raise error(f"the header is missing, found {shown}", file=path, row=1, expected=wanted)
    if Counter(found) == Counter(expected):
        place = next(i for i, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b)
        what = f"the columns stand in another order: column {place + 1} is {_short(found[place])}"
        raise error(what, file=path, row=1, expected=repr(expected[place]))
    kind, i, i_end, j, j_end = _first_change(found, expected)
    columns = f"{count(len(expected), 'column')}; found {len(found)}"
    if kind == "insert":
        what = f"column {j + 1} {expected[j]!r} is missing"
    elif kind == "delete":
        what = f"column {i + 1} {_short(found[i])} is one too many"
        others = [k + 1 for k, name in enumerate(found) if name == found[i] and k != i]
        if others and found.count(found[i]) > expected.count(found[i]):
            what += f", column {others[-1]} is called so too"
    elif i_end - i < j_end - j and not _same_name(found[i], expected[j]):
        what = f"column {j + 1} {expected[j]!r} is missing"
    else:
        what, columns = f"column {i + 1} is {_short(found[i])}", repr(expected[j])
        if found[i].startswith(f"{expected[j]}."):
            fix = "pandas numbers repeated names when it reads; keep the header as it was"
            raise error(what, file=path, row=1, expected=columns, fix=fix)
    raise error(what, file=path, row=1, expected=columns)


def _first_change(found: Sequence[str], expected: Sequence[str]) -> tuple[str, int, int, int, int]:
    """Return the first edit that leads from ``found`` to ``expected``, as difflib writes one."""
    pairs = list(zip(found, expected, strict=False))
    differing = [place for place, (cell, name) in enumerate(pairs) if cell != name]
    if len(found) == len(expected) and len(differing) == 1:
        place = differing[0]  # among repeated names a diff could blame another column
        return "replace", place, place + 1, place, place + 1
    changes = difflib.SequenceMatcher(None, found, expected, autojunk=False).get_opcodes()
    return next(change for change in changes if change[0] != "equal")


def _same_name(found: str, expected: str) -> bool:
    """Return whether the names differ in case, spaces or a number of pandas only."""
    plain = found.strip().lower()
    return plain == expected.lower() or plain.rpartition(".")[0] == expected.lower()


def _nearest_id(given: str, ids: Sequence[str]) -> str | None:
    """Return a hint at the id that was probably meant."""
    given = given.strip()[:64]
    stem = given.partition(".")[0]
    number = int(stem) if stem.isdecimal() else -1
    for known in ids:
        if known in (given, stem):
            return f"did you mean {known!r}?"
        if known.isdecimal() and int(known) == number:
            return f"did you mean {known!r}? Ids are text and keep their leading zeros"
    near = [] if number >= 0 else difflib.get_close_matches(given, ids, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else ""
    return f"{hint} Ids run from {ids[0]!r} to {ids[-1]!r}".strip() if ids else None


def _is_finite_number(cell: str) -> bool:
    try:
        return "_" not in cell and cell.isascii() and bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _short(cell: str, length: int = 40) -> str:
    """Return a cell in quotes, cut where it is long; ``empty`` where there is nothing."""
    if not cell:
        return "empty"
    return repr(cell if len(cell) <= length else cell[: length - 3] + "...")
