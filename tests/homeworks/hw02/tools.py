"""Recipes and frames for the tests of homework 2."""

import numpy as np
import torch

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw02_phonemes.batches import Frames
from mlspring.homeworks.hw02_phonemes.recipe import ModelKnobs, Recipe
from mlspring.homeworks.hw02_phonemes.spec import SPEC


def recipe(level: str, *overrides: str) -> Recipe:
    return load_recipe(Recipe, SPEC.folder / "recipes" / f"{level}.toml", overrides)


def knobs(level: str, *overrides: str) -> ModelKnobs:
    return recipe(f"world/{level}", *overrides).model


def frames(lengths: list[int], seed: int = 0) -> Frames:
    """Return frames whose first number is their row and whose second is their utterance."""
    draw = np.random.default_rng([seed, 7])
    features = draw.normal(0, 1, (sum(lengths), 39)).astype(np.float32)
    features[:, 0] = np.arange(len(features))
    features[:, 1] = np.repeat(np.arange(len(lengths)), lengths)
    return Frames(
        features=torch.from_numpy(features),
        offsets=torch.tensor([0, *np.cumsum(lengths).tolist()]),
        labels=torch.from_numpy(draw.integers(0, 41, len(features)).astype(np.uint8)),
    )
