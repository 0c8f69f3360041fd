"""Recipes, folders and small networks for the tests of homework 5."""

from pathlib import Path

import torch
from torch import Tensor

from mlspring.core.recipe import load_recipe
from mlspring.core.source import Source
from mlspring.homeworks.hw05_translation.models import Translator, build
from mlspring.homeworks.hw05_translation.recipe import ModelKnobs, Recipe
from mlspring.homeworks.hw05_translation.spec import SPEC
from mlspring.homeworks.hw05_translation.vocabulary import EOS, PAD
from tests.tiny.translation import SMALL

NUM_TOKENS = 23
KINDS = ("gru", "transformer")


def recipe(level: str = "simple", *overrides: str) -> Recipe:
    """Return a recipe of the world, shrunk, with overrides such as ``back.beam=0``."""
    path = SPEC.folder / "recipes" / "world" / f"{level}.toml"
    return load_recipe(Recipe, path, [*SMALL, *overrides])


def folder_of(path: Path) -> Source:
    return Source(kind="official", folder=path)


def network(kind: str, *, num_tokens: int = NUM_TOKENS, layers: int = 2) -> Translator:
    """Return a small network with fresh weights, in evaluation mode."""
    torch.manual_seed(3)
    knobs = ModelKnobs(kind=kind, width=16, hidden=24, heads=2, layers=layers, dropout=0.1)
    return build(knobs, num_tokens).eval()


def sentences(*lengths: int, seed: int = 0) -> Tensor:
    """Return random tokens, each sentence of its length, EOS included, filled up with PAD."""
    draw = torch.Generator().manual_seed(seed)
    tokens = torch.randint(4, NUM_TOKENS, (len(lengths), max(lengths)), generator=draw)
    for row, length in zip(tokens, lengths, strict=True):
        row[length - 1] = EOS
        row[length:] = PAD
    return tokens
