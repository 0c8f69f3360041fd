"""Two processes under ``torchrun`` train like one with the same global batch."""

import json
import sys
from pathlib import Path

import pytest

from mlspring.catalog import SPECS
from mlspring.core.spec import Spec
from tests.contract.journey import command, finish, start
from tests.tiny.islands import TINY

# Batch norm takes its statistics from each process's share, so losses agree closely, not exactly.
TOLERANCE = 0.10

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node")


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
    ones, manies = ([entry[key] for entry in log if key in entry] for log in (one, many))
    assert manies[0] == pytest.approx(ones[0], rel=TOLERANCE)
    assert manies[-1] == pytest.approx(ones[-1], rel=2 * TOLERANCE)
    assert output.count("next: mlspring report") == 1, "only the first process speaks"
    assert len(list((tmp_path / "many").glob("*/*/*/result.json"))) == 1
