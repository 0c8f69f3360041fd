"""A run that is killed and resumed ends like one left alone: real processes, real kills."""

import json
import random
import signal
import time
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.catalog import SPECS
from mlspring.core.errors import RunError
from mlspring.core.spec import Spec
from mlspring.verbs import run as verb
from tests.contract.journey import command, finish, run_tiny, start
from tests.tiny.islands import TINY


def only_run(out: Path) -> Path:
    (environment,) = out.glob("*/*/*/environment.json")
    return environment.parent


def outcome(run: Path) -> dict[str, object]:
    """Return what must not depend on kills: weights, predictions, log without times."""
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return {
        "weights": {f.name: f.read_bytes() for f in sorted(run.glob("checkpoints/*"))},
        "submission": [f.read_bytes() for kind in ("csv", "zip") for f in run.glob(f"*.{kind}")],
        "log": [{k: v for k, v in entry.items() if k != "seconds"} for entry in log],
        "score": json.loads((run / "result.json").read_text())["score"],
    }


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
@pytest.mark.parametrize(("recipe", "precision"), [("simple", "fp32"), ("boss", "bf16")])
def test_kill_and_resume_is_bit_equal(
    spec: Spec, recipe: str, precision: str, tmp_path: Path, isolated_home: Path
) -> None:
    def words(out: Path) -> list[str]:
        return command(spec, data, out, recipe=recipe, precision=precision)

    data = TINY[spec.id].write_data(tmp_path / "data")
    finish(start(words(tmp_path / "whole"), isolated_home))
    expected = outcome(only_run(tmp_path / "whole"))

    out = tmp_path / "killed"
    draw = random.Random(f"{spec.id} {recipe}")
    process = start(words(out), isolated_home)
    for kill in range(3):
        wait_for_step(out, kill)
        time.sleep(draw.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        run = only_run(out)
        if (run / "result.json").exists():  # it was faster than the kill
            break
        process = start(["resume", str(run), "--no-submit"], isolated_home)
    else:
        finish(process)
    assert outcome(only_run(out)) == expected


def wait_for_step(out: Path, kill: int) -> None:
    """Return when the run has logged a further entry, or is finished."""
    deadline = time.monotonic() + 120
    entries = -1
    while time.monotonic() < deadline:
        for log in out.glob("*/*/*/log.jsonl"):
            now = len(log.read_text().splitlines())
            if now > max(entries, 0) and (entries >= 0 or kill == 0):
                return
            entries = now if entries < 0 else entries
            if (log.parent / "result.json").exists():
                return
        time.sleep(0.02)
    pytest.fail("the run logged nothing in two minutes")


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_ctrl_c_leaves_a_run_that_goes_on(spec: Spec, tmp_path: Path, isolated_home: Path) -> None:
    data = TINY[spec.id].write_data(tmp_path / "data")
    process = start(command(spec, data, tmp_path / "runs"), isolated_home)
    wait_for_step(tmp_path / "runs", 0)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    run = only_run(tmp_path / "runs")
    if (run / "result.json").exists():
        pytest.skip("the run was faster than Ctrl-C")
    assert process.returncode == 130
    assert "mlspring resume" in output
    assert "Traceback" not in output
    assert not list(run.rglob("*.part"))
    finish(start(["resume", str(run), "--no-submit"], isolated_home))
    assert (run / "result.json").exists()


PHASES = [
    ("data", "load"),
    ("train", "train"),
    ("predict", "predict"),
    ("submission", "write"),
    ("figures", "draw"),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
@pytest.mark.parametrize(("part", "function"), PHASES, ids=[part for part, _ in PHASES])
def test_ctrl_c_in_any_phase_loses_nothing(
    spec: Spec, part: str, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(catalog.part(spec, part), function, interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_tiny(spec, tmp_path)
    folder = only_run(tmp_path / "runs")
    assert not (folder / "result.json").exists()
    assert not list(folder.rglob("*.part"))
    resumed = verb.resume(folder, submit=False)
    assert resumed.result is not None
    assert resumed.result["resumed"] is True


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_a_finished_or_foreign_folder_is_not_resumed(spec: Spec, tmp_path: Path) -> None:
    run = run_tiny(spec, tmp_path)
    with pytest.raises(RunError, match="this run is finished"):
        verb.resume(run.folder, submit=False)
    with pytest.raises(RunError, match="is not a run folder"):
        verb.resume(tmp_path, submit=False)
