"""Recipes and frames for the tests of homework 2."""

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw02_phonemes.recipe import ModelKnobs, Recipe
from mlspring.homeworks.hw02_phonemes.spec import SPEC


def recipe(level: str, *overrides: str) -> Recipe:
    return load_recipe(Recipe, SPEC.folder / "recipes" / f"{level}.toml", overrides)


def knobs(level: str, *overrides: str) -> ModelKnobs:
    return recipe(f"world/{level}", *overrides).model
