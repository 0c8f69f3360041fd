"""Every error that mlspring raises on purpose.

    MlspringError
    ├── UserError            what the user gave cannot be used            exit code 2
    │   ├── RecipeError      a recipe file or a --set value
    │   ├── DataError        a data folder, file or row
    │   ├── SubmissionError  a submission that is rejected
    │   ├── RunError         a run folder that cannot be used
    │   ├── RuleError        a rule of the board: quota, choice of finals
    │   └── MachineError     the machine lacks something: disk, network, an extra package
    └── InternalError        our own fault                                exit code 1

A message says where, what was found, what was expected, and what to do next.
"""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mlspring.core.foreign_text import shown


class MlspringError(Exception):
    """Base of the tree: a sentence for a person, never a trace.

    Args:
        found: what is wrong, as found.
        file: the file or folder at fault.
        row: line number in that file, counted from 1 with the header as row 1.
        expected: what would have been right.
        fix: what to do next, often a command or a key.
        details: further lines, e.g. what was tried; each is indented below the sentence.
    """

    exit_code = 1

    def __init__(
        self,
        found: str,
        *,
        file: Path | str | None = None,
        row: int | None = None,
        expected: str | None = None,
        fix: str | None = None,
        details: Sequence[str] = (),
    ) -> None:
        self.found, self.file, self.row = found, file, row
        self.expected, self.fix, self.details = expected, fix, tuple(details)
        super().__init__(self._sentence())

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes by the parts, from which the sentence is made again."""
        made = partial(
            type(self),
            file=self.file,
            row=self.row,
            expected=self.expected,
            fix=self.fix,
            details=self.details,
        )
        return made, (self.found,)

    def _sentence(self) -> str:
        """Return the message; each part may hold foreign text, so each is made harmless here."""
        where = "" if self.file is None else _line(str(self.file))
        if self.row is not None:
            where += f", row {self.row}" if where else f"row {self.row}"
        found = _line(self.found)
        parts = [f"{where}: {found}" if where else found]
        if self.expected:
            parts.append(f"expected {_line(self.expected)}")
        sentence = "\n".join(["; ".join(parts), *(f"    {_line(text)}" for text in self.details)])
        return f"{sentence}\n  -> {_line(self.fix)}" if self.fix else sentence


def _line(text: str) -> str:
    """Return foreign text on one line: what a library says in several lines becomes one."""
    return shown(re.sub(r"\s*[\r\n\t]\s*", " ", text))


class UserError(MlspringError):
    """What the user gave cannot be used."""

    exit_code = 2


class RecipeError(UserError):
    """A recipe file or a ``--set`` value is not valid."""


class DataError(UserError):
    """A data folder, file or row is not in the expected layout."""


class SubmissionError(UserError):
    """A submission is rejected: the learner's file, with the row and the reason."""


class RunError(UserError):
    """A run folder is missing, damaged, in use or of another homework."""


class RuleError(UserError):
    """A rule of the board forbids this: quota used up, too many finals."""


class MachineError(UserError):
    """The machine lacks something: disk space, network, an optional package."""


class InternalError(MlspringError):
    """Our own fault; the message says what to report."""


def unreadable_folder(folder: Path) -> DataError:
    """Return the error for a folder that this user may not read, with how to allow it."""
    return DataError("the folder cannot be read", file=folder, fix=f"chmod -R u+rX {folder}")
