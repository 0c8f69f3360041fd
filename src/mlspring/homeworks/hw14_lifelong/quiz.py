"""Keys of the quiz that a learner's own runs decide: read from their figures' tables, no torch."""

import csv
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from mlspring.core.errors import RunError
from mlspring.core.quiz import Decided
from mlspring.homeworks.hw14_lifelong import metrics

NEEDS = {  # what a learner runs to have each question decided
    **dict.fromkeys(("basic-3", "ewc-2", "mas-2", "memory-1"), "mlspring run hw14 all"),
    "scenarios-2": "mlspring run hw14 scenarios",
}
SCENARIOS = ("task", "domain", "class")
REGULARISERS = ("ewc", "mas", "si", "rwalk", "scp")
NUM_TASKS = 5
ANGLE = 20.0  # degrees from a task to the next, in the questions
BEHIND = 20.0  # points of accuracy that count as failing, in scenarios-2
CLEAR = 1.0  # points by which two accuracies must differ to be told apart

Matrix = list[list[float]]
Results = Mapping[tuple[str, str, str], Matrix]  # of one run, by stream, scenario and method


def keys(folders: Sequence[Path]) -> Decided:
    """Return the letters of every question that a run decides, and which run does.

    Each question is decided by one run that holds all the networks it compares, the first in
    ``folders`` that does: networks of two runs may differ in anything.
    """
    readable, skipped = [], []
    for folder in folders:
        try:
            readable.append((folder, read_matrices(folder)))
        except RunError as error:
            skipped.append(error)
    decided, runs = {}, {}
    for name, decide in DECIDED.items():
        for folder, results in readable:
            try:
                decided[name] = decide(results)
            except KeyError:  # a network is missing in this run
                continue
            runs[name] = folder
            break
    return Decided(keys=decided, runs=runs, skipped=tuple(skipped))


def read_matrices(folder: Path) -> Results:
    """Return the matrices in the tables of a run, by stream, scenario and method.

    None of a run whose tasks are not those that the questions are about: another number of tasks,
    or digits turned by another angle.

    Raises:
        RunError: they are missing or damaged.
    """
    path = folder / "figures" / "task_matrix.csv"
    matrices: dict[tuple[str, str, str], Matrix] = {}
    try:
        recipe = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
        knobs, stream = recipe["data"], recipe["data"]["stream"]
        turned_otherwise = stream == "rotated" and knobs["angle"] != ANGLE
        if knobs["num_tasks"] != NUM_TASKS or turned_otherwise:
            return {}
        with path.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                matrix = matrices.setdefault((stream, row["scenario"], row["method"]), [])
                learnt = int(row["tasks learnt"])
                matrix += [[] for _ in range(learnt + 1 - len(matrix))]
                matrix[learnt].append(float(row["accuracy"]))
        shapes = {(len(matrix), *map(len, matrix)) for matrix in matrices.values()}
        if shapes - {(NUM_TASKS + 1, *[NUM_TASKS] * (NUM_TASKS + 1))}:
            raise ValueError(f"a network has not {NUM_TASKS} accuracies in {NUM_TASKS + 1} rows")
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        fix = f"mlspring figures {folder}"
        raise RunError(f"cannot be read ({error})", file=path, fix=fix) from error
    return matrices


def worst_task(results: Results) -> str:
    """Return the letter of the task on which fine-tuning ends worst."""
    last = _rotated(results, "finetune")[-1]
    return "ABCDE"[last.index(min(last))]


def stability_of_ewc(results: Results) -> str:
    """Return what holds for EWC against fine-tuning, by more than ``CLEAR``: see ewc-2."""
    ewc, plain = _rotated(results, "ewc"), _rotated(results, "finetune")
    return _letters(
        metrics.forgetting(plain) - metrics.forgetting(ewc),
        metrics.final_accuracy(ewc) - metrics.final_accuracy(plain),
        metrics.plasticity(ewc) - metrics.plasticity(plain),
    )


def price_of_mas(results: Results) -> str:
    """Return what holds for MAS against fine-tuning, by more than ``CLEAR``: see mas-2."""
    mas, plain = _rotated(results, "mas"), _rotated(results, "finetune")
    return _letters(
        metrics.forgetting(plain) - metrics.forgetting(mas),
        mas[-1][0] - plain[-1][0],
        plain[-1][-1] - mas[-1][-1],
        metrics.final_accuracy(plain) - metrics.final_accuracy(mas),
    )


def kept_by_replay(results: Results) -> str:
    """Return which of replay, best regulariser and fine-tuning ends highest: see memory-1."""
    names = ("replay", "finetune", *REGULARISERS)
    replay, plain, *others = (metrics.final_accuracy(_rotated(results, name)) for name in names)
    final = [replay, max(others), plain]
    return "ABC"[final.index(max(final))]


def where_regularisers_fail(results: Results) -> str:
    """Return the scenarios in which EWC ends far below joint training: see scenarios-2."""
    behind = [
        fmean(results["split", scenario, "joint"][-1])
        - fmean(results["split", scenario, "ewc"][-1])
        for scenario in SCENARIOS
    ]
    return _letters(*behind, above=BEHIND)


def _rotated(results: Results, method: str) -> Matrix:
    """Return a method's matrix on the turned digits; a KeyError where the run has none."""
    return results["rotated", "domain", method]


def _letters(*differences: float, above: float = CLEAR) -> str:
    """Return the letters of those ``above`` a bound, or the letter after all: none of these."""
    letters = "".join(chr(65 + i) for i, value in enumerate(differences) if value > above)
    return letters or chr(65 + len(differences))


DECIDED: dict[str, Callable[[Results], str]] = {
    "basic-3": worst_task,
    "ewc-2": stability_of_ewc,
    "mas-2": price_of_mas,
    "memory-1": kept_by_replay,
    "scenarios-2": where_regularisers_fail,
}
