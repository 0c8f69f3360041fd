"""Two processes under ``torchrun`` train like one with the same global batch."""

import json
import signal
from pathlib import Path

import pytest

from mlspring.catalog import SPECS
from mlspring.core.spec import Spec
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

# Batch norm takes its statistics from each process's share, so losses agree closely, not exactly.
TOLERANCE = 0.10


def log_of(out: Path) -> list[dict[str, float]]:
    (path,) = out.glob("*/*/*/log.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
@pytest.mark.parametrize("num_processes", [2, 3])
def test_many_processes_learn_like_one(
    spec: Spec, num_processes: int, tmp_path: Path, isolated_home: Path
) -> None:
    data = TINY[spec.id].write_data(tmp_path / "data")
    finish(start(command(spec, data, tmp_path / "one"), isolated_home))
    words = command(spec, data, tmp_path / "many")
    launcher = (*TORCHRUN, str(num_processes), "-m", "mlspring")
    output = finish(start(words, isolated_home, *launcher))

    one, many = log_of(tmp_path / "one"), log_of(tmp_path / "many")
    assert [entry["step"] for entry in many] == [entry["step"] for entry in one]
    key = TINY[spec.id].loss
    assert many[0][key] == pytest.approx(one[0][key], rel=TOLERANCE)
    assert many[-1][key] == pytest.approx(one[-1][key], rel=2 * TOLERANCE)
    assert output.count("next: mlspring report") == 1, "only the first process speaks"
    assert len(list((tmp_path / "many").glob("*/*/*/result.json"))) == 1


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_many_processes_go_on_where_they_were_stopped(
    spec: Spec, tmp_path: Path, isolated_home: Path
) -> None:
    data = TINY[spec.id].write_data(tmp_path / "data")
    together = (*TORCHRUN, "2", "-m", "mlspring")
    whole = command(spec, data, tmp_path / "whole", recipe="boss")
    finish(start(whole, isolated_home, *together))

    waiting = tmp_path / "waiting.py"
    waiting.write_text(WAITING)
    stopped = command(spec, data, tmp_path / "stopped", recipe="boss")
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
