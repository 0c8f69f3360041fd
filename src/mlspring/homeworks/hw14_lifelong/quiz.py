"""Keys of the quiz that a learner's own runs decide: read from their figures' tables, no torch."""

import csv
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlspring.core.errors import RunError
from mlspring.core.quiz import Decided
from mlspring.homeworks.hw14_lifelong.metrics import final_accuracy, forgetting, plasticity

NEEDS = {  # what a learner runs to have each question decided
    **dict.fromkeys(("basic-3", "ewc-2", "mas-2", "memory-1"), "mlspring run hw14 all"),
    "scenarios-2": "mlspring run hw14 scenarios",
}
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
        for name in [name for name in NEEDS if name not in decided]:
            with suppress(KeyError):  # a network is missing in this run
                decided[name] = decide(name, results)
                runs[name] = folder
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


def decide(name: str, results: Results) -> str:
    """Return the letters that are right by a run, of the question ``name``.

    Raises:
        KeyError: the run lacks a network that the question compares.
    """
    if name == "scenarios-2":  # where EWC ends far below joint training
        final = {key: final_accuracy(matrix) for key, matrix in results.items()}
        scenarios = [("split", scenario) for scenario in ("task", "domain", "class")]
        return _letters(*(final[*s, "joint"] - final[*s, "ewc"] for s in scenarios), above=BEHIND)
    turned = {key[2]: matrix for key, matrix in results.items() if key[0] == "rotated"}
    plain = turned["finetune"]
    if name == "basic-3":  # the task on which fine-tuning ends worst
        return "ABCDE"[plain[-1].index(min(plain[-1]))]
    if name == "memory-1":  # which ends highest: replay, the best penalty or fine-tuning
        replay, *penalties = (final_accuracy(turned[n]) for n in ("replay", *REGULARISERS))
        final_three = [replay, max(penalties), final_accuracy(plain)]
        return "ABC"[final_three.index(max(final_three))]
    other = turned[name.removesuffix("-2")]
    forgets_less = forgetting(plain) - forgetting(other)
    ends_higher = final_accuracy(other) - final_accuracy(plain)
    if name == "ewc-2":
        return _letters(forgets_less, ends_higher, plasticity(other) - plasticity(plain))
    first_better, last_worse = other[-1][0] - plain[-1][0], plain[-1][-1] - other[-1][-1]
    return _letters(forgets_less, first_better, last_worse, -ends_higher)  # mas-2


def _letters(*differences: float, above: float = CLEAR) -> str:
    """Return the letters of those ``above`` a bound, or the letter after all: none of these."""
    letters = "".join(chr(65 + i) for i, value in enumerate(differences) if value > above)
    return letters or chr(65 + len(differences))
