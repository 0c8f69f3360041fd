"""``run all``: each homework with the level or its own default; no failure costs the others."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlspring import catalog, cli
from mlspring.core.errors import MachineError, RecipeError
from mlspring.core.runs import Request, Run
from mlspring.core.spec import Spec
from mlspring.verbs import every
from mlspring.verbs import run as verb
from tests.tiny.islands import TINY

SPECS = catalog.SPECS


def call(*words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["mlspring", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


@pytest.fixture
def tiny_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Request]:
    """Let every run be of a few steps on tiny data; the requests by homework, as they came."""
    asked: dict[str, Request] = {}
    original = verb.run

    def run(spec: Spec, request: Request, *, overrides: tuple[str, ...], out: Path) -> Run:
        asked[spec.id] = request
        folder = tmp_path / spec.id
        data = str(folder if folder.exists() else TINY[spec.id].write_data(folder))
        small = replace(
            request, recipe=f"world/{request.recipe}", data=data, device="cpu", precision="fp32"
        )
        return original(spec, small, overrides=(*TINY[spec.id].small, *overrides), out=out)

    monkeypatch.setattr(verb, "run", run)
    monkeypatch.setattr("mlspring.verbs.figures.draw_all", lambda *_: ())
    monkeypatch.chdir(tmp_path)
    return asked


def test_run_all_of_a_level_runs_every_homework(
    tiny_runs: dict[str, Request],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("run", "all", "simple", monkeypatch=monkeypatch) == 0
    assert list(tiny_runs) == [spec.id for spec in SPECS]
    for spec in SPECS:
        wanted = "simple" if "simple" in spec.levels else spec.default
        assert tiny_runs[spec.id].recipe == wanted
    shown = capsys.readouterr()
    assert "hw14 has no recipe 'simple': it runs its own, 'all'" in shown.err
    table = shown.out[shown.out.rindex("homework") :]
    assert all(f"{spec.id} " in table for spec in SPECS)
    assert "failed" not in table


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [(MachineError("the disk is full"), 2), (ZeroDivisionError("a fault of ours"), 1)],
)
def test_one_that_fails_costs_no_other(
    error: Exception,
    exit_code: int,
    tiny_runs: dict[str, Request],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(catalog.part(SPECS[1], "train"), "train", refuse)
    assert call("run", "all", "--json", monkeypatch=monkeypatch) == exit_code
    shown = capsys.readouterr()
    results = json.loads(shown.out)
    assert [result["homework"] for result in results] == [spec.id for spec in SPECS]
    assert str(error) in results[1]["error"]
    assert all("score" in result for i, result in enumerate(results) if i != 1)
    assert f"{SPECS[1].id}: " in shown.err and str(error) in shown.err
    # The same run's table: its row says so, and all others have theirs.
    outcomes = [
        every.Outcome(spec=spec, run=None, error="x" if spec is SPECS[1] else None)
        for spec in SPECS
    ]
    from mlspring.verbs.show import overview

    assert overview(outcomes).row_count == len(SPECS)


def test_ctrl_c_shows_what_is_finished(
    tiny_runs: dict[str, Request],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(catalog.part(SPECS[1], "train"), "train", stopped)
    assert call("run", "all", monkeypatch=monkeypatch) == 130
    shown = capsys.readouterr()
    assert f"{SPECS[0].id} {SPECS[0].title}" in shown.out
    assert "mlspring resume" in shown.err
    assert list(tiny_runs) == [SPECS[0].id, SPECS[1].id]


def test_a_level_that_no_homework_has_starts_nothing(tiny_runs: dict[str, Request]) -> None:
    request = Request(homework="all", recipe="bosss")
    with pytest.raises(RecipeError, match="did you mean boss"):
        list(every.run_all(SPECS, request, lambda *_: pytest.fail("something was started")))


def test_the_exit_code_tells_the_worst() -> None:
    def outcome(code: int) -> every.Outcome:
        return every.Outcome(spec=SPECS[0], run=None, error="x" if code else None, exit_code=code)

    assert every.exit_code([]) == every.exit_code([outcome(0)]) == 0
    assert every.exit_code([outcome(0), outcome(2)]) == 2
    assert every.exit_code([outcome(2), outcome(1)]) == 1
