"""The questions on MuZero: every key is there, both languages, graded without a run."""

from pathlib import Path

from mlspring import catalog
from mlspring.core import quiz as core
from mlspring.verbs import quiz as verb

SPEC = catalog.find("hw12")
BANK = core.load_bank(SPEC.folder / "questions.toml")


def test_half_of_the_report_s_four_points() -> None:
    assert BANK.points * len(BANK.question) == 2.0
    assert {question.kind for question in BANK.question} == {"single", "multiple"}


def test_each_language_is_its_own() -> None:
    for question in BANK.question:
        for words in (question, question.because):
            assert any("\u4e00" <= c <= "\u9fff" for c in words.zh)
            assert not any("\u4e00" <= c <= "\u9fff" for c in words.en)
        assert len({option.en for option in question.options}) == len(question.options)
        assert len({option.zh for option in question.options}) == len(question.options)


def test_no_run_is_needed_and_a_perfect_file_is_worth_all(tmp_path: Path) -> None:
    sheet = verb.sheet(SPEC, None, tmp_path)
    assert (len(sheet.questions), sheet.waiting) == (8, ())
    file = tmp_path / "answers.txt"
    file.write_text("".join(f"{name} {key}\n" for name, key in sheet.keys.items()))
    taken = verb.take(SPEC, None, file, "zh")
    assert taken.grade is not None and taken.grade.points == 2.0
    file.write_text("muzero-1 ABCD\nmuzero-3 C\n")
    partly = verb.take(SPEC, None, file, "en")
    assert partly.grade is not None and partly.grade.points == 0.25
    assert "never reconstructed" in partly.text().plain
