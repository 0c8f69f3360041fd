"""Several processes train like one with the same global batch.

``torchrun`` itself starts them for the first homework; elsewhere they get from us the variables
that it would set.
"""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from mlspring.catalog import SPECS
from mlspring.core.spec import Spec
from tests.contract.cases import each_homework
from tests.contract.journey import (
    Process,
    command,
    finish,
    only_run,
    slowed,
    start,
    start_by_torchrun,
    start_together,
    wait_for_entries,
)
from tests.tiny.islands import TINY

Starter = Callable[..., list[Process]]


def log_of(out: Path) -> list[dict[str, float]]:
    lines = (only_run(out) / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


TELLS_WEIGHTS = """
import hashlib
from pathlib import Path
from mlspring.cli import main
from mlspring.kit.training import Bookkeeper

finish = Bookkeeper.finish

def tell_and_finish(books):
    weights = b"".join(p.detach().numpy().tobytes() for p in books.state.model.parameters())
    file = Path({folder!r}) / f"{{books.number}}-{{books.ranks.rank}}.weights"
    file.write_text(hashlib.sha256(weights).hexdigest())
    finish(books)

Bookkeeper.finish = tell_and_finish
main()
"""


def telling_weights(folder: Path) -> Path:
    """Return a script: the command line, whose processes leave a digest of their weights."""
    script = folder / "tell.py"
    script.write_text(TELLS_WEIGHTS.format(folder=str(folder)))
    return script


def weights_told(folder: Path) -> dict[str, list[str]]:
    """Return by network what the processes told."""
    told: dict[str, list[str]] = {}
    for file in folder.glob("*.weights"):
        told.setdefault(file.stem.partition("-")[0], []).append(file.read_text())
    return told


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def learn_like_one(
    spec: Spec, level: str, sizes: tuple[int, ...], tmp_path: Path, together: Starter
) -> None:
    """Check one process against each number of processes."""
    tiny, one = TINY[spec.id], tmp_path / "one"
    figures = level == spec.levels[0]  # which processes draw them does not depend on the level
    data = tiny.write_data(tmp_path / "data")
    one.mkdir()
    words = command(spec, data, one / "runs", recipe=level, more=tiny.alike)
    finish(start(words, one / "home", figures=figures))
    alone = log_of(one / "runs")
    for size in sizes:
        many = tmp_path / f"many-{size}"
        many.mkdir()
        words = command(spec, data, many / "runs", recipe=level, more=tiny.alike)
        script = telling_weights(many)
        output = finish(*together(words, many / "home", size, script, figures=figures))
        found = log_of(many / "runs")
        assert [entry["step"] for entry in found] == [entry["step"] for entry in alone]
        expected, values = (
            [entry[tiny.held_out] for entry in log if tiny.held_out in entry]
            for log in (alone, found)
        )
        assert values == pytest.approx(expected, rel=tiny.tolerance)

        # Each process has its own share of the batches: only averaged gradients keep them alike.
        told = weights_told(many)
        assert {len(told.pop(number, ["once"])) for number in tiny.trained_by_one} <= {1}
        assert told and {len(digests) for digests in told.values()} == {size}
        assert {len(set(digests)) for digests in told.values()} == {1}
        assert output.count("next: mlspring report") == 1, "only the first process speaks"
        assert files_in(only_run(many / "runs")) == files_in(only_run(one / "runs"))
        assert files_in(many / "home") == files_in(one / "home"), "only the first process writes"


def go_on_where_they_were_stopped(
    spec: Spec, tmp_path: Path, home: Path, together: Starter
) -> None:
    """Check that processes which were stopped at once end like ones left alone."""
    data = TINY[spec.id].write_data(tmp_path / "data")
    whole = command(spec, data, tmp_path / "whole", recipe=spec.levels[-1])
    finish(*start_together(whole, home, 2, figures=False))

    stopped = command(spec, data, tmp_path / "stopped", recipe=spec.levels[-1])
    processes = together(stopped, home, 2, slowed(tmp_path, 600))
    wait_for_entries(tmp_path / "stopped", 1)
    for process in processes:
        process.send_signal(signal.SIGTERM)  # torchrun ends its processes at once
    for process in processes:
        process.communicate(timeout=60)
    run = only_run(tmp_path / "stopped")
    assert not (run / "result.json").exists()
    finish(*together(["resume", str(run)], home, 2, figures=False))

    def weights(folder: Path) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in folder.glob("checkpoints/*")}

    assert weights(run) == weights(only_run(tmp_path / "whole"))
    assert json.loads((run / "result.json").read_text())["resumed"] is True


@each_homework
@pytest.mark.parametrize(("level", "sizes"), [(0, (2, 3)), (-1, (2,))], ids=["first", "last"])
def test_many_processes_learn_like_one(
    spec: Spec, level: int, sizes: tuple[int, ...], tmp_path: Path
) -> None:
    learn_like_one(spec, spec.levels[level], sizes, tmp_path, start_together)


@each_homework
def test_many_processes_go_on_where_they_were_stopped(
    spec: Spec, tmp_path: Path, isolated_home: Path
) -> None:
    go_on_where_they_were_stopped(spec, tmp_path, isolated_home, start_together)


# ---- torchrun itself: one homework is enough


def test_torchrun_learns_like_one(tmp_path: Path) -> None:
    learn_like_one(SPECS[0], SPECS[0].levels[0], (2,), tmp_path, start_by_torchrun)


def test_torchrun_goes_on_where_it_was_stopped(tmp_path: Path, isolated_home: Path) -> None:
    go_on_where_they_were_stopped(SPECS[0], tmp_path, isolated_home, start_by_torchrun)
