"""Recipes for the tests of homework 4."""

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw04_speakers.recipe import Recipe
from mlspring.homeworks.hw04_speakers.spec import SPEC
from tests.tiny.voices import SMALL


def recipe(level: str = "simple", *overrides: str) -> Recipe:
    """Return a recipe of the world, shrunk, with overrides such as ``model.kernel=5``."""
    path = SPEC.folder / "recipes" / "world" / f"{level}.toml"
    return load_recipe(Recipe, path, [*SMALL, *overrides])
