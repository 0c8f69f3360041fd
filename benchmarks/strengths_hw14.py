"""The strengths (lambda) of homework 14's methods, chosen on digits held out from training.

    python -m benchmarks.strengths_hw14 [OUT]

A fifth of the world's training digits of every class is held out; each method trains on the rest,
with every strength of its grid and two seeds, and is measured on what is held out. The test part,
on which the README's table is measured, plays no role. Keeps `results/hw14-strengths.json`; the
best one by ACC of each method is the one that the recipes should have, and the command says where
it is not. With a folder OUT each result stays there and is not measured twice: a stopped
measurement goes on; delete it after a change of code.
"""

import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.tables import write_rows
from mlspring import catalog
from mlspring.core.files import read_json, write_json
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
SEEDS = (0, 1)  # of the weights and the order of batches
HELD_OUT = 5  # one training digit in five
COLUMNS = ("method", "ACC (BWT) on held-out digits by strength")


def main(out: Path | None) -> None:
    """Measure every grid and keep the table."""
    spec, rows = catalog.find("hw14"), []
    num_runs = len(SEEDS) * sum(len(strengths) for strengths in GRID.values())
    with tempfile.TemporaryDirectory() as name, bar("strengths", num_runs, unit="runs") as done:
        folder = out or Path(name)
        for method, strengths in GRID.items():
            found: dict[float, list[float]] = {}
            for strength in strengths:
                pairs = []
                for seed in SEEDS:
                    pairs.append(measured(method, strength, seed, folder))
                    done.advance()
                found[strength] = [statistics.fmean(values) for values in zip(*pairs, strict=True)]
            best = max(found, key=lambda strength: found[strength][0])
            cells = {s: f"{s:g}: {acc:.1f} ({bwt:.1f})" for s, (acc, bwt) in found.items()}
            cells[best] = f"**{cells[best]}**"
            rows.append([METHODS[method].title, ", ".join(cells.values())])
            recipe = recipes.load(spec, recipes.find_recipe(spec, f"world/{method}", "world"))
            if getattr(recipe.strength, method) != best:
                say(
                    f"{method}: the recipes have {getattr(recipe.strength, method):g}, not {best:g}"
                )
    write_rows("hw14-strengths", "python -m benchmarks.strengths_hw14", COLUMNS, rows)


def measured(name: str, strength: float, seed: int, folder: Path) -> list[float]:
    """Return ACC and BWT of a method with a strength, on held-out training digits."""
    kept = folder / f"{name}-{strength:g}-s{seed}.json"
    if kept.exists():
        return list(read_json(kept)["measured"])
    spec = catalog.find("hw14")
    path = recipes.find_recipe(spec, f"world/{name}", "world")
    recipe = recipes.load(spec, path, (f"strength.{name}={strength}",))
    data = held_out(reader.load(sources.open_source(spec, "world"), recipe))
    request = Request(homework=spec.id, recipe=name, seed=seed, submit=False)
    run = Run.create(folder, request, dump_recipe(recipe))
    try:
        train.train(recipe, data, run)
        matrix = train.outcome(run, 0)["matrix"]
    finally:
        run.close()
    found = [metrics.final_accuracy(matrix), metrics.backward_transfer(matrix)]
    write_json(kept, {"measured": found})
    return found


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
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
