"""A network before its first step, as all methods begin."""

import copy
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from mlspring.homeworks.hw12_lander.recipe import ModelKnobs, Recipe
from mlspring.kit.device import Hardware
from mlspring.kit.seeding import seed_everything
from mlspring.kit.state import TrainState

M = TypeVar("M", bound=nn.Module)
NUMBER = 0  # a run trains one network


def new_state(
    network: Callable[[ModelKnobs], M], recipe: Recipe, seed: int, hardware: Hardware
) -> TrainState[M]:
    """Return a network with fresh weights, which depend on the seed alone, and its optimizer.

    ``others["best"]`` is for the weights that do best on the held-out episodes; these predict.
    Source of the optimizer: Kingma & Ba 2015 (Adam, arXiv:1412.6980).
    """
    seed_everything(seed, "weights", NUMBER)
    model = hardware.to_device(network(recipe.model)).train()
    optimizer = torch.optim.Adam(model.parameters(), recipe.train.learning_rate, fused=True)
    return TrainState(model=model, optimizer=optimizer, others={"best": copy.deepcopy(model)})
