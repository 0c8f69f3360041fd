"""One training step of homework 1, with its batch picked or given: for loader efficiency."""

import itertools
from collections.abc import Callable
from typing import Any

import torch

from mlspring.homeworks.hw01_regression import train
from mlspring.homeworks.hw01_regression.data import Data
from mlspring.homeworks.hw01_regression.recipe import Recipe
from mlspring.kit import device
from mlspring.kit.state import clip_gradients


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that picks its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="dense")
    split = next(train.splits(recipe.data, data, 0, hardware))
    state = train.new_state(0, split, recipe, 0, hardware)
    rows = train.ShuffledRows(state.model, split, recipe.train.batch_size, seed=0)
    steps, whole = itertools.count(1), slice(0, rows.size)

    def learn(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        loss = train.loss_of(state.model(inputs), targets)
        state.optimizer.zero_grad()
        loss.backward()
        clip_gradients(state.model, recipe.train.clip_norm)
        state.optimizer.step()

    def alone(batch: Callable[[], Any]) -> None:
        with train.one_thread():
            learn(*batch())

    fixed = rows.batch(1, whole)
    return (lambda: alone(lambda: rows.batch(next(steps), whole))), (lambda: alone(lambda: fixed))
