"""One training step of homework 13's sample student, with its batch loaded or given."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from mlspring.homeworks.hw13_compression import held_out, models, transform
from mlspring.homeworks.hw13_compression.data import NUM_CLASSES, Data
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.kit import device
from mlspring.kit.seeding import epoch_order, generator


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that loads and augments its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="conv")
    model = hardware.to_device(models.build(recipe.architecture)).train()
    optimizer = torch.optim.AdamW(model.parameters(), recipe.train.learning_rate, fused=True)
    split = held_out.split(data, hardware)
    size = recipe.train.batch_size
    order = split.train[epoch_order(len(split.train), 0, 0)]
    count = 0

    def load() -> tuple[torch.Tensor, torch.Tensor]:
        nonlocal count
        count += 1
        start = count * size % (len(order) - size)
        batch = order[start : start + size]
        draws = transform.draw(recipe.augment, size, generator(0, count))
        pixels, labels = split.pixels[batch], split.labels[batch]
        return transform.prepare(pixels, labels, NUM_CLASSES, draws, slice(0, size))

    def learn(images: torch.Tensor, targets: torch.Tensor) -> None:
        with hardware.autocast():
            logits = model(hardware.images_to_device(images)).float()
        loss = F.cross_entropy(logits, targets, label_smoothing=recipe.train.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.train.clip_norm)
        optimizer.step()

    fixed = load()
    return (lambda: learn(*load())), (lambda: learn(*fixed))
