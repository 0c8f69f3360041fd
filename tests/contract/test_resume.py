"""A run that is killed and resumed ends like one left alone: real processes, real kills."""

import json
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlspring import catalog
from mlspring.cli import app
from mlspring.cli.terminal import run_app
from mlspring.core.errors import RunError
from mlspring.core.runs import Run
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge import service
from mlspring.judge.store import Store
from mlspring.verbs import figures as drawings
from mlspring.verbs import run as verb
from tests.contract.cases import JUDGED, each_homework
from tests.contract.journey import (
    command,
    finish,
    num_entries,
    only_run,
    pass_for_world,
    run_tiny,
    slowed,
    start,
    wait_for_entries,
)
from tests.tiny.islands import TINY


def outcome(run: Path) -> dict[str, object]:
    """Return what must not depend on kills: weights, predictions, log without times."""
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    result = json.loads((run / "result.json").read_text())
    submission = run / catalog.find(result["homework"]).submission_name
    return {
        "weights": {f.name: f.read_bytes() for f in sorted(run.glob("checkpoints/*"))},
        "submission": submission.read_bytes() if submission.is_file() else None,
        "log": [{k: v for k, v in entry.items() if k != "seconds"} for entry in log],
        "score": result["score"],
    }


@each_homework
@pytest.mark.parametrize(
    ("level", "precision"), [(0, "fp32"), (-1, "bf16")], ids=["first-fp32", "last-bf16"]
)
def test_kill_and_resume_is_bit_equal(
    spec: Spec, level: int, precision: str, tmp_path: Path, isolated_home: Path
) -> None:
    recipe = spec.levels[level]

    def words(out: Path) -> list[str]:
        return command(spec, data, out, recipe=recipe, precision=precision)

    data = TINY[spec.id].write_data(tmp_path / "data")
    finish(start(words(tmp_path / "whole"), isolated_home, figures=False))
    expected = outcome(only_run(tmp_path / "whole"))

    out, slow = tmp_path / "killed", slowed(tmp_path, 0.06)  # 5 waits outlast the first kill's
    draw = random.Random(f"{spec.id} {recipe}")
    process = start(words(out), isolated_home, slow, figures=False)
    for kill in range(3):
        wait_for_entries(out, num_entries(out) + 1)
        time.sleep(draw.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        run = only_run(out)
        if (run / "result.json").exists():  # it was faster than the kill
            assert kill > 0
            break
        process = start(["resume", str(run)], isolated_home, slow, figures=False)
    else:
        finish(process)
    assert outcome(only_run(out)) == expected


@each_homework
def test_ctrl_c_leaves_a_run_that_goes_on(spec: Spec, tmp_path: Path, isolated_home: Path) -> None:
    data = TINY[spec.id].write_data(tmp_path / "data")
    words = command(spec, data, tmp_path / "runs")
    process = start(words, isolated_home, slowed(tmp_path, 600))
    wait_for_entries(tmp_path / "runs", 1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    run = only_run(tmp_path / "runs")
    assert not (run / "result.json").exists()
    assert process.returncode == 130
    assert f"mlspring resume {run}" in output
    assert "Traceback" not in output
    assert not list(run.rglob("*.part"))
    finish(start(["resume", str(run)], isolated_home, figures=False))
    assert (run / "result.json").exists()


PHASES = [
    "data.load",
    "train.train",
    "drawings.draw_all",
    "run.finish",
]  # in the order in which a run comes to them
JUDGED_PHASES = [
    *PHASES[:2],
    "predict.predict",
    "verb._write",
    "drawings.draw_all",
    "service.submit",
    "run.finish",
]
PLACES = {"service": service, "verb": verb, "drawings": drawings, "run": Run}


@each_homework
def test_ctrl_c_in_every_phase_loses_nothing(
    spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One run is stopped in each of its phases; every time it goes on, and it hands in once."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    pass_for_world(spec, tmp_path, monkeypatch)
    monkeypatch.setattr(drawings, "draw_all", lambda *_: ())  # three times most of the work
    words = command(spec, "world", tmp_path / "runs")
    words.remove("--no-submit")
    for phase in JUDGED_PHASES if spec in JUDGED else PHASES:
        part, function = phase.split(".")
        place = PLACES.get(part) or catalog.part(spec, part)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["mlspring", *words])
            patch.setattr(place, function, interrupted)
            assert run_app(app) == 130, phase
        shown = capsys.readouterr()
        folder = only_run(tmp_path / "runs")
        words = ["resume", str(folder)]
        assert f"mlspring resume {folder}" in shown.err, phase
        assert "Traceback" not in shown.err, phase
        assert not (folder / "result.json").exists(), phase
        assert not list(folder.rglob("*.part")), phase

    resumed = verb.resume(folder)
    assert resumed.result is not None
    assert resumed.result["resumed"] is True
    entries = service.open_store().submissions(spec.id)
    scored = [entry.number for entry in entries if entry.state == State.SCORED]
    assert scored == ([resumed.state["submission"]] if spec in JUDGED else [])


@each_homework
def test_a_finished_or_foreign_folder_is_not_resumed(
    spec: Spec, tmp_path: Path, finished: Callable[..., Run]
) -> None:
    run = finished(spec)
    with pytest.raises(RunError, match="this run is finished"):
        verb.resume(run.folder)
    with pytest.raises(RunError, match="is not a run folder"):
        verb.resume(tmp_path)


# ---- the verb's own promises: one homework is enough


def test_a_run_stopped_after_its_submission_hands_in_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stopped(tmp_path, monkeypatch, submit=True, where=(Run, "finish"))
    (entry,) = service.open_store().submissions()
    assert Run.open(folder).state["submission"] == entry.number
    assert verb.resume(folder).result is not None
    assert service.open_store().submissions() == [entry]


def test_a_kill_before_the_number_is_noted_does_not_hand_in_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = Run.note

    def killed(run: Run, **values: object) -> None:
        if "submission" in values:
            raise KeyboardInterrupt
        note(run, **values)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "note", killed)
        folder = stopped(tmp_path, monkeypatch, submit=True)
    (entry,) = service.open_store().submissions()
    assert entry.state == State.SCORED
    assert "submission" not in Run.open(folder).state
    assert verb.resume(folder).state["submission"] == entry.number
    assert service.open_store().submissions() == [entry]


def test_a_kill_while_it_is_judged_does_not_hand_in_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No word of a killed judge reaches the board: neither a score nor a failure."""
    folder = stopped(tmp_path, monkeypatch, submit=True, where=(Store, "finish"))
    assert verb.resume(folder).result is not None
    (entry,) = service.open_store().submissions()
    assert (entry.state, entry.num_attempts) == (State.SCORED, 2)
    assert Run.open(folder).state["submission"] == entry.number


def test_two_runs_with_the_same_file_hand_in_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = (service, "submit")
    folder = stopped(tmp_path, monkeypatch, submit=True, where=where)
    run_tiny(JUDGED[0], tmp_path / "again", data="world")
    verb.resume(folder)
    first, second = service.open_store().submissions()
    assert first.sha256 == second.sha256


def test_a_run_resumed_beside_another_board_hands_in_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stopped(tmp_path, monkeypatch, submit=True, where=(Run, "finish"))
    monkeypatch.setenv("MLSPRING_HOME", str(tmp_path / "elsewhere"))
    assert verb.resume(folder).result is not None
    (entry,) = service.open_store().submissions()
    assert entry.state == State.SCORED


@pytest.mark.parametrize(
    ("asked", "told", "num_handed_in"),
    [(False, None, 0), (False, True, 1), (True, None, 1), (True, False, 0)],
)
def test_resume_hands_in_as_the_run_was_asked_to(
    asked: bool,
    told: bool | None,
    num_handed_in: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = (catalog.part(JUDGED[0], "predict"), "predict")
    folder = stopped(tmp_path, monkeypatch, submit=asked, where=where)
    verb.resume(folder, submit=told)
    assert len(service.open_store().submissions()) == num_handed_in


def stopped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    submit: bool,
    where: tuple[Any, str] | None = None,
) -> Path:
    """Return a run that was stopped where a function would have been called; None: anyhow."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    pass_for_world(JUDGED[0], tmp_path, monkeypatch)
    monkeypatch.setattr(drawings, "draw_all", lambda *_: ())  # half of the time, no matter here
    with monkeypatch.context() as patch:
        if where is not None:
            patch.setattr(*where, interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_tiny(JUDGED[0], tmp_path, data="world", submit=submit)
    return only_run(tmp_path / "runs")
