"""One training step of homework 2, with its batch gathered or given: for loader efficiency."""

import itertools
from collections.abc import Callable
from typing import Any

from mlspring.homeworks.hw02_phonemes import train
from mlspring.homeworks.hw02_phonemes.batches import Batch, make_batches
from mlspring.homeworks.hw02_phonemes.data import Data
from mlspring.homeworks.hw02_phonemes.recipe import Recipe
from mlspring.kit import device
from mlspring.kit.distributed import ALONE
from mlspring.kit.state import clip_gradients


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that gathers its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="wide")
    split = train.split_of(data, hardware)
    state = train.new_state(0, recipe, 0, hardware)
    batches = make_batches(recipe.model, recipe, split.frames, split.train, 0, ALONE)
    steps = itertools.count(1)

    def learn(batch: Batch) -> None:
        with hardware.autocast():
            logits = state.model(*batch.inputs).float()
        loss = train.loss_of(logits, batch.targets, recipe.train)
        state.optimizer.zero_grad()
        loss.backward()
        clip_gradients(state.model, recipe.train.clip_norm)
        state.optimizer.step()
        state.update_average(1)

    fixed = batches.batch(1)
    return (lambda: learn(batches.batch(next(steps)))), (lambda: learn(fixed))
