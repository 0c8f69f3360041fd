"""One training step of homework 3, with its batch loaded or given: for loader efficiency."""

import itertools
from collections.abc import Callable
from typing import Any

import torch

from mlspring.homeworks.hw03_food_cnn import train
from mlspring.homeworks.hw03_food_cnn.data import NUM_CLASSES, Data
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.kit import device, image_augment
from mlspring.kit.batches import EpochBatches
from mlspring.kit.seeding import generator
from mlspring.kit.state import clip_gradients


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that loads and augments its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="conv")
    state = train.new_state(0, recipe, 0, hardware)
    split = next(train.splits(recipe, data, 0, hardware))
    batches = EpochBatches(split.train, recipe.train.batch_size, seed=0)
    steps, whole = itertools.count(1), slice(0, batches.size)

    def load() -> tuple[torch.Tensor, torch.Tensor]:
        step = next(steps)
        rows, stream = batches.rows(step), generator(0, step)
        pixels, labels = split.pixels.index_select(0, rows), split.labels[rows]
        pixels = train.random_windows(pixels, recipe.train.crop_size, stream)
        draws = image_augment.draw(recipe.augment, batches.size, stream)
        return image_augment.prepare(pixels, labels, NUM_CLASSES, draws, whole)

    def learn(images: torch.Tensor, targets: torch.Tensor) -> None:
        with hardware.autocast():
            logits = state.model(hardware.images_to_device(images)).float()
        loss = train.loss_of(logits, targets, recipe.train)
        state.optimizer.zero_grad()
        loss.backward()
        clip_gradients(state.model, recipe.train.clip_norm)
        state.optimizer.step()
        state.update_average(1)

    fixed = load()
    return (lambda: learn(*load())), (lambda: learn(*fixed))
