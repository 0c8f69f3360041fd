"""``mlspring calibrate HW --ablate``: each level against itself without what it adds.

An island names what to take away in ``recipes/ablations.toml``; steps, size and data stay:

    [[ablation]]
    level = "medium"
    without = "the residual wiring"
    changes = { "model.name" = "plain" }

The first row of a level takes away the technique that the course names for it. It should make at
least half of the step from the level below; where it does not, longer training or something else
does, and the level teaches the wrong thing.
"""

import json
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspring.core import progress
from mlspring.core.errors import RecipeError, UserError
from mlspring.core.files import read_json, write_json
from mlspring.core.recipe import flatten
from mlspring.core.spec import Spec
from mlspring.verbs import recipes
from mlspring.verbs.calibration.calibrate import CHECKOUT
from mlspring.verbs.calibration.results import conditions, numbers, show_mean
from mlspring.verbs.calibration.runs import Runner, Task, recipe_hash, run_child, values_hash
from mlspring.verbs.calibration.series import (
    Record,
    measure_all,
    only_one,
    parts_of,
    world_of,
)

LEAST_SHARE = 0.5  # of the step from the level below that the technique named for a level makes
KEPT = (
    "train.steps",
    "train.steps_per_task",
    "train.batch_size",
    "train.batch_tokens",
)  # what would make a comparison one of more training


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """A recipe and what is taken away from it.

    Args:
        level: the name of a recipe of the world.
        without: what is taken away; ends the sentence "medium without ...".
        changes: of the form ``section.key=value``, as ``--set`` takes them.
        named: whether it is the technique that the course names for the level.
    """

    level: str
    without: str
    changes: tuple[str, ...]
    named: bool


def read_ablations(spec: Spec) -> tuple[Ablation, ...]:
    """Return what the island wants to be compared, in its order.

    Raises:
        UserError: the island names nothing.
        RecipeError: its file is not valid, names no recipe, or changes how long is trained.
    """
    file = spec.folder / "recipes" / "ablations.toml"
    if not file.is_file():
        raise UserError(f"{spec.id} names nothing to take away", expected=f"{file}")
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("ablation", [])
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"is not valid TOML: {error}", file=file) from error
    found: list[Ablation] = []
    for number, row in enumerate(rows, 1):
        if set(row) != {"level", "without", "changes"}:
            expected = "level, without and changes"
            raise RecipeError(f"row {number} has {', '.join(row)}", file=file, expected=expected)
        if longer := [key for key in KEPT if key in row["changes"]]:
            fix = "compare at equal steps, or the table says nothing about the technique"
            raise RecipeError(f"row {number} changes {longer[0]}", file=file, fix=fix)
        level = row["level"]
        changes = tuple(f"{key}={json.dumps(value)}" for key, value in row["changes"].items())
        named = spec.ranked and level not in [other.level for other in found]
        found.append(Ablation(level=level, without=row["without"], changes=changes, named=named))
    return tuple(found)


def ablate(
    spec: Spec,
    *,
    seeds: int,
    out: Path,
    run: Runner = run_child,
    root: Path | None = CHECKOUT,
) -> dict[str, Any]:
    """Measure every level with and without what it adds; return and write the results.

    Scores of a level are taken from its calibration where that is of the same recipe and world.
    A run that ``out`` already holds is not done again, so a stopped measurement goes on.

    Args:
        spec: the homework.
        seeds: runs of each row, with the seeds 0, 1, 2 ...
        out: keeps ``hwNN-ablations.jsonl`` (a line a run), the run folders and messages.
        run: starts a process; tests give another.
        root: the repository in which ``benchmarks/results`` is written; without one: ``out``.

    Raises:
        UserError: fewer than one seed, or the island names nothing to take away.
        RecipeError: what it names is not valid.
        RunError: another calibration writes into ``out``.
        InternalError: a run failed; what was measured before is kept.
    """
    if seeds < 1:
        raise UserError(f"{seeds} seeds measure nothing", expected="at least 1, better 3")
    ablations = read_ablations(spec)
    folder = (root / "benchmarks" / "results") if root else out
    known = calibrated(spec, folder / f"{spec.id}.json", seeds)
    wanted = dict.fromkeys(level for row in ablations for level in _levels_of(spec, row))
    once: dict[tuple[str, int], Task] = {}  # equal recipes are one run, whatever they are asked for

    def tasks_of(level: str, changes: tuple[str, ...] = ()) -> list[Task]:
        every = _tasks(spec, level, changes, seeds)
        return [once.setdefault((task.recipe, task.seed), task) for task in every]

    whole = {level: tasks_of(level) for level in wanted if level not in known}
    fewer = {row: tasks_of(row.level, row.changes) for row in ablations}
    every = list(once.values())
    with only_one(out):
        records = measure_all(spec, every, out / f"{spec.id}-ablations.jsonl", run)
    scores = known | {level: _scores(spec, records, tasks) for level, tasks in whole.items()}
    rows = [_row(spec, row, scores, _scores(spec, records, fewer[row])) for row in ablations]
    results = {
        "homework": spec.id,
        "command": f"mlspring calibrate {spec.id} --ablate --seeds {seeds}",
        "date": time.strftime("%Y-%m-%d"),
        "seeds": list(range(seeds)),
        "world": world_of(spec),
        **conditions([records[task] for task in every]),
        "defects": [defect for row in rows if (defect := _defect(row))],
        "rows": rows,
    }
    write_json(folder / f"{spec.id}-ablations.json", results)
    _tell(spec, results, folder / f"{spec.id}-ablations.json")
    return results


def calibrated(spec: Spec, file: Path, seeds: int) -> dict[str, dict[str, list[float]]]:
    """Return the scores of each level's first seeds by part, where ``file`` still holds for it."""
    if not spec.ranked or not file.is_file():
        return {}
    results = read_json(file)
    if results["world"]["folder"] != world_of(spec)["folder"]:
        return {}
    return {
        level: {part: measured[part]["seeds"][:seeds] for part in parts_of(spec)}
        for level, measured in results["levels"].items()
        if measured["recipe"] == recipe_hash(recipes.find_recipe(spec, level, "world"))
        and len(measured["public"]["seeds"]) >= seeds
    }


def share_of_step(spec: Spec, level: float, without: float, below: float | None) -> float | None:
    """Return which share of the step from the level below is lost without the technique.

    1: without it the level is no better than the one below; above 1: it is worse.
    None where there is no level below, or where no step leads up from it.
    """
    if below is None or not spec.metric.better(level, below):
        return None
    return (level - without) / (level - below)


def _levels_of(spec: Spec, row: Ablation) -> list[str]:
    """Return the level of a row and the one below; recipes that are methods have none below."""
    place = spec.levels.index(row.level) if spec.ranked and row.level in spec.levels else 0
    return [*spec.levels[place - 1 : place], row.level]


def _tasks(spec: Spec, level: str, changes: tuple[str, ...], seeds: int) -> list[Task]:
    """Return the runs of a recipe with some keys changed; loading it proves that they exist."""
    path = recipes.find_recipe(spec, level, "world")
    recipe = values_hash(flatten(recipes.load(spec, path, changes)))
    world = world_of(spec)["folder"]
    return [
        Task(
            homework=spec.id,
            level=level,
            seed=seed,
            recipe=recipe,
            world=world,
            changes=changes,
        )
        for seed in range(seeds)
    ]


def _scores(
    spec: Spec, records: Mapping[Task, Record], tasks: Sequence[Task]
) -> dict[str, list[float]]:
    return {
        part: [records[task]["result"]["score"][part] for task in tasks] for part in parts_of(spec)
    }


def _row(
    spec: Spec,
    row: Ablation,
    scores: Mapping[str, Mapping[str, list[float]]],
    without: Mapping[str, list[float]],
) -> dict[str, Any]:
    """Return one row of the results; the share is that of the mean over all parts."""
    levels = _levels_of(spec, row)
    own = scores[row.level]
    below = scores[levels[0]] if len(levels) > 1 else None
    share = share_of_step(spec, _mean(own), _mean(without), _mean(below) if below else None)
    return {
        "level": row.level,
        "without": row.without,
        "changes": list(row.changes),
        "named": row.named,
        "scores": {
            part: {"with": numbers(own[part]), "without": numbers(without[part])} for part in own
        },
        "share": None if share is None else round(share, 3),
    }


def _mean(parts: Mapping[str, Sequence[float]]) -> float:
    values = [value for seeds in parts.values() for value in seeds]
    return sum(values) / len(values)


def _defect(row: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a level whose own technique makes too little of its step."""
    if not row["named"] or row["share"] is None or row["share"] >= LEAST_SHARE:
        return None
    return (
        f"{row['without']} makes {row['share']:.0%} of the step from the level below {row['level']}"
    )


def _tell(spec: Spec, results: Mapping[str, Any], file: Path) -> None:
    for row in results["rows"]:
        scores = "; ".join(
            f"{part} {_shown(spec, pair['with'])}, without {_shown(spec, pair['without'])}"
            for part, pair in row["scores"].items()
        )
        share = "" if row["share"] is None else f"; {row['share']:.0%} of the step"
        progress.say(f"{row['level']} without {row['without']}: {scores}{share}")
    for defect in results["defects"]:
        progress.say(f"DEFECT: {spec.id}: {defect}")
    progress.say(f"Written: {file}")


def _shown(spec: Spec, measured: Mapping[str, Any]) -> str:
    return show_mean(spec.metric, measured["mean"], measured["spread"])
