"""Keys of the quiz that a learner's own runs decide: read from their figures' tables, no torch."""

import csv
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlspring.core.errors import RunError
from mlspring.core.quiz import Decided
from mlspring.homeworks.hw14_lifelong.metrics import final_accuracy, forgetting, plasticity

ALL, SCENARIOS = "mlspring run hw14 all", "mlspring run hw14 scenarios"
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
    decided: dict[str, str] = {}
    runs, skipped = {}, []
    for folder in folders:
        try:
            results = read_matrices(folder)
        except RunError as error:
            skipped.append(error)
            continue
        for name, decide in DECIDED.items():
            with suppress(KeyError):  # a network is missing in this run
                if name not in decided:
                    decided[name], runs[name] = decide(results), folder
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
        knobs = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))["data"]
        stream, angle = knobs["stream"], knobs["angle"]
        if knobs["num_tasks"] != NUM_TASKS or (stream == "rotated" and angle != ANGLE):
            return {}
        with path.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                matrix = matrices.setdefault((stream, row["scenario"], row["method"]), [])
                learnt = int(row["tasks learnt"])
                matrix += [[] for _ in range(learnt + 1 - len(matrix))]
                matrix[learnt].append(float(row["accuracy"]))
        if any([*map(len, m)] != [NUM_TASKS] * (NUM_TASKS + 1) for m in matrices.values()):
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
    """Return what EWC has more of than fine-tuning: less forgetting, ACC, plasticity (ewc-2)."""
    ewc, plain = _rotated(results, "ewc"), _rotated(results, "finetune")
    less_forgotten = forgetting(plain) - forgetting(ewc)
    higher_end = final_accuracy(ewc) - final_accuracy(plain)
    return _letters(less_forgotten, higher_end, plasticity(ewc) - plasticity(plain))


def price_of_mas(results: Results) -> str:
    """Return how MAS differs from fine-tuning.

    Less forgetting; the first task better; the last task worse; ACC lower (mas-2).
    """
    mas, plain = _rotated(results, "mas"), _rotated(results, "finetune")
    less_forgotten = forgetting(plain) - forgetting(mas)
    first, last = mas[-1][0] - plain[-1][0], plain[-1][-1] - mas[-1][-1]
    return _letters(less_forgotten, first, last, final_accuracy(plain) - final_accuracy(mas))


def kept_by_replay(results: Results) -> str:
    """Return which ends highest: replay, the best regulariser or fine-tuning (memory-1)."""
    replay, plain, *others = (
        final_accuracy(_rotated(results, name)) for name in ("replay", "finetune", *REGULARISERS)
    )
    final = [replay, max(others), plain]
    return "ABC"[final.index(max(final))]


def where_regularisers_fail(results: Results) -> str:
    """Return the scenarios in which EWC ends far below joint training (scenarios-2)."""
    behind = [
        final_accuracy(results["split", scenario, "joint"])
        - final_accuracy(results["split", scenario, "ewc"])
        for scenario in ("task", "domain", "class")
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
NEEDS = {name: SCENARIOS if name == "scenarios-2" else ALL for name in DECIDED}
