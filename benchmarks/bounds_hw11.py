"""What homework 11's world gives beside a level: labels of photos alone, or those of drawings.

    python -m benchmarks.bounds_hw11 [LEVEL ...] [--seed 0] [--steps N]

Trains each level's network twice, with its pictures, augmentation and steps. *Source only* never
sees a drawing. *Target labels* sees the classes of the drawings in the public half, and no photo.
Both are scored on the private half. Unless ``--steps`` made the runs shorter, the level's row of
``results/hw11-bounds.json`` is written anew, beside the level's own score with that seed from
``results/hw11.json``. It needs the answers, so it is no recipe.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.tables import RESULTS, read_rows, write_rows
from mlspring.catalog import find, part
from mlspring.core.environment import environment
from mlspring.core.files import read_json
from mlspring.core.runs import Request, Run
from mlspring.core.table_submission import MAX_CLASSES
from mlspring.homeworks.hw11_adaptation import data as reader
from mlspring.homeworks.hw11_adaptation import predict, train
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.verbs import recipes
from mlspring.verbs.sources import open_source, world_answers

ALONE = {"method": "source_only", "positive_pairs": 0.0, "balance": 0.0, "pseudo": 0.0}
LEVELS = ("simple", "medium", "strong")
COLUMNS = ("network and steps of", "steps", "source only", "the level", "target labels", "commit")
NAME = "hw11-bounds"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print each level's row and keep it; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("levels", nargs="*", metavar="LEVEL", help="by default all but boss")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    chosen = parser.parse_args(arguments)
    commit = str(environment()["commit"])  # before the results make the checkout look changed
    for level in chosen.levels or LEVELS:
        row = [*measured(level, chosen.seed, chosen.steps), commit]
        print(" | ".join(row))
        if chosen.steps is None:
            rows = {row[0]: row for row in read_rows(NAME)} | {level: row}
            order = [name for name in find("hw11").levels if name in rows]
            command = "python -m benchmarks.bounds_hw11"
            write_rows(NAME, command, COLUMNS, [rows[name] for name in order])
    return 0


def measured(level: str, seed: int, steps: int | None) -> list[str]:
    """Return a level's row: both bounds, and its own score between them."""
    spec = find("hw11")
    recipe = alone(recipes.load(spec, recipes.find_recipe(spec, level, "world")), steps)
    photos, drawings, truth = halves(recipe)
    grey = recipe.model_copy(update={"data": recipe.data.model_copy(update={"views": ["grey"]})})
    return [
        level,
        f"{recipe.train.steps:,}",
        f"{accuracy(recipe, photos, truth, seed):.3f}",
        own_score(level, seed),
        f"{accuracy(grey, drawings, truth, seed):.3f}",
    ]


def alone(recipe: Recipe, steps: int | None) -> Recipe:
    """Return a level's recipe for one network that asks nothing of unlabelled drawings."""
    train_knobs = {"steps": steps or recipe.train.steps, "members": 1}
    return recipe.model_copy(
        update={
            "adapt": recipe.adapt.model_copy(update=ALONE),
            "train": recipe.train.model_copy(update=train_knobs),
            "predict": recipe.predict.model_copy(update={"balance": 0.0, "views": 0}),
        }
    )


def halves(recipe: Recipe) -> tuple[Data, Data, np.ndarray]:
    """Return photos and the public half's drawings as what is labelled; the private half's truth.

    Both ask for the drawings of the private half, whose classes are int64 (m,).
    """
    spec = find("hw11")
    data = reader.load(open_source(spec, "world"), recipe)
    key = part(spec, "score").read_answers(world_answers(spec))
    truth = key.table.integers(1, 0, MAX_CLASSES - 1)
    labelled, asked = np.flatnonzero(key.is_public), np.flatnonzero(~key.is_public)
    photos = replace(
        data,
        target_images=data.target_images[asked],
        test_ids=[data.test_ids[row] for row in asked],
    )
    drawings = replace(
        photos,
        source_images=data.target_images[labelled][..., None].repeat(3, axis=-1),
        source_labels=truth[labelled],
    )
    return photos, drawings, truth[asked]


def own_score(level: str, seed: int) -> str:
    """Return the level's own private score with a seed, as calibration measured it."""
    results = read_json(RESULTS / "hw11.json")
    if seed not in results["seeds"]:
        return "-"
    return f"{results['levels'][level]['private']['seeds'][results['seeds'].index(seed)]:.3f}"


def accuracy(recipe: Recipe, data: Data, truth: np.ndarray, seed: int) -> float:
    """Return the share of ``data``'s drawings that a network trained on its photos gets right."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder), Request(homework="hw11", recipe="bounds", seed=seed), "")
        train.train(recipe, data, run)
        found = predict.predict(recipe, data, run)
        run.close()
    return round(float((found == truth).mean()), 4)


if __name__ == "__main__":
    sys.exit(main())
