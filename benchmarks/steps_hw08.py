"""One training step of homework 8, with its batch loaded and spoilt or given."""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mlspring.homeworks.hw08_anomaly import noise
from mlspring.homeworks.hw08_anomaly.data import Data
from mlspring.homeworks.hw08_anomaly.predict import to_images
from mlspring.homeworks.hw08_anomaly.recipe import Recipe
from mlspring.homeworks.hw08_anomaly.train import code_draws, losses, new_state
from mlspring.kit import device
from mlspring.kit.batches import EpochBatches
from mlspring.kit.seeding import generator


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that loads and spoils its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work=recipe.work)
    state = new_state(recipe, 0, hardware)
    pixels = torch.from_numpy(data.train)
    batches = EpochBatches(torch.arange(len(pixels)), recipe.train.batch_size, seed=0)
    steps = itertools.count(1)

    def load() -> tuple[Tensor, Tensor, Tensor]:
        step = next(steps)
        chosen = pixels.index_select(0, batches.rows(step))
        images = to_images(chosen, recipe.data.image_size, hardware)
        given, where = noise.spoil(images, recipe.noise, generator(0, step))
        return hardware.images_to_device(given), images, where

    def learn(given: Tensor, images: Tensor, where: Tensor) -> None:
        with hardware.autocast():
            seen = state.model(given, code_draws(len(given), recipe, 0, 1).to(given.device))
        _, loss = losses(seen, images, where, recipe)
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()

    fixed = load()
    return (lambda: learn(*load())), (lambda: learn(*fixed))
