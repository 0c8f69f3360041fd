"""What homework 11's world can give at least and at most: labels of photos alone, or of drawings.

    python -m benchmarks.bounds_hw11 [--recipe strong] [--seed 0] [--steps N]

Trains the recipe's network twice for the recipe's steps. *Source only* never sees a drawing.
*Target labels* sees the classes of the drawings in the public half, and no photo. Both are scored
on the private half. Prints one JSON object and, unless ``--steps`` made the runs shorter, keeps it
as ``results/hw11-bounds.json``. It needs the answers, so it is no recipe.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.tables import RESULTS
from mlspring.catalog import find
from mlspring.core.answers import read_answers
from mlspring.core.environment import environment
from mlspring.core.files import write_json
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw11_adaptation import data as reader
from mlspring.homeworks.hw11_adaptation import predict, train
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.homeworks.hw11_adaptation.submission import HEADER, MAX_CLASSES
from mlspring.verbs import recipes
from mlspring.verbs.sources import open_source, world_answers

ALONE = {
    "method": "source_only",
    "entropy": 0.0,
    "balance": 0.0,
    "smooth": 0.0,
    "pseudo": 0.0,
    "refine": 0.0,
    "stay": 0.0,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both accuracies; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="strong", help="whose network and steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    chosen = parser.parse_args(arguments)
    spec = find("hw11")
    recipe = recipes.load(spec, recipes.find_recipe(spec, chosen.recipe, "world"))
    steps = {"steps": chosen.steps or recipe.train.steps, "members": 1}
    recipe = recipe.model_copy(
        update={
            "adapt": recipe.adapt.model_copy(update=ALONE),
            "train": recipe.train.model_copy(update=steps),
            "predict": recipe.predict.model_copy(update={"balance": 0.0, "views": 0}),
        }
    )
    data = reader.load(open_source(spec, "world"), recipe)
    key = read_answers(world_answers(spec), header=HEADER)
    truth = key.table.integers(1, 0, MAX_CLASSES - 1)
    labelled, asked = np.flatnonzero(key.is_public), np.flatnonzero(~key.is_public)
    drawings = replace(
        data,
        source_images=data.target_images[labelled][..., None].repeat(3, axis=-1),
        source_labels=truth[labelled],
        target_images=data.target_images[asked],
        test_ids=[data.test_ids[row] for row in asked],
    )
    photos = replace(drawings, source_images=data.source_images, source_labels=data.source_labels)
    grey = recipe.model_copy(update={"data": recipe.data.model_copy(update={"views": ["grey"]})})
    found = {
        "recipe": chosen.recipe,
        "seed": chosen.seed,
        **steps,
        "source only": accuracy(recipe, photos, truth[asked], chosen.seed),
        "target labels": accuracy(grey, drawings, truth[asked], chosen.seed),
    }
    if chosen.steps is None:
        facts = environment()
        kept = {"date": facts["started"][:10], "commit": facts["commit"]}
        write_json(RESULTS / "hw11-bounds.json", found | kept)
    print(json.dumps(found, indent=2))
    return 0


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
