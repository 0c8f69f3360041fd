"""One training step of homework 1, with its batch picked or given: for loader efficiency."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from mlspring.homeworks.hw01_regression import train
from mlspring.homeworks.hw01_regression.data import Data
from mlspring.homeworks.hw01_regression.recipe import Recipe
from mlspring.kit import device
from mlspring.kit.seeding import epoch_order


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that picks its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="dense")
    split = next(train.splits(recipe, data, 0, hardware))
    member = train.new_state(0, split, recipe, 0, hardware)
    inputs, residuals = train.prepare(member.model, split, split.train)
    size = recipe.train.batch_size
    epoch_steps = len(inputs) // size
    shuffled, answers = inputs, residuals
    count = 0

    def load() -> tuple[torch.Tensor, torch.Tensor]:
        nonlocal count, shuffled, answers
        epoch, position = divmod(count, epoch_steps)
        if position == 0:
            order = epoch_order(len(inputs), 0, epoch)
            shuffled, answers = (x.index_select(0, order) for x in (inputs, residuals))
        count += 1
        first = position * size
        return shuffled[first : first + size], answers[first : first + size]

    def learn(rows: torch.Tensor, targets: torch.Tensor) -> None:
        loss = F.mse_loss(member.model(rows), targets)
        member.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(member.model.parameters(), recipe.train.clip_norm)
        member.optimizer.step()

    def alone(batch: Callable[[], Any]) -> None:
        with train.one_thread():
            learn(*batch())

    fixed = load()
    return (lambda: alone(load)), (lambda: alone(lambda: fixed))
