"""What the tests of homework 7 share: tiny recipes, data and runs."""

from pathlib import Path

from mlspring import catalog
from mlspring.core.runs import Request, Run
from mlspring.core.source import official
from mlspring.homeworks.hw07_reading import data
from mlspring.homeworks.hw07_reading.data import Data
from mlspring.homeworks.hw07_reading.recipe import Recipe
from mlspring.verbs import recipes
from mlspring.verbs import run as verb
from tests.tiny.reading import SMALL, write_reading

SPEC = catalog.find("hw07")


def load(*more: str, level: str = "simple") -> Recipe:
    """Return a level of the world, shrunk, with overrides."""
    path = recipes.find_recipe(SPEC, level, "world")
    found: Recipe = recipes.load(SPEC, path, (*SMALL, *more))
    return found


def read(folder: Path) -> Data:
    """Return the tiny folder's data, made if it is not there."""
    if not (folder / "hw7_train.json").exists():
        write_reading(folder)
    return data.load(official(folder), load())


def go(folder: Path, *more: str, level: str = "simple", seed: int = 0) -> Run:
    """Return a finished run on the tiny folder, without figures and submission."""
    request = Request(
        homework="hw07",
        recipe=f"world/{level}",
        data=str(folder),
        seed=seed,
        device="cpu",
        precision="fp32",
        submit=False,
    )
    return verb.run(SPEC, request, overrides=(*SMALL, *more), out=folder.parent / "runs")
