"""Figures are drawn one by one: one that fails is told, and costs neither others nor the run."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlspring import catalog, cli
from mlspring.core.errors import InternalError
from mlspring.core.runs import Run
from mlspring.judge import service
from mlspring.verbs import figures, redraw
from mlspring.verbs.report import page
from tests.contract.journey import pass_for_world, run_tiny

SPEC = catalog.find("hw01")
Draw = Callable[[Run, Any, Any], None]


def picture(name: str) -> Draw:
    def draw(run: Run, _recipe: Any, _data: Any) -> None:
        run.figures.mkdir(exist_ok=True)
        for suffix in ("png", "svg", "csv"):
            (run.figures / f"{name}.{suffix}").write_text(name)

    return draw


def broken(_run: Run, _recipe: Any, _data: Any) -> None:
    raise ZeroDivisionError("no pixel is left")


def impossible(_run: Run, _recipe: Any, _data: Any) -> None:
    raise InternalError("two draws are equal")


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> dict[str, Draw]:
    """Four figures, of which the first and the third cannot be drawn."""
    names = ("learning_curves", "predicted_vs_true", "feature_scores", "split_comparison")
    made = dict(zip(names, (broken, picture(names[1]), impossible, picture(names[3])), strict=True))
    monkeypatch.setattr(catalog.part(SPEC, "figures"), "FIGURES", made, raising=False)
    return made


def test_a_run_ends_with_its_score_row_and_other_figures(
    four: dict[str, Draw],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pass_for_world(SPEC, tmp_path, monkeypatch)
    run = run_tiny(SPEC, tmp_path, data="world")
    assert run.result is not None
    assert run.result["score"]["public"] is not None
    assert len(service.open_store().submissions()) == 1
    drawn = {path.name for path in run.figures.iterdir()}
    assert {"predicted_vs_true.png", "split_comparison.png", "not_drawn.json"} <= drawn
    expected = {
        "learning_curves": "ZeroDivisionError: no pixel is left",
        "feature_scores": "two draws are equal",
    }
    assert run.result["not_drawn"] == expected
    assert figures.not_drawn(run) == expected
    warned = capsys.readouterr().err
    for name, message in expected.items():
        assert f"warning: the figure {name} was not drawn: {message}" in warned
    noted = json.loads((run.figures / "not_drawn.json").read_text())
    assert "broken" in noted["learning_curves"]["trace"], "our own fault is noted with its place"

    text = page.report(run).read_text()
    assert "could not be drawn: two draws are equal" in text
    assert "mlspring figures" not in text, "drawing again would change nothing"


def test_figures_that_can_be_drawn_again_are_no_problem_any_more(
    four: dict[str, Draw], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_tiny(SPEC, tmp_path)
    four |= {name: picture(name) for name in four}
    again, problems = redraw.redraw(run.folder)
    assert problems == ()
    assert figures.not_drawn(again) == {}
    assert len(list(run.figures.glob("*.png"))) == 4
    assert not (run.figures / "not_drawn.json").exists()


def test_ctrl_c_while_drawing_is_no_problem_of_a_figure(
    four: dict[str, Draw], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    four["feature_scores"] = stopped
    with pytest.raises(KeyboardInterrupt):
        run_tiny(SPEC, tmp_path)


def test_figures_of_a_run_without_its_log_are_told_and_the_others_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_tiny(SPEC, tmp_path)
    (run.folder / "log.jsonl").unlink()
    monkeypatch.setattr(sys, "argv", ["mlspring", "figures", str(run.folder)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    shown = capsys.readouterr()
    assert "warning: the figure " in shown.err and "was not drawn" in shown.err
    assert "Traceback" not in shown.err
