"""A homework that ranks nothing, through the verbs: its own default, no answers, one sentence."""

import sys
from pathlib import Path

import pytest

from mlspring import catalog, cli
from mlspring.verbs import data, sources
from mlspring.verbs.report import page as report
from mlspring.worlds import world
from mlspring.worlds.digits import tiny_digits_world
from tests.contract.journey import run_tiny
from tests.tiny.digits import SMALL, write_mnist

SPEC = catalog.find("hw14")


def call(*words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["mlspring", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


def test_an_exported_world_has_no_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = world.build(tiny_digits_world())
    monkeypatch.setattr(sources, "world_folder", lambda spec: place)
    said = data.export(SPEC, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["public"]
    assert "for the judge" not in said
    assert len(list((tmp_path / "out" / "public" / "MNIST" / "raw").iterdir())) == 4


@pytest.mark.parametrize("verb", ["submit", "validate", "score"])
def test_verbs_of_the_board_say_what_there_is_instead(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.csv"
    file.write_text("Id,Category\n")
    assert call(verb, "hw14", str(file), monkeypatch=monkeypatch) == 2
    shown = capsys.readouterr()
    assert "no submission, no baselines and no board" in shown.err
    assert "mlspring quiz hw14" in shown.err
    assert shown.out == ""


def test_the_default_recipe_is_the_homework_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_mnist(tmp_path / "data")
    sets = [word for override in SMALL for word in ("--set", override)]
    words = ["run", "hw14", "--data", str(folder), "--out", str(tmp_path / "runs"), *sets]
    words += ["--set", 'method.names=["finetune"]', "--precision", "fp32", "--device", "cpu"]
    assert call(*words, monkeypatch=monkeypatch) == 0
    assert "hw14 Life-long learning, official/all" in capsys.readouterr().out
    assert catalog.find("hw03").default == "simple"


def test_the_report_speaks_of_no_board(tmp_path: Path) -> None:
    run = run_tiny(SPEC, tmp_path, recipe="world/finetune")
    page = report.report(run).read_text()
    assert "Public mean accuracy" not in page
    assert "Points a level" not in page
    assert "lowest level" not in page
    assert "機器終身學習" in page
    assert "Learning curves" in page
