"""``mlspring calibrate``: measure every level on its world, then write baselines and results."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspring.core import progress
from mlspring.core.errors import UserError
from mlspring.core.files import read_json, write_json, write_text
from mlspring.core.spec import Spec
from mlspring.verbs.calibration.baselines import (
    find_baselines,
    overlaps,
    replace_world,
    spread,
    world_table,
)
from mlspring.verbs.calibration.results import (
    BUDGET_CORES,
    conditions,
    late,
    summarize,
    table,
)
from mlspring.verbs.calibration.runs import Runner, Task, recipe_hash, run_child
from mlspring.verbs.calibration.series import Record, measure_all, only_one, world_of


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What a calibration found.

    Args:
        results: the content of the results file.
        defects: a level that cannot be told from its neighbour, or is over its budget.
        missing: runs that are still to be measured before there can be baselines.
        written: the files that were written.
    """

    results: dict[str, Any]
    defects: tuple[str, ...]
    missing: int
    written: tuple[Path, ...]


def _checkout() -> Path | None:
    """Return the root of the repository that this package runs from, None when installed."""
    root = Path(__file__).resolve().parents[4]
    return root if (root / "pyproject.toml").is_file() and (root / "benchmarks").is_dir() else None


CHECKOUT = _checkout()


def calibrate(
    spec: Spec,
    *,
    seeds: int,
    out: Path,
    levels: Sequence[str] | None = None,
    run: Runner = run_child,
    root: Path | None = CHECKOUT,
) -> Calibration:
    """Measure ``levels`` with ``seeds`` seeds each, one run at a time, and write what follows.

    A run that ``out`` already holds is not done again, so a stopped calibration goes on. Baselines
    are written once every level has every seed, there are at least two, and no two levels
    overlap. A budget that was passed is a defect too, but says nothing against the baselines.

    Args:
        spec: the homework.
        seeds: runs of each level, with the seeds 0, 1, 2 ...
        out: keeps ``hwNN.jsonl`` (a line a run), the run folders, messages and results.
        levels: the levels to run now; all by default.
        run: starts a process; tests give another.
        root: the repository in which baselines and ``benchmarks/results`` are written, by default
            the one this code runs from; without one (an installed package) they stay in ``out``.

    Raises:
        UserError: no such level, fewer than one seed, or a homework without baselines.
        RunError: another calibration writes into ``out``.
        InternalError: a run failed; what was measured before is kept.
    """
    spec.require_ranking()
    chosen = tuple(levels) if levels else spec.levels
    if unknown := [level for level in chosen if level not in spec.levels]:
        known = ", ".join(spec.levels)
        raise UserError(f"{spec.id} has no level {unknown[0]!r}", expected=f"one of {known}")
    if seeds < 1:
        raise UserError(f"{seeds} seeds measure nothing", expected="at least 1, better 5")
    tasks = plan(spec, seeds)
    with only_one(out):
        wanted = [task for task in tasks if task.level in chosen]
        path = out / f"{spec.id}.jsonl"
        records = measure_all(spec, wanted, path, run)
        records = {task: kept for task in tasks if (kept := records.get(task))}
    calibration = _summed_up(spec, tasks, records, out, root)
    _tell(spec, calibration)
    return calibration


def plan(spec: Spec, seeds: int) -> list[Task]:
    """Return every run of a calibration: all levels with seed 0, then all with seed 1 ...

    A machine that grows slower or busier in the meantime then does so for all levels alike.
    """
    world = world_of(spec)["folder"]
    recipes = spec.folder / "recipes" / "world"
    hashes = {level: recipe_hash(recipes / f"{level}.toml") for level in spec.levels}
    return [
        Task(homework=spec.id, level=level, seed=seed, recipe=hashes[level], world=world)
        for seed in range(seeds)
        for level in spec.levels
    ]


def _summed_up(
    spec: Spec, tasks: Sequence[Task], records: Mapping[Task, Record], out: Path, root: Path | None
) -> Calibration:
    """Compute summaries, defects and baselines, and write all that may be written."""
    by_level = {
        level: [record for task, record in records.items() if task.level == level]
        for level in spec.levels
    }
    summaries = {level: summarize(level, found) for level, found in by_level.items() if found}
    missing = len(tasks) - len(records)
    seeds = len(tasks) // len(spec.levels)
    parts = ("public", "private")
    overlapping: list[str] = []
    baselines: dict[str, dict[str, float]] = {}
    if not missing:
        scores = {p: {lv: summaries[lv][p]["seeds"] for lv in spec.levels} for p in parts}
        overlapping = [o for p in parts for o in overlaps(spec.metric, spec.levels, scores[p], p)]
        if not overlapping and seeds > 1:
            shake = max(spread(scores[part][spec.levels[0]]) for part in parts)
            baselines = {
                part: find_baselines(spec.metric, spec.levels, scores[part], shake=shake)
                for part in parts
            }
    about = conditions(list(records.values()))
    cores = about["hardware"].get("cores") or 0
    defects = (*overlapping, *(late(summaries) if cores >= BUDGET_CORES else ()))
    results = {
        "homework": spec.id,
        "command": f"mlspring calibrate {spec.id} --seeds {seeds}",
        "date": time.strftime("%Y-%m-%d"),
        "seeds": list(range(seeds)),
        "world": world_of(spec),
        **about,
        "defects": list(defects),
        "baselines": baselines,
        "levels": summaries,
    }
    written = _write(spec, results, out, root)
    return Calibration(results=results, defects=defects, missing=missing, written=written)


def _write(spec: Spec, results: dict[str, Any], out: Path, root: Path | None) -> tuple[Path, ...]:
    """Write the results, and with them the baselines where there are any; return the files.

    ``benchmarks/results`` always agrees with the baselines, so it waits for them too.
    """
    written = [out / f"{spec.id}.json"]
    if results["baselines"] and root:
        written.append(root / "benchmarks" / "results" / f"{spec.id}.json")
    for path in written:
        references = read_json(path).get("references", {}) if path.exists() else {}
        write_json(path, results | ({"references": references} if references else {}))
    if results["baselines"]:
        path = spec.folder / "baselines.toml" if root else out / f"{spec.id}-baselines.toml"
        before = path.read_bytes().decode("utf-8") if path.exists() else ""
        world = world_table(_origin(results), **results["baselines"])
        write_text(path, replace_world(before, world, path))
        written.append(path)
    return tuple(written)


def _origin(results: Mapping[str, Any]) -> str:
    """Return the sentence that stands beside the baselines."""
    world = results["world"]
    return (
        f"Measured: midway between neighbouring levels over {len(results['seeds'])} seeds, on "
        f"world {world['name']} version {world['version']} seed {world['seed']}; "
        f"{results['command']}, {results['date']}, commit {results['commit']}."
    )


def _tell(spec: Spec, calibration: Calibration) -> None:
    """Say on stderr what was found, what is wrong with it and where it was written."""
    results = calibration.results
    progress.say(table(spec, results["levels"], results["baselines"]))
    for defect in calibration.defects:
        progress.say(f"DEFECT: {spec.id}: {defect}")
    if "," in results["commit"]:
        progress.say(f"These runs are of several commits: {results['commit']}")
    if not results["baselines"]:
        if calibration.missing:
            why = f"{calibration.missing} runs of other levels or seeds are missing"
        elif len(results["seeds"]) < 2:
            why = "one seed has no spread; give --seeds 5"
        else:
            why = "mend the recipe or the world first"
        progress.say(f"No baselines were written: {why}.")
    for path in calibration.written:
        progress.say(f"Written: {path}")
