"""Homework 15 on Omniglot: the recipes of ``recipes/laptop``, scored on tasks of unseen scripts.

    python -m benchmarks.omniglot_hw15 DIR

DIR holds ``Omniglot/images_background`` in the course's layout. Some alphabets are taken away, 640
tasks like the course's are made of them, and each recipe trains on the others. Writes
``results/hw15-files.json``.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.files import measured_rows
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.runs import Run

NUM_HELD_OUT = 6  # alphabets of the 30
NUM_TASKS, NUM_WAYS = 640, 5
NUM_SEEDS = {"laptop/strong": 3, "laptop/boss": 3}


def main(folder: Path) -> None:
    """Measure every recipe."""
    spec = catalog.find("hw15")
    with tempfile.TemporaryDirectory() as name:
        labels = as_test(folder / "Omniglot" / "images_background", Path(name))

        def accuracy(run: Run) -> list[str]:
            values = catalog.part(spec, "submission").read(
                run.folder / spec.submission_name, list(labels)
            )
            return [with_interval(values == np.array(list(labels.values())))]

        rows = list(measured_rows(spec, Path(name), NUM_SEEDS, accuracy))
    columns = ["recipe", f"accuracy on {NUM_TASKS} tasks of unseen scripts, by seed", "seconds"]
    write_files_results(spec.id, "omniglot_hw15", columns, rows)


def with_interval(right: NDArray[np.bool_]) -> str:
    """Return the share of right answers (5 t,) with its 95 % interval over tasks, as text."""
    each = right.reshape(-1, NUM_WAYS).mean(1)
    return f"{each.mean():.4f} ± {1.96 * each.std(ddof=1) / len(each) ** 0.5:.4f}"


def as_test(background: Path, to: Path, seed: int = 0) -> dict[str, int]:
    """Copy the alphabets but some, make test tasks of those; return the classes by id."""
    rng = np.random.default_rng([15, seed])
    alphabets = sorted(path for path in background.iterdir() if path.name.endswith(".0"))
    away = set(rng.choice(len(alphabets), NUM_HELD_OUT, replace=False).tolist())
    characters = []
    for number, alphabet in enumerate(alphabets):
        if number in away:
            characters += [sorted(path.glob("[!.]*")) for path in sorted(alphabet.glob("[!.]*"))]
        else:
            shutil.copytree(alphabet, to / "Omniglot" / "images_background" / alphabet.name)
    labels = {}
    for task in range(NUM_TASKS):
        support, query = (to / "Omniglot-test" / p / f"{task:04d}" for p in ("support", "query"))
        support.mkdir(parents=True)
        query.mkdir(parents=True)
        order = rng.permutation(NUM_WAYS).tolist()  # where in the query each class stands
        for label, number in enumerate(rng.choice(len(characters), NUM_WAYS, replace=False)):
            files = characters[number]
            first, second = rng.choice(len(files), 2, replace=False)
            shutil.copyfile(files[first], support / f"image_{label}.png")
            shutil.copyfile(files[second], query / f"image_{order[label]}.png")
            labels[str(NUM_WAYS * task + order[label])] = label
    return {str(number): labels[str(number)] for number in range(NUM_WAYS * NUM_TASKS)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
