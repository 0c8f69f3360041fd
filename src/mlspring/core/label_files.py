"""Where phones begin and end in a recording: label files as programs for phonetics write them.

NAME.TextGrid   Praat, and the Montreal Forced Aligner: the tier "phones", else the last one
NAME.txt        Audacity's label track: start, end, phone; seconds
NAME.lablaut    EMO-DB: a header up to "#", then start, a number, phone and marks; seconds
"""

import re
from collections.abc import Callable
from pathlib import Path

from mlspring.core.errors import DataError
from mlspring.core.texts import read_lines

MAX_BYTES, MAX_LINES = 20_000_000, 500_000
OVERLAP = 1e-3  # s that two phones may share: times are rounded
QUOTED = re.compile(r'^\s*(\w+) = (?:"(.*)"|([-\d.eE+]+))\s*$')  # of a TextGrid
MARKED = re.compile(r"([^\s+\-\[]*)")  # a phone before its marks, which begin with + - or [

Labelled = tuple[float, float, str, int]  # start and end in seconds, phone, row in the file


def read_labels(path: Path) -> list[Labelled]:
    """Return the phones of a label file, one after the other; there may be gaps.

    Raises:
        DataError: damaged, empty, or out of order.
    """
    phones = FORMATS[path.suffix](path)
    if not phones:
        fix = "remove it: without one the recording counts as one without phones"
        raise DataError("holds no phone", file=path, expected="at least one", fix=fix)
    behind = 0.0
    for start, end, phone, row in phones:
        if start < behind - OVERLAP or end < start:
            found = f"{phone!r} lasts from {start:g} to {end:g} s, after what ended at {behind:g} s"
            expected = "phones one after the other"
            raise DataError(found, file=path, row=row, expected=expected)
        behind = end
    return phones


def labels_beside(path: Path) -> Path | None:
    """Return the label file beside a recording, None where there is none.

    Raises:
        DataError: there are several.
    """
    there = [path.with_suffix(suffix) for suffix in FORMATS]
    there = [file for file in there if file.is_file()]
    if len(there) > 1:
        found = f"has {' and '.join(file.name for file in there)}"
        raise DataError(found, file=path, expected="one label file")
    return there[0] if there else None


def _columns(path: Path) -> list[Labelled]:
    """Return the rows of a label track; Audacity's rows of frequencies begin with a backslash."""
    phones = []
    for row, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("\\"):
            continue
        cells = (line.split("\t") if "\t" in line else line.split(None, 2)) + [""]
        if len(cells) < 3:
            raise DataError(f"is {line!r}", file=path, row=row, expected="start, end, phone")
        start, end = (_seconds(cell, path, row) for cell in cells[:2])
        phones.append((start, end, cells[2].strip(), row))
    return phones


def _textgrid(path: Path) -> list[Labelled]:
    """Return the intervals of the tier "phones", or of the last tier, of Praat's long format."""
    tiers: dict[str, list[Labelled]] = {}
    current: list[Labelled] = []
    values: dict[str, str] = {}
    for row, line in enumerate(_lines(path), 1):
        if not (match := QUOTED.match(line)):
            continue
        key, text, number = match.groups()
        values[key] = number if text is None else text
        if key == "name":
            current = tiers.setdefault(text.lower(), [])
        elif key == "text":
            start, end = (_seconds(values.get(k, ""), path, row) for k in ("xmin", "xmax"))
            current.append((start, end, text.strip(), row))
    if not tiers:
        expected = "Praat's text format: item [1]: .. intervals [1]: xmin = .."
        raise DataError("has no tier", file=path, expected=expected)
    return tiers.get("phones", list(tiers.values())[-1])


def _lablaut(path: Path) -> list[Labelled]:
    """Return the phones of EMO-DB: each row says where one begins; the last is given a second.

    Marks behind a phone are cut off; marks alone, such as +sth, are a phone without a name.
    """
    lines = _lines(path)
    header = next((row for row, line in enumerate(lines) if line.strip() == "#"), None)
    if header is None:
        raise DataError("has no row '#'", file=path, expected="a header that ends with one")
    starts = []
    for row, line in enumerate(lines[header + 1 :], header + 2):
        if cells := line.split(None, 2):
            marked = MARKED.match(cells[2] if len(cells) > 2 else "")
            starts.append((_seconds(cells[0], path, row), marked[1] if marked else "", row))
    ends = [start for start, *_ in starts[1:]] + [start + 1.0 for start, *_ in starts[-1:]]
    return [(s, end, phone, row) for (s, phone, row), end in zip(starts, ends, strict=True)]


FORMATS: dict[str, Callable[[Path], list[Labelled]]] = {
    ".TextGrid": _textgrid,
    ".txt": _columns,
    ".lablaut": _lablaut,
}


def _lines(path: Path) -> list[str]:
    return read_lines(path, max_bytes=MAX_BYTES, max_lines=MAX_LINES)


def _seconds(text: str, path: Path, row: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise DataError(f"{text!r} is no time", file=path, row=row, expected="seconds, 0 or more")
    return value
