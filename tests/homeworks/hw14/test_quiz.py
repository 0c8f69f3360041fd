"""The quiz of homework 14: twenty questions, some keys from the learner's own run."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core import quiz as core
from mlspring.core.errors import RunError, UserError
from mlspring.core.runs import Run
from mlspring.homeworks.hw14_lifelong import quiz
from mlspring.verbs import quiz as verb
from mlspring.verbs import quiz_words

SPEC = catalog.find("hw14")
BANK = core.load_bank(SPEC.folder / "questions.toml")
BLOCKS = {
    "basic concept": 3,
    "EWC": 2,
    "MAS": 2,
    "SI": 2,
    "RWalk": 2,
    "SCP": 3,
    "other methods and scenarios": 6,
}


def test_the_blocks_are_the_course_s() -> None:
    assert Counter(question.block for question in BANK.question) == BLOCKS
    assert BANK.points * len(BANK.question) == pytest.approx(8)


def test_every_question_has_a_key_or_is_decided_by_a_run() -> None:
    without = {question.id for question in BANK.question if question.key is None}
    assert without == set(quiz.NEEDS)


def test_each_language_is_its_own() -> None:
    for question in BANK.question:
        assert any("\u4e00" <= c <= "\u9fff" for c in question.zh)
        assert any("\u4e00" <= c <= "\u9fff" for c in question.because.zh)
        assert not any("\u4e00" <= c <= "\u9fff" for c in question.en)
        assert len({option.en for option in question.options}) == len(question.options)


def test_without_runs_the_others_are_asked_and_it_is_said(tmp_path: Path) -> None:
    sheet = verb.sheet(SPEC, None, tmp_path)
    assert len(sheet.questions) == 15
    assert set(sheet.waiting) == set(quiz.NEEDS)
    shown = verb.sheet_text(SPEC, sheet, "en").plain
    assert "5 more (basic-3, " in shown
    assert "mlspring run hw14 all and mlspring run hw14 scenarios" in shown


def test_what_stands_around_the_questions_is_in_their_language(tmp_path: Path) -> None:
    sheet = verb.sheet(SPEC, None, tmp_path)
    shown = verb.sheet_text(SPEC, sheet, "zh").plain
    assert "第 1 題，共 15 題  [basic-1, 複選]" in shown and "終身學習" in shown
    assert "另有 5 題（basic-3, " in shown and "mlspring run hw14 all 以及 " in shown
    assert "mlspring quiz hw14 --answers FILE --language zh" in shown
    answers = dict(sheet.keys) | {"ewc-1": "A"}
    graded = core.grade(sheet.bank, sheet.keys, answers)
    shown = verb.grade_text(SPEC, sheet, graded, "zh").plain
    assert "得分 5.6 / 6，15 題中答對 14 題" in shown
    words = [found.zh for found in quiz_words.FRAME.values()]
    assert all(any("\u4e00" <= c <= "\u9fff" for c in text) for text in words)
    said = iter(["Z", "AB", "A"])
    lines: list[object] = []
    single = next(question for question in sheet.questions if question.kind == "single")
    asked = replace(sheet, questions=(single,))
    assert verb.asked(asked, "zh", lines.append, lambda prompt: next(said)) == {single.id: "A"}
    assert [str(line) for line in lines[1:]] == [
        "沒有「Z」這個選項：請輸入 ABCD 之中的字母",
        "這題是單選：請只輸入一個字母",
    ]


def test_runs_are_found_and_a_perfect_file_is_worth_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied_run: Callable[..., Run]
) -> None:
    for recipe in ("all", "scenarios"):
        copied_run(recipe)
    monkeypatch.chdir(tmp_path)
    sheet = verb.sheet(SPEC, None)
    assert len(sheet.questions) == 20 and not sheet.waiting
    file = tmp_path / "answers.txt"
    file.write_text("".join(f"{name} {key}\n" for name, key in sheet.keys.items()))
    taken = verb.take(SPEC, None, file, "en")
    assert taken.grade is not None
    assert (taken.grade.points, taken.grade.out_of) == (8.0, 8.0)
    shown = taken.text().plain
    assert "8 of 8 points, 20 of 20 right" in shown
    assert "basic-3, ewc-2, mas-2, memory-1: decided by runs/hw14/" in shown
    assert "scenarios-2: decided by runs/hw14/" in shown
    assert set(taken.as_json()["decided_by"]) == set(quiz.NEEDS)
    file.write_text("ewc-1 A\n")
    wrong = verb.take(SPEC, None, file, "en")
    assert wrong.grade is not None and wrong.grade.points == 0
    assert "cancel in a batch" in wrong.text().plain
    assert all("key" in answer for answer in wrong.as_json()["answers"])


def test_an_unreadable_run_is_passed_over_unless_it_is_named(
    tmp_path: Path, copied_run: Callable[..., Run]
) -> None:
    old = copied_run("finetune", "20260101-000000-s0")
    new = copied_run("finetune", "20260102-000000-s0")
    table = new.figures / "task_matrix.csv"
    kept = table.read_text()
    lines = kept.splitlines()
    for damaged in (None, "\n".join(lines[:-1]), kept.replace("0.0", "none"), kept + "domain\n"):
        table.unlink(missing_ok=True)
        if damaged is not None:
            table.write_text(damaged)
        sheet = verb.sheet(SPEC, None, tmp_path / "runs")
        assert len(sheet.questions) == 16
        assert sheet.decided.runs == {"basic-3": old.folder}
        assert f"passed over: {table}: cannot be read" in verb.sheet_text(SPEC, sheet, "en").plain
        with pytest.raises(RunError, match="mlspring figures"):
            verb.sheet(SPEC, new.folder)


def test_an_answer_that_waits_for_a_run_is_not_graded_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "answers.txt"
    file.write_text("ewc-1 ABD\nbasic-3 A\nscenarios-2 BC\n")
    taken = verb.take(SPEC, None, file, "en")
    assert taken.grade is not None
    assert (taken.grade.points, taken.grade.out_of) == (0.4, 6.0)
    assert taken.as_json()["ungraded"] == ["basic-3", "scenarios-2"]
    assert (
        "your answers to basic-3, scenarios-2 are not graded: first mlspring run hw14 all "
        "and mlspring run hw14 scenarios"
    ) in taken.text().plain
    file.write_text("basic-3 A\n")
    alone = verb.take(SPEC, None, file, "zh").text().plain
    assert alone.endswith("你對 basic-3 的作答尚未評分：請先執行 mlspring run hw14 all")
    file.write_text("basic-3 AB\n")
    with pytest.raises(UserError, match="basic-3 is a single choice"):
        verb.take(SPEC, None, file, "en")


def test_questions_are_shown_without_their_keys(tmp_path: Path) -> None:
    taken = verb.take(SPEC, None, None, "en")
    plain = taken.as_json()
    assert all({"key", "because"}.isdisjoint(question) for question in plain["questions"])
    assert "single images' squares" in taken.text().plain
    assert BANK.question[0].because.en not in taken.text().plain


def test_a_wrong_letter_is_asked_for_again_and_ctrl_d_ends(tmp_path: Path) -> None:
    sheet = verb.sheet(SPEC, None, tmp_path)
    said = iter(["Z", "ab"])

    def read(prompt: str) -> str:
        try:
            return next(said)
        except StopIteration:
            raise EOFError from None

    shown: list[object] = []
    assert verb.asked(sheet, "en", shown.append, read) == {"basic-1": "AB"}
    first, fault, second = map(str, shown)
    assert "'Z' is no option" in fault
    assert first.startswith("Question 1 of 15  [basic-1, all that are right]\n")
    assert second.startswith("Question 2 of 15  ")


def test_a_foreign_or_damaged_run_is_refused(
    tmp_path: Path, copied_run: Callable[..., Run], finished: Callable[..., Run]
) -> None:
    with pytest.raises(RunError, match="is not a run folder"):
        verb.sheet(SPEC, tmp_path)
    run = copied_run("finetune")
    table = run.figures / "task_matrix.csv"
    table.write_text(table.read_text().replace("0.0", "none"))
    with pytest.raises(RunError, match="mlspring figures"):
        verb.sheet(SPEC, run.folder)
    other = finished(catalog.find("hw01"))
    with pytest.raises(RunError, match="is a run of hw01"):
        verb.sheet(SPEC, other.folder)
    with pytest.raises(UserError, match="hw01 has no quiz"):
        verb.sheet(catalog.find("hw01"), None)
    assert Run.open(run.folder).result is not None
