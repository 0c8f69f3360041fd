"""A folder with the course's two tables of three states and a few weeks, and its answers."""

from pathlib import Path

import numpy as np

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw01_regression.recipe import Recipe
from mlspring.homeworks.hw01_regression.spec import SPEC
from mlspring.worlds import epidemic

SIZE = epidemic.Size(
    num_states=3, train_days=26, gap_days=3, test_windows=4, train_rows=55, test_rows=10
)


SIMPLE = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "simple.toml")


def write_survey(folder: Path) -> Path:
    """Write ``covid.train.csv`` (54 rows) and ``covid.test.csv`` (10 rows); return the folder."""
    folder.mkdir(parents=True)
    private = folder.parent / f"{folder.name}-private"
    private.mkdir()
    epidemic.write([epidemic.make(0, 0, SIZE)], folder, private)
    (folder / "facts.json").unlink()  # the course's folder has none
    return folder


def write_answers(path: Path) -> Path:
    """Write the answers of ``write_survey``'s test part, every second one public."""
    values = epidemic.make(0, 0, SIZE)["answers"]
    usages = ("Public", "Private")
    rows = [f"{i},{value:.7f},{usages[i % 2]}" for i, value in enumerate(np.asarray(values))]
    path.write_text("\n".join(["id,tested_positive,Usage", *rows]) + "\n")
    return path


# A few steps of a small network: what a test may spend.
SMALL = (
    "model.hidden=[8]",
    "train.batch_size=16",
    "train.steps=24",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
)
