"""One training step of homework 13's sample student, with its batch loaded or given."""

import itertools
from collections.abc import Callable
from typing import Any

import torch

from mlspring.homeworks.hw13_compression import models
from mlspring.homeworks.hw13_compression.data import NUM_CLASSES, Data
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.train import CLIP_NORM, distillation_loss
from mlspring.kit import device, image_augment, labelled_split
from mlspring.kit.batches import EpochBatches
from mlspring.kit.seeding import generator
from mlspring.kit.state import clip_gradients, with_adamw


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that loads and augments its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="conv")
    model = hardware.to_device(models.build(recipe.architecture)).train()
    state = with_adamw(model, recipe.train)
    split = labelled_split.by_part(data, hardware)
    batches = EpochBatches(split.train, recipe.train.batch_size, seed=0)
    steps, whole = itertools.count(1), slice(0, batches.size)

    def load() -> tuple[torch.Tensor, torch.Tensor]:
        step = next(steps)
        rows = batches.rows(step)
        draws = image_augment.draw(recipe.augment, batches.size, generator(0, step))
        pixels, labels = split.pixels.index_select(0, rows), split.labels[rows]
        return image_augment.prepare(pixels, labels, NUM_CLASSES, draws, whole)

    def learn(images: torch.Tensor, targets: torch.Tensor) -> None:
        with hardware.autocast():
            logits = state.model(hardware.images_to_device(images)).float()
        loss = distillation_loss(logits, targets, None, recipe.distill)
        state.optimizer.zero_grad()
        loss.backward()
        clip_gradients(state.model, CLIP_NORM)
        state.optimizer.step()

    fixed = load()
    return (lambda: learn(*load())), (lambda: learn(*fixed))
