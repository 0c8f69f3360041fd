"""The command line of homework 11's measurement on a real pair of domains."""

from pathlib import Path

import pytest

from benchmarks import sketches_hw11
from tests.tiny.domains import write_domains


@pytest.mark.parametrize("arguments", [[], ["DIR"]])
def test_without_answers_nothing_is_measured(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        sketches_hw11.main(arguments)
    assert caught.value.code == 2
    assert "ANSWERS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,label\n7,two\n", "cannot be read as labels"),
        ("id,class\n7,2\n", "cannot be read as labels"),
        ("id,label\n9999,2\n", "tells the label of no drawing"),
        (None, "cannot be read as labels"),
    ],
)
def test_bad_answers_are_named_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    answers = tmp_path / "answers.csv"
    if text is not None:
        answers.write_text(text)
    folder = write_domains(tmp_path / "data")
    assert sketches_hw11.main([str(folder), str(answers)]) == 2
    assert f"{answers}: {message}" in capsys.readouterr().err


def test_answers_are_found_by_their_ids(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("id,label\n00002,4\n0,1\n")
    at, labels = sketches_hw11.read_known(answers, ["0", "1", "2"])
    assert (at.tolist(), labels.tolist()) == ([0, 2], [1, 4])
