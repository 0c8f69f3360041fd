"""Question banks: single and multiple choice in two languages, asked and graded offline.

An island's ``questions.toml``:

    points = 0.3                       # a question; all right options or nothing

    [[question]]
    id = "ewc-1"
    block = "EWC"
    kind = "multiple"                  # or "single": exactly one option is right
    points = 0.4                       # left out: as all others
    en = "Which ...?"
    zh = "..."
    options = [{ en = "...", zh = "..." }, ...]       # lettered A, B, C ... in this order
    key = "AC"                         # left out: computed from the learner's own run
    because = { en = "...", zh = "..." }
"""

import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from mlspring.core.errors import RunError, UserError
from mlspring.core.recipe import Section, load_recipe
from mlspring.core.texts import read_text

Language = Literal["en", "zh"]
MAX_BYTES = 100_000
NUM_OPTIONS = 8
BETWEEN = ",;+-、"  # may stand between letters, beside white space


class Words(Section):
    """One text in both languages."""

    en: str = Field(min_length=1, description="English")
    zh: str = Field(min_length=1, description="Traditional Chinese")

    def text(self, language: Language) -> str:
        """Return the text in ``language``."""
        return self.zh if language == "zh" else self.en


class Question(Words):
    """A question with its options; without a key it is one that a run decides."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="name, unique in the bank")
    block: str = Field(min_length=1, description="what it is about")
    kind: Literal["single", "multiple"] = Field(description="how many options may be right")
    options: list[Words] = Field(min_length=2, max_length=NUM_OPTIONS, description="A, B, C ...")
    points: float | None = Field(default=None, gt=0, description="where not as all others")
    key: str | None = Field(default=None, description="letters of the right options, ascending")
    because: Words = Field(description="why the key is right, shown after grading")

    @property
    def letters(self) -> str:
        """The letters of the options: ``ABCD``."""
        return string.ascii_uppercase[: len(self.options)]

    def check_key(self, key: str) -> None:
        """Raise ValueError where ``key`` cannot be this question's."""
        if not key or key != "".join(sorted(set(key))) or set(key) - set(self.letters):
            raise ValueError(f"key {key!r} of {self.id} is no ascending choice of {self.letters}")
        if self.kind == "single" and len(key) != 1:
            raise ValueError(f"{self.id} is a single choice but its key is {key!r}")

    @model_validator(mode="after")
    def _possible(self) -> "Question":
        if self.key is not None:
            self.check_key(self.key)
        return self


class Bank(Section):
    """All questions of a homework."""

    points: float = Field(gt=0, description="of a question, all right options or nothing")
    question: list[Question] = Field(min_length=1, description="in the order they are asked")

    def worth(self, question: Question) -> float:
        """Return the points of a question."""
        return self.points if question.points is None else question.points

    @model_validator(mode="after")
    def _distinct(self) -> "Bank":
        names = [question.id for question in self.question]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two questions are called {min(twice)!r}")
        return self


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Keys that a learner's own runs decide.

    Args:
        keys: letters by question id.
        runs: by question id the folder of the run that decided it.
        skipped: why runs that cannot be read were passed over.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, Path] = field(default_factory=dict)
    skipped: tuple[RunError, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Graded:
    """A question with its key and what was answered.

    Args:
        number: as asked, from 1.
        answer: letters, ascending; empty: not answered.
        key: letters of the right options.
    """

    number: int
    question: Question
    answer: str
    key: str

    @property
    def is_right(self) -> bool:
        """Whether exactly the right options were chosen."""
        return self.answer == self.key


@dataclass(frozen=True, kw_only=True)
class Grade:
    """What answers are worth."""

    graded: tuple[Graded, ...]
    points: float
    out_of: float


def load_bank(path: Path) -> Bank:
    """Return the bank in ``path``.

    Raises:
        RecipeError: it is not valid; names the key.
    """
    return load_recipe(Bank, path)


def keys_of(bank: Bank, computed: Mapping[str, str]) -> dict[str, str]:
    """Return the key of every question that has one: its own, or one ``computed`` from a run.

    Raises:
        ValueError: a computed key is impossible.
    """
    keys = {}
    for question in bank.question:
        key = question.key or computed.get(question.id)
        if key is not None:
            question.check_key(key)
            keys[question.id] = key
    return keys


def grade(bank: Bank, keys: Mapping[str, str], answers: Mapping[str, str]) -> Grade:
    """Return what ``answers`` (letters by question) are worth among the questions with a key."""
    asked = [question for question in bank.question if question.id in keys]
    graded = tuple(
        Graded(
            number=number,
            question=question,
            answer=answers.get(question.id, ""),
            key=keys[question.id],
        )
        for number, question in enumerate(asked, start=1)
    )
    reached = sum(bank.worth(one.question) for one in graded if one.is_right)
    out_of = sum(bank.worth(question) for question in asked)
    return Grade(graded=graded, points=round(reached, 6), out_of=round(out_of, 6))


def plain(text: str) -> str:
    """Return typed text in capital letters of one width: ``ａ，Ｂ`` is ``A,B``."""
    return unicodedata.normalize("NFKC", text).upper()


def letters_of(text: str) -> set[str]:
    """Return the capital letters of an answer, without what stands between them."""
    return {letter for letter in plain(text) if letter not in BETWEEN and not letter.isspace()}


def read_answer(question: Question, text: str) -> str:
    """Return the letters in ``text``, ascending: ``c, a`` and ``Ｃ、Ａ`` are ``AC``.

    Empty: not answered.

    Raises:
        UserError: a letter that is no option, or several for a single choice.
    """
    found = letters_of(text)
    if unknown := sorted(found - set(question.letters)):
        raise UserError(
            f"{unknown[0]!r} is no option of {question.id}",
            expected=f"letters of {question.letters}",
        )
    if question.kind == "single" and len(found) > 1:
        raise UserError(f"{question.id} is a single choice", expected="one letter")
    return "".join(sorted(found))


def read_answers(path: Path, questions: Sequence[Question]) -> dict[str, str]:
    """Return the answers in a text file: one line a question, its id and letters.

    ``ewc-1 AC``, ``ewc-1: A, C`` or ``ewc-1：Ａ、Ｃ``; white space or a colon ends the id.
    Empty lines and what follows a # do not count; a question that is left out is not answered.

    Raises:
        UserError: no such file, an unknown question, one answered twice, or a wrong letter; names
            the row.
    """
    known = {question.id: question for question in questions}
    answers: dict[str, str] = {}
    lines = read_text(path, max_bytes=MAX_BYTES, error=UserError).splitlines()
    for row, line in enumerate(lines, start=1):
        said = unicodedata.normalize("NFKC", line).partition("#")[0].strip()
        if not said:
            continue
        name, letters, *_ = *re.split(r"[\s:]+", said, maxsplit=1), ""
        if name not in known:
            expected = f"an id of a question, e.g. {next(iter(known))}"
            raise UserError(f"there is no {name!r}", file=path, row=row, expected=expected)
        if name in answers:
            raise UserError(f"{name} is answered twice", file=path, row=row)
        try:
            answers[name] = read_answer(known[name], letters)
        except UserError as error:
            raise UserError(error.found, file=path, row=row, expected=error.expected) from error
    return answers
