"""Keys of the quiz that a learner's own runs decide: read from their figures' tables, no torch."""

import csv
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from mlspring.core.errors import RunError
from mlspring.homeworks.hw14_lifelong import metrics

NEEDS = ("mlspring run hw14 all", "mlspring run hw14 scenarios")
SCENARIOS = ("task", "domain", "class")
ANGLE = 20.0  # degrees from a task to the next, in the questions
BEHIND = 20.0  # points of accuracy that count as failing, in scenarios-2
CLEAR = 1.0  # points by which two accuracies must differ to be told apart

Matrix = list[list[float]]


@dataclass(frozen=True, kw_only=True)
class Results:
    """Matrices of accuracies by stream, scenario and method."""

    matrices: dict[tuple[str, str, str], Matrix]

    def rotated(self, method: str) -> Matrix:
        """Return a method's matrix on the turned digits.

        Raises:
            LookupError: no run has it.
        """
        return self.matrices["rotated", "domain", method]


def keys(folders: Sequence[Path]) -> dict[str, str]:
    """Return the letters of every question that the runs decide.

    Args:
        folders: of finished runs; of two with the same network the first counts.

    Raises:
        RunError: a run's tables are damaged or not drawn.
    """
    matrices: dict[tuple[str, str, str], Matrix] = {}
    for folder in folders:
        for key, matrix in read_matrices(folder).items():
            matrices.setdefault(key, matrix)
    results, found = Results(matrices=matrices), {}
    for name, decide in DECIDED.items():
        try:
            found[name] = decide(results)
        except LookupError:
            continue
    return found


def read_matrices(folder: Path) -> dict[tuple[str, str, str], Matrix]:
    """Return the matrices in the tables of a run, by stream, scenario and method.

    None of a run whose tasks or arithmetic are not those that the questions are about: digits
    turned by another angle, or the notebook's faults.

    Raises:
        RunError: they are missing or damaged.
    """
    path = folder / "figures" / "task_matrix.csv"
    found: dict[tuple[str, str, str], Matrix] = {}
    try:
        recipe = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
        stream, angle = recipe["data"]["stream"], recipe["data"]["angle"]
        if recipe["method"]["faithful"] or (stream == "rotated" and angle != ANGLE):
            return {}
        with path.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                matrix = found.setdefault((stream, row["scenario"], row["method"]), [])
                learnt = int(row["tasks learnt"])
                matrix += [[] for _ in range(learnt + 1 - len(matrix))]
                matrix[learnt].append(float(row["accuracy"]))
    except (OSError, KeyError, ValueError, TypeError) as error:
        fix = f"mlspring figures {folder}"
        raise RunError(f"cannot be read ({error})", file=path, fix=fix) from error
    return found


def worst_task(results: Results) -> str:
    """Return the letter of the task on which fine-tuning ends worst."""
    last = results.rotated("finetune")[-1]
    return "ABCDE"[last.index(min(last))]


def stability_of_ewc(results: Results) -> str:
    """Return what holds for EWC against fine-tuning: see ewc-2."""
    return _holds(results.rotated("ewc"), results.rotated("finetune"))


def price_of_mas(results: Results) -> str:
    """Return what holds for MAS against fine-tuning: see mas-2."""
    mas, plain = results.rotated("mas"), results.rotated("finetune")
    facts = (
        metrics.forgetting(mas) < metrics.forgetting(plain) - CLEAR,
        mas[-1][0] > plain[-1][0] + CLEAR,
        mas[-1][-1] < plain[-1][-1] - CLEAR,
        metrics.final_accuracy(mas) < metrics.final_accuracy(plain) - CLEAR,
    )
    return _letters(facts)


def _holds(guarded: Matrix, plain: Matrix) -> str:
    facts = (
        metrics.forgetting(guarded) < metrics.forgetting(plain) - CLEAR,
        metrics.final_accuracy(guarded) > metrics.final_accuracy(plain) + CLEAR,
        metrics.plasticity(guarded) > metrics.plasticity(plain) + CLEAR,
    )
    return _letters(facts)


def _letters(facts: Sequence[bool]) -> str:
    """Return the letters of what is true, or the letter after them all: none of these."""
    letters = "".join(chr(65 + index) for index, fact in enumerate(facts) if fact)
    return letters or chr(65 + len(facts))


def kept_by_replay(results: Results) -> str:
    """Return which of replay, best guard and fine-tuning ends highest: see memory-1."""
    guards = ("ewc", "mas", "si", "rwalk", "scp")
    final = [
        metrics.final_accuracy(results.rotated("replay")),
        max(metrics.final_accuracy(results.rotated(name)) for name in guards),
        metrics.final_accuracy(results.rotated("finetune")),
    ]
    return "ABC"[final.index(max(final))]


def where_guards_fail(results: Results) -> str:
    """Return the scenarios in which EWC ends far below joint training: see scenarios-2."""
    facts = [
        fmean(results.matrices["split", scenario, "ewc"][-1])
        < fmean(results.matrices["split", scenario, "joint"][-1]) - BEHIND
        for scenario in SCENARIOS
    ]
    return _letters(facts)


DECIDED: dict[str, Callable[[Results], str]] = {
    "basic-3": worst_task,
    "ewc-2": stability_of_ewc,
    "mas-2": price_of_mas,
    "memory-1": kept_by_replay,
    "scenarios-2": where_guards_fail,
}
