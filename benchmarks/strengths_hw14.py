"""The strengths (lambda) of homework 14's methods, chosen on digits held out from training.

    python -m benchmarks.strengths_hw14 [METHOD ...]

A fifth of the world's training digits of every class is held out; each method trains on the rest,
once with every strength of its grid, and is measured on what is held out. The test part, on which
the README's table is measured, plays no role. Keeps `results/hw14-strengths.json`; the best one by
ACC of each method is the one that the recipes should have, and the command says where it is not.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.tables import read_rows, write_rows
from mlspring import catalog
from mlspring.core.progress import bar, say
from mlspring.core.recipe import dump_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw14_lifelong import data as reader
from mlspring.homeworks.hw14_lifelong import metrics, train
from mlspring.homeworks.hw14_lifelong.data import NUM_CLASSES, Data
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.verbs import recipes, sources

GRID = {
    "ewc": (100.0, 1000.0, 3000.0, 10000.0),
    "mas": (0.1, 0.3, 1.0, 3.0),
    "si": (30.0, 100.0, 300.0, 1000.0),
    "rwalk": (1.0, 10.0, 30.0, 100.0),
    "scp": (100.0, 1000.0, 3000.0, 10000.0),
    "lwf": (1.0, 3.0, 10.0),
    "icarl": (0.0, 1.0, 3.0),
}
SEED = 0  # of the weights and the order of batches
HELD_OUT = 5  # one training digit in five
COLUMNS = ("method", "ACC (BWT) on held-out digits by strength")
RESULTS = "hw14-strengths"


def main(names: list[str]) -> None:
    """Measure the grid of each method and keep the others' rows."""
    spec = catalog.find("hw14")
    rows = {row[0]: row for row in read_rows(RESULTS)}
    with (
        tempfile.TemporaryDirectory() as folder,
        bar("strengths", sum(len(GRID[name]) for name in names), unit="runs") as done,
    ):
        for name in names:
            found = {}
            for strength in GRID[name]:
                found[strength] = measured(name, strength, Path(folder))
                acc, bwt = found[strength]
                say(f"{name} {strength:g}: ACC {acc:.2f}, BWT {bwt:.2f}")
                done.advance()
            best = max(found, key=lambda strength: found[strength][0])
            cells = {s: f"{s:g}: {acc:.1f} ({bwt:.1f})" for s, (acc, bwt) in found.items()}
            cells[best] = f"**{cells[best]}**"
            title = METHODS[name].title  # type: ignore[index]
            rows[title] = [title, ", ".join(cells.values())]
            recipe = recipes.load(spec, recipes.find_recipe(spec, f"world/{name}", "world"))
            if getattr(recipe.strength, name) != best:
                say(f"the recipes' strength.{name} is {getattr(recipe.strength, name)}: not {best}")
    order = [METHODS[name].title for name in GRID]  # type: ignore[index]
    kept = [rows[title] for title in order if title in rows]
    write_rows(RESULTS, "python -m benchmarks.strengths_hw14", COLUMNS, kept)


def measured(name: str, strength: float, folder: Path) -> tuple[float, float]:
    """Return ACC and BWT of a method with a strength, on held-out training digits."""
    spec = catalog.find("hw14")
    path = recipes.find_recipe(spec, f"world/{name}", "world")
    recipe = recipes.load(spec, path, (f"strength.{name}={strength}",))
    data = held_out(reader.load(sources.open_source(spec, "world"), recipe))
    request = Request(homework=spec.id, recipe=name, seed=SEED, submit=False)
    run = Run.create(folder, request, dump_recipe(recipe))
    try:
        train.train(recipe, data, run)
        matrix = train.outcome(run, 0)["matrix"]
    finally:
        run.close()
    return metrics.final_accuracy(matrix), metrics.backward_transfer(matrix)


def held_out(data: Data) -> Data:
    """Return the training part alone, a fifth of each class of it in the test part's place."""
    chosen = np.zeros(len(data.train_labels), bool)
    for digit in range(NUM_CLASSES):
        rows = np.flatnonzero(data.train_labels == digit)  # the world's order: shuffled
        chosen[rows[: len(rows) // HELD_OUT]] = True
    return replace(
        data,
        train_images=data.train_images[~chosen],
        train_labels=data.train_labels[~chosen],
        test_images=data.train_images[chosen],
        test_labels=data.train_labels[chosen],
        test_part="a fifth of the training digits of each class",
    )


if __name__ == "__main__":
    main(sys.argv[1:] or list(GRID))
