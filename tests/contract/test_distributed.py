"""Two processes under ``torchrun`` train like one with the same global batch."""

import json
import signal
from pathlib import Path

import pytest

from mlspring.core.spec import Spec
from tests.contract.cases import each_homework
from tests.contract.journey import (
    TORCHRUN,
    WAITING,
    command,
    finish,
    only_run,
    start,
    wait_for_entries,
)
from tests.tiny.islands import TINY


def log_of(out: Path) -> list[dict[str, float]]:
    lines = (only_run(out) / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@each_homework
@pytest.mark.parametrize(
    ("num_processes", "level"), [(2, 0), (3, 0), (2, -1)], ids=["2-first", "3-first", "2-last"]
)
def test_many_processes_learn_like_one(
    spec: Spec, num_processes: int, level: int, tmp_path: Path
) -> None:
    tiny, one, many = TINY[spec.id], tmp_path / "one", tmp_path / "many"
    recipe = spec.levels[level]
    data = tiny.write_data(tmp_path / "data")
    words = command(spec, data, one / "runs", recipe=recipe, more=tiny.alike)
    finish(start(words, one / "home"))
    words = command(spec, data, many / "runs", recipe=recipe, more=tiny.alike)
    launcher = (*TORCHRUN, str(num_processes), "-m", "mlspring")
    output = finish(start(words, many / "home", *launcher))

    alone, together = log_of(one / "runs"), log_of(many / "runs")
    assert [entry["step"] for entry in together] == [entry["step"] for entry in alone]
    key = tiny.held_out
    expected, found = ([e[key] for e in log if key in e] for log in (alone, together))
    assert found == pytest.approx(expected, rel=tiny.tolerance)

    assert output.count("next: mlspring report") == 1, "only the first process speaks"
    assert files_in(only_run(many / "runs")) == files_in(only_run(one / "runs"))
    assert files_in(many / "home") == files_in(one / "home"), "only the first process writes"


@each_homework
def test_many_processes_go_on_where_they_were_stopped(
    spec: Spec, tmp_path: Path, isolated_home: Path
) -> None:
    data = TINY[spec.id].write_data(tmp_path / "data")
    together = (*TORCHRUN, "2", "-m", "mlspring")
    whole = command(spec, data, tmp_path / "whole", recipe=spec.levels[-1])
    finish(start(whole, isolated_home, *together))

    waiting = tmp_path / "waiting.py"
    waiting.write_text(WAITING)
    stopped = command(spec, data, tmp_path / "stopped", recipe=spec.levels[-1])
    process = start(stopped, isolated_home, *TORCHRUN, "2", str(waiting))
    wait_for_entries(tmp_path / "stopped", 1)
    process.send_signal(signal.SIGTERM)  # torchrun ends its processes at once
    process.communicate(timeout=60)
    run = only_run(tmp_path / "stopped")
    assert not (run / "result.json").exists()
    finish(start(["resume", str(run)], isolated_home, *together))

    def weights(folder: Path) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in folder.glob("checkpoints/*")}

    assert weights(run) == weights(only_run(tmp_path / "whole"))
    assert json.loads((run / "result.json").read_text())["resumed"] is True
