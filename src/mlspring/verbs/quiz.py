"""``mlspring quiz``: the homework's questions, asked in the terminal or graded from a file."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from mlspring import catalog
from mlspring.core import quiz
from mlspring.core.errors import RunError, UserError
from mlspring.core.quiz import Bank, Decided, Grade, Language, Question, Words
from mlspring.core.runs import Run
from mlspring.core.spec import Spec

# What stands around the questions, in the language of the questions.
FRAME = {
    "number": Words(en="Question {number} of {total}", zh="第 {number} 題，共 {total} 題"),
    "single": Words(en="one option", zh="單選"),
    "multiple": Words(en="all that are right", zh="複選"),
    "letters": Words(
        en="'{letter}' is no option: letters of {letters}, please",
        zh="沒有「{letter}」這個選項：請輸入 {letters} 之中的字母",
    ),
    "one letter": Words(
        en="a single choice: one letter, please", zh="這題是單選：請只輸入一個字母"
    ),
    "how": Words(
        en="Write a line a question, e.g. '{first} AC', into a file, then: {command}",
        zh="每題寫一行到檔案裡，例如「{first} AC」，然後執行：{command}",
    ),
    "points": Words(
        en="{points:g} of {out_of:g} points, {right} of {total} right",
        zh="得分 {points:g} / {out_of:g}，{total} 題中答對 {right} 題",
    ),
    "waiting": Words(
        en="{count} more ({ids}) need runs of yours: {needed}",
        zh="另有 {count} 題（{ids}）要由你自己的執行結果決定答案，請先執行：{needed}",
    ),
    "decided": Words(en="{ids}: decided by {run}", zh="{ids}：答案由 {run} 決定"),
    "ungraded": Words(
        en="your answers to {ids} are not graded: first {needed}",
        zh="你對 {ids} 的作答尚未評分：請先執行 {needed}",
    ),
    "skipped": Words(en="passed over: {error}", zh="略過無法讀取的執行結果：{error}"),
    "and": Words(en=" and ", zh=" 以及 "),
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The questions that can be graded, their keys, and those that still need a run.

    Args:
        questions: in the order they are asked.
        keys: letters by question id.
        waiting: ids of questions that a run would decide and none does.
        decided: which run decided which question, and which could not be read.
    """

    bank: Bank
    questions: tuple[Question, ...]
    keys: Mapping[str, str]
    waiting: tuple[str, ...]
    decided: Decided


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
            needed = _needed(self.spec, self.ungraded, self.language)
            ids = ", ".join(self.ungraded)
            said = _frame("ungraded", self.language, ids=ids, needed=needed)
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
        raise UserError(f"{spec.id} has no quiz", fix="in this course hw09, hw12 and hw14 have one")
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
        return _frame("letters", language, letter=unknown, letters=question.letters)
    return _frame("one letter", language)


def _frame(name: str, language: Language, **facts: Any) -> str:
    return FRAME[name].text(language).format(**facts)


def question_text(question: Question, number: int, total: int, language: Language) -> Text:
    """Return a question with its options."""
    place = _frame("number", language, number=number, total=total)
    kind = _frame(question.kind, language)
    text = Text(f"{place}  [{question.id}, {kind}]\n", style="not bold dim")
    text.append(f"{question.text(language)}\n", style="bold")
    for letter, option in zip(question.letters, question.options, strict=True):
        text.append(f"   {letter}. {option.text(language)}\n", style="not bold")
    return text


def sheet_text(spec: Spec, found: Sheet, language: Language) -> Text:
    """Return all questions, and how to answer them."""
    text, total = Text(), len(found.questions)
    for number, question in enumerate(found.questions, start=1):
        text.append(question_text(question, number, total, language)).append("\n")
    words = "" if language == "en" else f" --language {language}"
    command = f"mlspring quiz {spec.id} --answers FILE{words}"
    first = found.questions[0].id
    text.append(_frame("how", language, first=first, command=command), style="dim")
    return text.append(_about_runs(spec, found, language), style="dim")


def grade_text(spec: Spec, found: Sheet, graded: Grade, language: Language) -> Text:
    """Return what was right, and for what was not: the key and why."""
    text = Text()
    for one in graded.graded:
        mark, style = ("✓", "green") if one.is_right else ("✗", "red")
        text.append(f"{mark} {one.number:>2}. {one.question.id:<12}", style=style)
        text.append(f" {one.answer or '-':<6}")
        if not one.is_right:
            text.append(f" {one.key:<6} {one.question.because.text(language)}")
        text.append("\n")
    right = sum(one.is_right for one in graded.graded)
    reached = {"points": graded.points, "out_of": graded.out_of}
    total = len(graded.graded)
    text.append(_frame("points", language, **reached, right=right, total=total), style="bold")
    return text.append(_about_runs(spec, found, language), style="dim")


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


def _about_runs(spec: Spec, found: Sheet, language: Language) -> str:
    """Return which runs decided, which questions need one, and which runs cannot be read."""
    lines = []
    for run in dict.fromkeys(found.decided.runs.values()):
        ids = ", ".join(name for name, mine in found.decided.runs.items() if mine == run)
        lines.append(_frame("decided", language, ids=ids, run=run))
    if found.waiting:
        facts = {"count": len(found.waiting), "ids": ", ".join(found.waiting)}
        needed = _needed(spec, found.waiting, language)
        lines.append(_frame("waiting", language, needed=needed, **facts))
    lines += [_frame("skipped", language, error=error) for error in found.decided.skipped]
    return "".join(f"\n{line}" for line in lines)


def _needed(spec: Spec, ids: Sequence[str], language: Language) -> str:
    """Return the commands that would decide the questions."""
    needs: Mapping[str, str] = catalog.part(spec, "quiz").NEEDS
    return _frame("and", language).join(dict.fromkeys(needs[name] for name in ids))
