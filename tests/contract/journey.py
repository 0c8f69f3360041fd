"""Runs of a homework on its tiny data, in this process or as a real one."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from mlspring import catalog
from mlspring.core.locks import locked
from mlspring.core.runs import Request, Run
from mlspring.core.source import Source
from mlspring.core.spec import Spec
from mlspring.verbs import figures as drawings
from mlspring.verbs import run as verb
from tests.contract.forks import Fork, ranks
from tests.tiny.islands import TINY

Process = subprocess.Popen[str] | Fork

ROOT = Path(__file__).resolve().parents[2]
FORKS = sys.platform == "linux"  # elsewhere a fork of a process that loaded torch may not live
MODULE = ("-m", "mlspring")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node")

SLOWED = """
import time
from mlspring.cli import main
from mlspring.core.locks import locked
from mlspring.core.runs import Run

log = Run.log

def log_and_wait(run, **values):
    log(run, **values)
    if (run.folder / "environment.json").exists():
        time.sleep({seconds})

Run.log = log_and_wait
main()
"""


def slowed(folder: Path, seconds: float) -> Path:
    """Return a script: the command line, but for a wait after each entry of the log.

    So a run is surely still at work when a signal comes. What is made beside a run for all runs, a
    teacher or an encoder, has a log of its own and is not slowed.
    """
    script = folder / f"wait-{seconds}.py"
    script.write_text(SLOWED.format(seconds=seconds))
    return script


def run_tiny(
    spec: Spec,
    tmp_path: Path,
    *,
    recipe: str = "",
    seed: int = 0,
    data: str = "",
    submit: bool = True,
    figures: bool = True,
    more: tuple[str, ...] = (),
) -> Run:
    """Return a finished run of a few steps.

    Args:
        spec: the homework.
        tmp_path: the test's folder.
        recipe: by name; default: the world's first level.
        seed: of the run.
        data: where from; default: the homework's tiny folder.
        submit: whether to hand in.
        figures: whether to draw them: half of the time.
        more: overrides beside the homework's tiny ones.
    """
    tiny = TINY[spec.id]
    folder = tmp_path / "data"
    if not data:
        data = str(folder if folder.exists() else tiny.write_data(folder))
    request = Request(
        homework=spec.id,
        recipe=recipe or f"world/{spec.levels[0]}",
        data=data,
        seed=seed,
        device="cpu",
        precision="fp32",  # no probe: a test must not depend on how busy the machine is
        submit=submit,
    )
    draw = drawings.draw_all if figures else lambda *_: ()
    with mock.patch.object(drawings, "draw_all", draw):
        return verb.run(spec, request, overrides=(*tiny.small, *more), out=tmp_path / "runs")


def finished_run(spec: Spec, shared: Path, *, recipe: str = "") -> Run:
    """Return a finished run of a few steps that many tests read and none changes.

    Args:
        spec: the homework.
        shared: the folder of such runs, for all processes that test at once.
        recipe: by name; default: the world's first level.
    """
    recipe = recipe or f"world/{spec.levels[0]}"
    place = shared / spec.id / recipe
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / ".lock", on_wait=lambda: None):
        if not (done := list(place.glob("runs/*/*/*/result.json"))):
            return run_tiny(spec, place, recipe=recipe)
    return Run.open(done[0].parent)


def pass_for_world(spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the homework's tiny folder and its answers stand where its world does, for ``run_tiny``.

    So a test sees a run as far as the board without the minutes that a world can take.
    """
    tiny, loader = TINY[spec.id], catalog.part(spec, "data")
    folder = tiny.write_data(tmp_path / "data")
    for name in ("load", "test_ids") if spec.ranked else ("load",):
        reads = functools.partial(_as_folder, getattr(loader, name))
        monkeypatch.setattr(loader, name, reads)
    world = Source(kind="world", folder=folder)
    monkeypatch.setattr(verb.sources, "open_source", lambda *_: world)
    if spec.ranked:
        answers = tiny.write_answers(tmp_path / "answers.csv")
        for name in ("answers_of", "world_answers"):
            monkeypatch.setattr(verb.sources, name, lambda *_: answers)


def _as_folder(reads: Callable[..., Any], source: Source, *rest: Any) -> Any:
    return reads(replace(source, kind="official"), *rest)


def command(
    spec: Spec,
    data: Path | str,
    out: Path,
    *,
    recipe: str = "",
    precision: str = "fp32",
    more: tuple[str, ...] = (),
) -> list[str]:
    """Return the arguments of ``mlspring run`` for a few steps on ``data``.

    Args:
        spec: the homework.
        data: a folder in the official layout, or ``world``.
        out: folder of all runs.
        recipe: one of the world's; default: the first level.
        precision: the arithmetic; none is measured.
        more: overrides beside the homework's tiny ones.
    """
    sets = [word for override in (*TINY[spec.id].small, *more) for word in ("--set", override)]
    recipe = f"world/{recipe or spec.levels[0]}"
    words = ["run", spec.id, recipe, "--data", str(data), "--out", str(out)]
    return [*words, *sets, "--no-submit", "--device", "cpu", "--precision", precision]


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a child: one thread, so that sums have one order."""
    known = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    path = os.pathsep.join(
        (str(ROOT / "src"), str(ROOT))
    )  # this checkout, wherever one is installed
    return {**known, "MLSPRING_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def start(
    words: list[str], home: Path, script: Path | None = None, *, figures: bool = True
) -> Process:
    """Start the command line with ``words``, or a script in its place; its output is kept.

    Without ``figures`` a run draws none, which halves the time of a tiny one.
    """
    if FORKS:
        return Fork(words, script, _output(home), environment(home), figures=figures)
    return start_whole(words, home, sys.executable, *([str(script)] if script else MODULE))


def start_together(
    words: list[str], home: Path, size: int, script: Path | None = None, *, figures: bool = True
) -> list[Process]:
    """Start what ``torchrun`` would: ``size`` processes that share the work."""
    if not FORKS:
        return start_by_torchrun(words, home, size, script)
    known = environment(home)
    return [
        Fork(words, script, _output(home), known | rank, figures=figures) for rank in ranks(size)
    ]


def start_by_torchrun(
    words: list[str], home: Path, size: int, script: Path | None = None, *, figures: bool = True
) -> list[Process]:
    """Start ``torchrun`` itself, which starts the processes; whole ones always draw."""
    program = [str(script)] if script else MODULE
    return [start_whole(words, home, *TORCHRUN, str(size), *program)]


def start_whole(words: list[str], home: Path, *launcher: str) -> Process:
    """Start ``python -m mlspring`` (or another launcher) with ``words``: a whole interpreter."""
    return subprocess.Popen(
        [*(launcher or (sys.executable, *MODULE)), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(home),
    )


def _output(home: Path) -> Path:
    """Return a new file for what a process says; beside ``home``, which it may be asked about."""
    stream, name = tempfile.mkstemp(suffix=".txt", dir=home.parent)
    os.close(stream)
    return Path(name)


def only_run(out: Path) -> Path:
    """Return the folder of the one run under ``out``."""
    (environment,) = out.glob("*/*/*/environment.json")
    return environment.parent


def num_entries(out: Path) -> int:
    """Return how many lines the log of the run under ``out`` has; 0 before there is one."""
    return sum(len(log.read_text().splitlines()) for log in out.glob("*/*/*/log.jsonl"))


def wait_for_entries(out: Path, wanted: int) -> None:
    """Return when the run under ``out`` has logged so many entries, or is finished."""
    deadline = time.monotonic() + 120
    while num_entries(out) < wanted and not list(out.glob("*/*/*/result.json")):
        if time.monotonic() > deadline:
            pytest.fail("the run logged nothing in two minutes")
        time.sleep(0.02)


def finish(*processes: Process, timeout: float = 300) -> str:
    """Return the output of processes that must end well."""
    said = [process.communicate(timeout=timeout)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(said), "\n".join(said)
    return "".join(said)
