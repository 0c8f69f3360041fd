"""One training step of homework 3, with its batch loaded or given: for loader efficiency."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from mlspring.homeworks.hw03_food_cnn import train, transform
from mlspring.homeworks.hw03_food_cnn.data import NUM_CLASSES, Data
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.kit import device
from mlspring.kit.seeding import epoch_order, generator


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that loads and augments its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="conv")
    member = train.new_state(0, recipe, 0, hardware)
    split = next(train.splits(recipe, data, 0, hardware))
    size = recipe.train.batch_size
    order = epoch_order(len(split.train), 0, 0)
    count = 0

    def load() -> tuple[torch.Tensor, torch.Tensor]:
        nonlocal count
        count += 1
        start = count * size % (len(order) - size)
        batch = split.train[order[start : start + size]]
        draws = transform.draw(recipe.augment, size, generator(0, count))
        pixels, labels = split.pixels.index_select(0, batch), split.labels[batch]
        return transform.prepare(pixels, labels, NUM_CLASSES, draws, slice(0, size))

    def learn(images: torch.Tensor, targets: torch.Tensor) -> None:
        with hardware.autocast():
            logits = member.model(hardware.images_to_device(images)).float()
        loss = F.cross_entropy(logits, targets, label_smoothing=recipe.train.label_smoothing)
        member.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(member.model.parameters(), recipe.train.clip_norm)
        member.optimizer.step()
        if member.average:
            member.average.update(member.model, count)

    fixed = load()
    return (lambda: learn(*load())), (lambda: learn(*fixed))
