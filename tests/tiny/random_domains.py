"""Homework 11's domains of random pixels, and a recipe small enough for them."""

import torch

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw11_adaptation.batches import Domains
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.homeworks.hw11_adaptation.spec import SPEC
from mlspring.kit.seeding import generator
from tests.tiny.domains import SMALL


def recipe(*overrides: str) -> Recipe:
    """Return the simple recipe with a small network, a few steps and the overrides."""
    path = SPEC.folder / "recipes" / "world" / "simple.toml"
    return load_recipe(Recipe, path, [*SMALL, *overrides])


def domains(num_photos: int = 40, num_drawings: int = 50) -> Domains:
    """Return noise for pictures: photos in two views, of four classes."""
    draw = generator("tests", num_photos)

    def pictures(*shape: int) -> torch.Tensor:
        return torch.randint(0, 256, shape, generator=draw, dtype=torch.uint8)

    return Domains(
        photos=pictures(2, num_photos, 32, 32),
        labels=torch.arange(num_photos) % 4,
        drawings=pictures(num_drawings, 32, 32),
        num_classes=4,
    )
