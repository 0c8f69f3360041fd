"""The file handed in: a text of one Chinese line for each English one, in their order."""

from collections.abc import Sequence
from pathlib import Path

from mlspring.core.chinese import SIMPLIFIED, read_text_lines
from mlspring.core.errors import SubmissionError
from mlspring.core.texts import count, write_lines
from mlspring.homeworks.hw05_translation.spec import SPEC

NOTHING = "<unk>"  # for an empty translation, as the course writes it
FIX = "write one line a sentence, an empty one as <unk>, and no line break within one"


def write(path: Path, ids: Sequence[str], values: Sequence[str]) -> None:
    """Write one line for every id, whole or not at all."""
    lines = [" ".join(line.split()) or NOTHING for _, line in zip(ids, values, strict=True)]
    write_lines(path, lines)


def read(path: Path, ids: Sequence[str]) -> list[str]:
    """Return the lines, one for each of ``ids``.

    Raises:
        SubmissionError: no UTF-8 text, too large, or another number of lines.
    """
    limits = SPEC.limits
    lines = read_text_lines(
        path, max_bytes=limits.max_bytes, max_lines=limits.max_rows, error=SubmissionError
    )
    if len(lines) != len(ids):
        expected = f"{len(ids):,}, one for each line to translate"
        raise SubmissionError(
            f"has {count(len(lines), 'line')}", file=path, expected=expected, fix=FIX
        )
    return lines


def describe(values: Sequence[str]) -> str:
    """Return what a submission holds, as words."""
    simplified = sum(not SIMPLIFIED.isdisjoint(line) for line in values)
    said = f"{count(len(values), 'line')}"
    return f"{said}, {simplified:,} with simplified characters" if simplified else said
