"""Many measured runs, one after another, of which none is done twice."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlspring import catalog
from mlspring.core import progress
from mlspring.core.errors import RunError
from mlspring.core.locks import Lock, LockedError
from mlspring.core.spec import Spec
from mlspring.verbs.calibration.runs import (
    Runner,
    Task,
    append_record,
    failed,
    measure,
    read_records,
)

Record = dict[str, Any]


def parts_of(spec: Spec) -> tuple[str, ...]:
    """Return the parts of the board that a run is scored on; where nothing is ranked, its own."""
    return ("public", "private") if spec.ranked else ("validation",)


def measure_all(spec: Spec, tasks: Sequence[Task], path: Path, run: Runner) -> dict[Task, Record]:
    """Return all records in ``path`` once it holds those of ``tasks``; missing ones are run now."""
    out = path.parent
    records = read_records(path)
    waiting = [task for task in tasks if task not in records]
    done = len(tasks) - len(waiting)
    if done:
        progress.say(f"{done} of {len(tasks)} runs are in {path} already; delete it to start anew")
    if waiting:
        make_shared(spec, out, run)
    with progress.bar(f"Calibrating {spec.id}", len(tasks), unit="runs", done=done) as bar:
        for task in waiting:
            changed = f" ({', '.join(task.changes)})" if task.changes else ""
            name = f"{task.level}{changed}, seed {task.seed}"
            bar.advance(0, note=name)
            record = measure(task, out, run, parts_of(spec))
            append_record(path, record)
            records[task] = record
            bar.advance()
            if not sys.stderr.isatty():
                part = parts_of(spec)[0]
                score = spec.metric.show(record["result"]["score"][part])
                cost = f"{record['process_seconds']:.1f} s"
                progress.say(f"{spec.id} {name}: {part} {score}, {cost}")
    return records


def make_shared(spec: Spec, out: Path, run: Runner) -> None:
    """Have processes of their own make the world and what else all runs share: none pays for it.

    Raises:
        InternalError: the world, or what ``spec.first`` makes, could not be made.
    """
    messages = out / "messages" / f"{spec.id}-data.txt"
    if (code := run(["data", spec.id], messages).code) != 0:
        raise failed(f"making the world of {spec.id} ended with exit code {code}", messages)
    for level in spec.first:
        messages = out / "messages" / f"{spec.id}-first.txt"
        arguments = ["run", spec.id, level, "--out", str(out / "first"), "--no-submit"]
        if (code := run(arguments, messages).code) != 0:
            raise failed(f"the first run of {spec.id} ended with exit code {code}", messages)


@contextmanager
def only_one(out: Path) -> Iterator[None]:
    """Hold the folder's lock: two calibrations at once would spoil each other's seconds.

    Raises:
        RunError: another calibration writes into ``out``.
    """
    try:
        lock = Lock(out / ".lock")
    except LockedError as error:
        fix = "wait until it ends: runs measured side by side slow each other down"
        raise RunError("another calibration is running here", file=out, fix=fix) from error
    try:
        yield
    finally:
        lock.release()


def world_of(spec: Spec) -> dict[str, Any]:
    """Return name, version and seed of the homework's world, and its folder's name."""
    from mlspring.worlds import world as worlds

    world = catalog.part(spec, "data").world()
    return {
        "name": world.name,
        "version": world.version,
        "seed": world.seed,
        "folder": worlds.folder(world).name,
    }
