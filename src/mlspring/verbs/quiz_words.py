"""The words of the quiz, in both languages: around the questions, the grade, the runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from mlspring import catalog
from mlspring.core.quiz import Bank, Decided, Grade, Language, Question, Words
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


def frame(name: str, language: Language, **values: Any) -> str:
    """Return the words ``name`` of ``FRAME`` with their values."""
    return FRAME[name].text(language).format(**values)


def question_text(question: Question, number: int, total: int, language: Language) -> Text:
    """Return a question with its options."""
    place = frame("number", language, number=number, total=total)
    kind = frame(question.kind, language)
    text = Text(f"{place}  [{question.id}, {kind}]\n", style="not bold dim")
    text.append(f"{question.text(language)}\n", style="bold")
    for letter, option in zip(question.letters, question.options, strict=True):
        text.append(f"   {letter}. {option.text(language)}\n", style="not bold")
    return text


def sheet_text(spec: Spec, sheet: Sheet, language: Language) -> Text:
    """Return all questions, and how to answer them."""
    text, total = Text(), len(sheet.questions)
    for number, question in enumerate(sheet.questions, start=1):
        text.append(question_text(question, number, total, language)).append("\n")
    words = "" if language == "en" else f" --language {language}"
    command = f"mlspring quiz {spec.id} --answers FILE{words}"
    first = sheet.questions[0].id
    text.append(frame("how", language, first=first, command=command), style="dim")
    return text.append(_about_runs(spec, sheet, language), style="dim")


def grade_text(spec: Spec, sheet: Sheet, graded: Grade, language: Language) -> Text:
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
    text.append(frame("points", language, **reached, right=right, total=total), style="bold")
    return text.append(_about_runs(spec, sheet, language), style="dim")


def _about_runs(spec: Spec, sheet: Sheet, language: Language) -> str:
    """Return which runs decided, which questions need one, and which runs cannot be read."""
    lines = []
    for run in dict.fromkeys(sheet.decided.runs.values()):
        ids = ", ".join(name for name, mine in sheet.decided.runs.items() if mine == run)
        lines.append(frame("decided", language, ids=ids, run=run))
    if sheet.waiting:
        ids = ", ".join(sheet.waiting)
        runs = needed(spec, sheet.waiting, language)
        lines.append(frame("waiting", language, count=len(sheet.waiting), ids=ids, needed=runs))
    lines += [frame("skipped", language, error=error) for error in sheet.decided.skipped]
    return "".join(f"\n{line}" for line in lines)


def needed(spec: Spec, ids: Sequence[str], language: Language) -> str:
    """Return the commands that would decide the questions."""
    needs: Mapping[str, str] = catalog.part(spec, "quiz").NEEDS
    return frame("and", language).join(dict.fromkeys(needs[name] for name in ids))
