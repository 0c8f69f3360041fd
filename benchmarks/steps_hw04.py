"""One training step of homework 4, with its segments gathered or given: for loader efficiency."""

import itertools
from collections.abc import Callable
from typing import Any

import torch

from mlspring.homeworks.hw04_speakers import batches, train
from mlspring.homeworks.hw04_speakers.batches import Batch
from mlspring.homeworks.hw04_speakers.data import Data
from mlspring.homeworks.hw04_speakers.recipe import Recipe
from mlspring.kit import device
from mlspring.kit.batches import EpochBatches
from mlspring.kit.seeding import generator
from mlspring.kit.state import clip_gradients


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that gathers its segments, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="dense")
    split = train.make_split(data, recipe.data.held_out, 0, hardware)
    frames, num_speakers = split.source.frames, len(data.speakers)
    state = train.new_state(0, recipe, frames, num_speakers, 0, hardware)
    order = EpochBatches(split.train, recipe.train.batch_size, seed=0)
    steps = itertools.count(1)

    def load() -> tuple[Batch, torch.Tensor]:
        step = next(steps)
        rows = order.rows(step)
        draws = torch.rand(order.size, generator=generator(0, "segment", step))
        batch = batches.segments(split.source.of(rows), recipe.data.segment, draws)
        return batch, split.labels[rows].to(hardware.device)

    def learn(batch: Batch, targets: torch.Tensor) -> None:
        with hardware.autocast():
            logits = state.model(*batch).float()
        loss = train.loss_of(logits, targets, recipe.classifier)
        state.optimizer.zero_grad()
        loss.backward()
        clip_gradients(state.model, recipe.train.clip_norm)
        state.optimizer.step()
        state.update_average(1)

    fixed = load()
    return (lambda: learn(*load())), (lambda: learn(*fixed))
