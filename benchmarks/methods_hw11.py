"""The lecture's methods on homework 11's world, between source only and target labels: one figure.

    python -m benchmarks.methods_hw11 [RECIPE ...] [--seeds 3] [--steps N]

Every method is a recipe that extends strong: the same network, pictures, augmentation and steps.
*Target labels* is strong's network that sees the classes of the drawings in the public half, and no
photo; it needs the answers, so it is no recipe. All are scored on the private half. Unless
``--steps`` made the runs shorter, the rows of ``results/hw11-methods.json`` are written anew, and
``docs/images/hw11-methods.png`` is drawn of all of them.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import RESULTS, read_rows, write_rows
from mlspring.catalog import find, part
from mlspring.core.environment import environment
from mlspring.core.progress import say
from mlspring.core.runs import Request, Run
from mlspring.core.table_submission import MAX_CLASSES
from mlspring.homeworks.hw11_adaptation import data as reader
from mlspring.homeworks.hw11_adaptation import predict, train
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit import style
from mlspring.verbs import recipes
from mlspring.verbs.sources import open_source, world_answers

LABELS = "target labels"
METHODS = ("source_only", "mcd", "dann", "strong", "dirt_t", "self_training", LABELS)
NAMES = {
    "source_only": "source only",
    "mcd": "MCD",
    "dann": "DANN",
    "strong": "DANN, balanced",
    "dirt_t": "DIRT-T",
    "self_training": "self-training",
}
COLUMNS = ("method", "steps", "private", "by seed", "seconds", "commit")
NAME = "hw11-methods"
PICTURE = RESULTS.parents[1] / "docs" / "images" / f"{NAME}.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print each method's row and keep it; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", metavar="RECIPE", help="by default all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    chosen = parser.parse_args(arguments)
    commit = str(environment()["commit"])  # before the results make the checkout look changed
    for method in chosen.methods or METHODS:
        row = [*measured(method, range(chosen.seeds), chosen.steps), commit]
        say(" | ".join(row))
        if chosen.steps is None:
            rows = {row[0]: row for row in read_rows(NAME)} | {row[0]: row}
            order = [NAMES.get(name, name) for name in METHODS]
            kept = [rows[name] for name in order if name in rows]
            write_rows(NAME, "python -m benchmarks.methods_hw11", COLUMNS, kept)
            draw(kept, PICTURE)
    return 0


def measured(method: str, seeds: Sequence[int], steps: int | None) -> list[str]:
    """Return a method's row but for the commit: name, steps, scores and mean seconds."""
    spec, name = find("hw11"), "source_only" if method == LABELS else method
    recipe = recipes.load(spec, recipes.find_recipe(spec, name, "world"))
    if method == LABELS:
        grey = recipe.data.model_copy(update={"views": ["grey"]})
        recipe = recipe.model_copy(update={"data": grey})
    if steps is not None:
        knobs = recipe.train.model_copy(update={"steps": steps})
        recipe = recipe.model_copy(update={"train": knobs})
    data, asked, truth = task(recipe, labelled=method == LABELS)
    start = time.perf_counter()
    scores = [accuracy(recipe, data, asked, truth, seed) for seed in seeds]
    seconds = (time.perf_counter() - start) / len(scores)
    return [
        NAMES.get(method, method),
        f"{recipe.train.steps:,}",
        f"{statistics.fmean(scores):.3f}",
        ", ".join(f"{score:.3f}" for score in scores),
        f"{seconds:.0f}",
    ]


def task(recipe: Recipe, *, labelled: bool) -> tuple[Data, NDArray[np.int64], NDArray[np.int64]]:
    """Return what is trained on, the rows of its drawings that count, and the classes of those.

    The private half of the drawings counts. With ``labelled`` the public half takes the place of
    the photos.
    """
    spec = find("hw11")
    data = reader.load(open_source(spec, "world"), recipe)
    key = part(spec, "score").read_answers(world_answers(spec))
    truth = key.table.integers(1, 0, MAX_CLASSES - 1)
    public, private = np.flatnonzero(key.is_public), np.flatnonzero(~key.is_public)
    if labelled:
        images = data.target_images[public][..., None].repeat(3, axis=-1)
        data = replace(data, source_images=images, source_labels=truth[public])
    return data, private, truth[private]


def accuracy(
    recipe: Recipe, data: Data, asked: NDArray[np.int64], truth: NDArray[np.int64], seed: int
) -> float:
    """Return the share of the ``asked`` drawings that a network trained on ``data`` gets right."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder), Request(homework="hw11", recipe="methods", seed=seed), "")
        train.train(recipe, data, run)
        predictions = predict.predict(recipe, data, run)
        run.close()
    return round(float((predictions[asked] == truth).mean()), 4)


def draw(rows: Sequence[Sequence[str]], file: Path) -> None:
    """Draw the mean of each method as a bar, its seeds as points, the bounds as lines."""
    means = {row[0]: float(row[2]) for row in rows}
    methods = [row for row in rows if row[0] not in (NAMES["source_only"], LABELS)]
    with style.house_style():
        figure = style.new_figure(7.2, 2.8)
        axes = figure.subplots()
        for place, row in enumerate(methods):
            seeds = [float(score) for score in row[3].split(", ")]
            axes.barh(place, means[row[0]], color=style.COLOURS[0], alpha=0.35)
            axes.plot(seeds, [place] * len(seeds), "o", color=style.COLOURS[0], ms=4)
            axes.annotate(
                row[2], (max(seeds), place), (6, 0), textcoords="offset points", va="center"
            )
        for name, dashes in ((NAMES["source_only"], ":"), (LABELS, "--")):
            if name in means:
                label = f"{name}: {means[name]:.3f}"
                axes.axvline(means[name], color="black", ls=dashes, label=label)
        axes.set_yticks(range(len(methods)), [row[0] for row in methods])
        axes.set_xlim(0, 1)
        axes.set_xlabel("accuracy on drawings of the private half; points are seeds")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=2)
        figure.savefig(file, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
