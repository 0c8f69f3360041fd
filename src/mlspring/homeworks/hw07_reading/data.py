"""Paragraphs with questions: the reading world, or a folder in the course's layout.

    DIR/hw7_train.json  hw7_dev.json  hw7_test.json, each
        {"questions": [{"id": 0, "paragraph_id": 3884, "question_text": "...",
                        "answer_text": "...", "answer_start": 141, "answer_end": 144}, ..],
         "paragraphs": ["...", ..]}

``answer_start`` and ``answer_end`` are places of characters in the paragraph, and the end is part
of the answer. In the test file the three answer fields are null (or the text "null": the course's
own file has both).
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.chinese import SIMPLIFIED
from mlspring.core.errors import DataError
from mlspring.core.files import write_json
from mlspring.core.progress import say
from mlspring.core.source import Source
from mlspring.core.texts import read_text
from mlspring.homeworks.hw07_reading.recipe import Recipe
from mlspring.worlds.reading.world import reading_world
from mlspring.worlds.world import World

PARTS = ("train", "dev", "test")
MAX_BYTES = 500_000_000
AGAIN = "see: mlspring fetch hw07, or mlspring data hw07 --export DIR for an example"
NO_ANSWER = (None, "null")
MANY = 0.02  # of the characters: a quotation has fewer


@dataclass(frozen=True, kw_only=True)
class Part:
    """Questions about paragraphs.

    Args:
        paragraphs: the texts, as they stand in the file.
        questions: the n questions.
        paragraph_ids: (n,), which paragraph each is about.
        starts: (n,), place of the answer's first character in its paragraph; -1: nobody says.
        ends: (n,), place of its last one, which belongs to it.
        ids: of the questions.
    """

    paragraphs: list[str]
    questions: list[str]
    paragraph_ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    ids: list[int]

    @property
    def answers(self) -> list[str]:
        """The answers, cut out of the paragraphs, (n,)."""
        places = zip(self.paragraph_ids, self.starts, self.ends, strict=True)
        return [self.paragraphs[p][start : end + 1] for p, start, end in places]


@dataclass(frozen=True, kw_only=True)
class Data:
    """What is learnt from, what is validated on, and what is to be answered."""

    train: Part
    dev: Part
    test: Part

    @property
    def test_ids(self) -> list[str]:
        """What a submission must name, in order."""
        return [str(number) for number in self.test.ids]


def world() -> World:
    """Return the built-in data set of the homework."""
    return reading_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the three parts of ``source``; simplified characters are told in a warning.

    Raises:
        DataError: a file is missing or damaged, or a question in it cannot be used; names file and
            question.
    """
    files = {part: source.folder / f"hw7_{part}.json" for part in PARTS}
    parts = {part: read_part(file, answered=part != "test") for part, file in files.items()}
    for part, file in files.items():
        if warning := simplified(parts[part].paragraphs, file):
            say(warning)
    return Data(**parts)


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order."""
    return [
        str(number) for number in read_part(source.folder / "hw7_test.json", answered=False).ids
    ]


def describe(data: Data) -> dict[str, str]:
    """Return the data card: a name and a short sentence for each row."""
    card = {}
    for name, part in (("train", data.train), ("dev", data.dev), ("test", data.test)):
        lengths = np.array([len(text) for text in part.paragraphs])
        card[name] = (
            f"{len(part.questions):,} questions about {len(lengths):,} paragraphs of "
            f"{lengths.min()} to {lengths.max():,} characters, {lengths.mean():.0f} on average"
        )
    spans = data.train.ends - data.train.starts + 1
    card["answers"] = f"{spans.mean():.1f} characters on average, {spans.max()} at most"
    return card


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout under ``to``; answers stay with the judge."""
    for part in PARTS:
        file = f"hw7_{part}.json"
        write_json(to / file, json.loads(_text(world_folder / "public" / file)))


def read_part(file: Path, *, answered: bool) -> Part:
    """Return a file of paragraphs and questions.

    Args:
        file: in the course's layout.
        answered: whether each question must have its answer; else answers are not looked at.

    Raises:
        DataError: no such file, no UTF-8, no JSON of the layout, or a question that cannot be used.
    """
    try:
        table = json.loads(_text(file))
    except (ValueError, RecursionError) as error:
        found = f"is not valid JSON ({error})"
        raise DataError(found, file=file, fix=AGAIN) from error
    questions, paragraphs = (
        table.get(key) if isinstance(table, dict) else None for key in ("questions", "paragraphs")
    )
    if not isinstance(questions, list) or not isinstance(paragraphs, list) or not questions:
        expected = 'an object with the lists "questions" and "paragraphs"'
        raise DataError("has no questions and paragraphs", file=file, expected=expected, fix=AGAIN)
    for number, text in enumerate(paragraphs):
        if not _is_text(text):
            raise DataError(f"paragraph {number} is no text", file=file, expected="a text")
    rows = [_row(one, place, paragraphs, file, answered) for place, one in enumerate(questions)]
    ids, which, texts, starts, ends = zip(*rows, strict=True)
    if len(set(ids)) < len(ids):
        twice = next(number for place, number in enumerate(ids) if number in ids[:place])
        fix = "number the questions anew, from 0"
        raise DataError(f"question id {twice} stands twice", file=file, fix=fix)
    return Part(
        paragraphs=paragraphs,
        questions=list(texts),
        paragraph_ids=np.array(which, np.int64),
        starts=np.array(starts, np.int64),
        ends=np.array(ends, np.int64),
        ids=list(ids),
    )


def simplified(paragraphs: list[str], file: Path) -> str | None:
    """Return a warning where paragraphs seem to be in simplified characters, else None."""
    seen = [character for text in paragraphs for character in text if character in SIMPLIFIED]
    if len(seen) < MANY * sum(map(len, paragraphs)):
        return None
    examples = " ".join(sorted(set(seen), key=seen.index)[:4])
    return (
        f"{file}: the paragraphs seem to be in simplified characters ({examples}); the course's "
        "and the built-in encoder's are traditional. OpenCC converts: opencc -c s2t (character by "
        "character, so that the places of answers stay)"
    )


def _row(
    one: Any, place: int, paragraphs: list[str], file: Path, answered: bool
) -> tuple[int, int, str, int, int]:
    """Return id, paragraph, text, start and end of a question; -1 where no answer is wanted."""
    if not isinstance(one, dict) or type(one.get("id")) is not int:
        found = f"entry {place} of questions has no id"
        raise DataError(found, file=file, expected="a whole number as id", fix=AGAIN)
    name, which, text = f"question {one['id']}", one.get("paragraph_id"), one.get("question_text")
    if type(which) is not int or not 0 <= which < len(paragraphs):
        expected = f"0 to {len(paragraphs) - 1}: there are {len(paragraphs)} paragraphs"
        found = f"{name}: paragraph_id is {which!r}"
        raise DataError(found, file=file, expected=expected, fix=AGAIN)
    if not _is_text(text):
        found = f"{name}: question_text is {text!r}"
        raise DataError(found, file=file, expected="a text", fix=AGAIN)
    start, end = _answer(one, name, paragraphs[which], file) if answered else (-1, -1)
    return one["id"], which, str(text), start, end


def _answer(one: dict[str, Any], name: str, paragraph: str, file: Path) -> tuple[int, int]:
    answer, start, end = (one.get(f"answer_{key}") for key in ("text", "start", "end"))
    if answer in NO_ANSWER or start in NO_ANSWER or end in NO_ANSWER:
        fix = "remove the question; without an answer only hw7_test.json may have some"
        raise DataError(f"{name} has no answer", file=file, expected="answer fields", fix=fix)
    if type(start) is not int or type(end) is not int or not 0 <= start <= end < len(paragraph):
        found = f"{name}: the answer reaches from {start!r} to {end!r}"
        expected = (
            f"places in its paragraph of {len(paragraph)} characters, 0 to {len(paragraph) - 1}"
        )
        fix = "count characters from 0; answer_end is the place of the last one"
        raise DataError(found, file=file, expected=expected, fix=fix)
    if (stands := paragraph[start : end + 1]) != answer:
        found = f"{name}: answer_text is {answer!r}, and from {start} to {end} stands {stands!r}"
        elsewhere = paragraph.find(answer) if isinstance(answer, str) and answer else -1
        fix = "answer_end is the place of the last character, not the one behind it"
        if elsewhere >= 0:
            fix += f"; the answer stands from {elsewhere} to {elsewhere + len(answer) - 1}"
        raise DataError(found, file=file, fix=fix)
    return start, end


def _is_text(value: Any) -> bool:
    """Return whether a value is more than blanks and can be UTF-8: no half of a character."""
    return (
        isinstance(value, str) and bool(value.strip()) and not re.search("[\ud800-\udfff]", value)
    )


def _text(file: Path) -> str:
    try:
        return read_text(file, max_bytes=MAX_BYTES)
    except DataError as error:
        if "UTF-8" not in error.found or error.fix is not None:
            raise
        fix = "convert it, e.g. from Big5: iconv -f BIG5 -t UTF-8"
        raise DataError(
            error.found, file=file, row=error.row, expected=error.expected, fix=fix
        ) from error
