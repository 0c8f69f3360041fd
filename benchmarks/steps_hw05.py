"""One training step of homework 5, with its sentences gathered or given: for loader efficiency."""

import itertools
from collections.abc import Callable
from typing import Any

from mlspring.homeworks.hw05_translation import train, vocabulary
from mlspring.homeworks.hw05_translation.batches import Batch, TokenBatches
from mlspring.homeworks.hw05_translation.data import Data
from mlspring.homeworks.hw05_translation.models import WORK
from mlspring.homeworks.hw05_translation.recipe import Recipe
from mlspring.homeworks.hw05_translation.tasks import forward_task
from mlspring.kit import device


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that gathers its sentences, and the same step on batches gathered before.

    Batches differ in length, so the fixed ones are many: the first hundred.
    """
    hardware = device.choose("auto", "auto", work=WORK[recipe.model.kind])
    words = vocabulary.open_vocabulary(recipe, data)
    task, knobs = forward_task(recipe, data, words, None), recipe.train
    state = train.new_state(recipe, task, 0, hardware)
    batches = TokenBatches(task.train, knobs.batch_tokens, 0)
    steps = itertools.count(1)

    def load(step: int) -> Batch:
        return task.train.batch(batches.rows(step)).to(hardware.device)

    def learn(batch: Batch) -> None:
        with hardware.autocast():
            logits = state.model(batch.source, batch.inputs).float()
        loss = train.loss_of(logits, batch.targets, batch.num_targets, knobs.label_smoothing)
        state.optimizer.zero_grad()
        loss.backward()
        train.clipped(state.model, knobs.clip_norm)
        state.optimizer.step()

    fixed = itertools.cycle([load(step) for step in range(1, 101)])
    return (lambda: learn(load(next(steps)))), (lambda: learn(next(fixed)))
