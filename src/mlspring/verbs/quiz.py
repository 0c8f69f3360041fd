"""``mlspring quiz``: the homework's questions, asked in the terminal or graded from a file."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from mlspring import catalog
from mlspring.core import quiz
from mlspring.core.errors import RunError, UserError
from mlspring.core.quiz import Decided, Grade, Language, Question
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.verbs.quiz_words import (
    Sheet,
    frame,
    grade_text,
    needed,
    question_text,
    sheet_text,
)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A quiz that was taken, or only shown: then there is no grade.

    Args:
        ungraded: ids of questions that were answered and wait for a run.
    """

    spec: Spec
    sheet: Sheet
    grade: Grade | None
    language: Language
    ungraded: tuple[str, ...] = ()

    def text(self) -> Text:
        """Return the grade, or the questions and how to answer them."""
        if self.grade is None:
            return sheet_text(self.spec, self.sheet, self.language)
        text = grade_text(self.spec, self.sheet, self.grade, self.language)
        if self.ungraded:
            runs = needed(self.spec, self.ungraded, self.language)
            ids = ", ".join(self.ungraded)
            said = frame("ungraded", self.language, ids=ids, needed=runs)
            text.append(f"\n{said}", style="yellow")
        return text

    def as_json(self) -> dict[str, Any]:
        """Return the grade with its keys, or the questions without."""
        return as_plain(self.sheet, self.grade) | {"ungraded": list(self.ungraded)}


def take(
    spec: Spec,
    run: Path | None,
    answers: Path | None,
    language: Language,
    *,
    show: Callable[[Any], None] | None = None,
) -> Taken:
    """Return the homework's quiz: graded from a file, asked at a terminal, or only shown.

    ``show`` prints a question; without it none is asked.

    Raises:
        UserError: the homework has no quiz, or the answers cannot be read.
        RunError: ``run`` is no finished run of this homework.
    """
    found = sheet(spec, run)
    given = None
    if answers is not None:
        given = quiz.read_answers(answers, found.bank.question)
    elif show and sys.stdin.isatty() and sys.stdout.isatty():
        given = asked(found, language, show)
    graded = None if given is None else quiz.grade(found.bank, found.keys, given)
    ungraded = tuple(name for name in found.waiting if (given or {}).get(name))
    return Taken(spec=spec, sheet=found, grade=graded, language=language, ungraded=ungraded)


def sheet(spec: Spec, run: Path | None, runs: Path = Path("runs")) -> Sheet:
    """Return the homework's questions with their keys.

    Keys that a run decides come from the run in ``run``, or else from the finished runs of the
    homework under ``runs``, the newest first; of these one that cannot be read is passed over.

    Raises:
        UserError: the homework has no quiz.
        RunError: ``run`` is no finished run of this homework, or cannot be read.
    """
    path = spec.folder / "questions.toml"
    if not path.exists():
        known = [s.id for s in catalog.SPECS if (s.folder / "questions.toml").exists()]
        fix = " or ".join(f"mlspring quiz {name}" for name in known)
        raise UserError(f"{spec.id} has no quiz", fix=fix)
    bank = quiz.load_bank(path)
    decided = Decided()
    if any(question.key is None for question in bank.question):
        decided = _decided(spec, [run] if run is not None else finished_runs(spec, runs))
    elif run is not None:
        _demand_finished(spec, run)
    if run is not None and decided.skipped:
        raise decided.skipped[0]
    keys = quiz.keys_of(bank, decided.keys)
    questions = tuple(question for question in bank.question if question.id in keys)
    waiting = tuple(question.id for question in bank.question if question.id not in keys)
    return Sheet(bank=bank, questions=questions, keys=keys, waiting=waiting, decided=decided)


def _decided(spec: Spec, folders: Sequence[Path]) -> Decided:
    """Return what the homework's island reads from the runs, beside those that are not read."""
    finished, skipped = [], []
    for folder in folders:
        try:
            _demand_finished(spec, folder)
            finished.append(folder)
        except RunError as error:
            skipped.append(error)
    found: Decided = catalog.part(spec, "quiz").keys(finished)
    return replace(found, skipped=(*skipped, *found.skipped))


def finished_runs(spec: Spec, runs: Path) -> list[Path]:
    """Return the folders of the homework's finished runs under ``runs``, the newest first."""
    found = [path.parent for path in runs.glob(f"{spec.id}/*/*/result.json")]
    return sorted(found, key=lambda folder: folder.name, reverse=True)


def _demand_finished(spec: Spec, folder: Path) -> None:
    found = Run.open(folder)
    if found.request.homework != spec.id:
        raise RunError(f"is a run of {found.request.homework}", file=folder, expected=spec.id)
    if found.result is None:
        fix = f"mlspring resume {folder}"
        raise RunError("this run is not finished", file=folder, fix=fix)


def asked(
    found: Sheet,
    language: Language,
    show: Callable[[Any], None],
    read: Callable[[str], str] = input,
) -> dict[str, str]:
    """Return the answers of the person at the terminal; a wrong letter is asked for again."""
    answers: dict[str, str] = {}
    total = len(found.questions)
    for number, question in enumerate(found.questions, start=1):
        show(question_text(question, number, total, language))
        while question.id not in answers:
            try:
                text = read("> ")
                answers[question.id] = quiz.read_answer(question, text)
            except EOFError:  # Ctrl-D: the rest is not answered
                return answers
            except UserError:
                show(_once_more(question, text, language))
    return answers


def _once_more(question: Question, text: str, language: Language) -> str:
    """Return what is wrong with the letters in ``text``."""
    strange = quiz.letters_of(text) - set(question.letters)
    if unknown := next((letter for letter in quiz.plain(text) if letter in strange), ""):
        return frame("letters", language, letter=unknown, letters=question.letters)
    return frame("one letter", language)


def as_plain(found: Sheet, graded: Grade | None) -> dict[str, Any]:
    """Return the questions, without their keys, or the grade with them."""
    if graded is None:
        questions = [
            question.model_dump(exclude={"key", "because"}) for question in found.questions
        ]
        return {"questions": questions, **_runs_as_plain(found)}
    return {
        "points": graded.points,
        "out_of": graded.out_of,
        "answers": [
            {"id": one.question.id, "answer": one.answer, "key": one.key, "right": one.is_right}
            for one in graded.graded
        ],
        **_runs_as_plain(found),
    }


def _runs_as_plain(found: Sheet) -> dict[str, Any]:
    return {
        "waiting": list(found.waiting),
        "decided_by": {name: str(run) for name, run in found.decided.runs.items()},
        "passed_over": [str(error) for error in found.decided.skipped],
    }
