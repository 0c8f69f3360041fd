"""One training step of homework 14, with its batch drawn or given: for loader efficiency."""

from collections.abc import Callable
from typing import Any

from mlspring.homeworks.hw14_lifelong import train
from mlspring.homeworks.hw14_lifelong.data import Data
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.homeworks.hw14_lifelong.tasks import make_stream
from mlspring.kit import device


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step of the second task that takes its batch from the epoch, and one on one batch.

    The first step of every epoch also puts the epoch into its order, as in training.
    """
    hardware = device.choose("auto", "auto", work="wide")
    stream = make_stream(recipe.data, "domain", data, 0, hardware.device)
    learner = train.new_state(0, stream, recipe, 0, hardware)
    method, batches, step = METHODS[learner.method], train.task_batches(learner, 1), 0
    method.on_task_end(learner, 0, 1)

    def load() -> Batch:
        nonlocal step
        step += 1
        return train.new_batch(stream, 1, batches.rows(step))

    def learn(batch: Batch) -> None:
        new, _ = train.forward(learner.model, batch, None, hardware)
        loss = method.loss(learner, 1, new, None)
        learner.optimizer.zero_grad()
        loss.backward()
        method.after_backward(learner, 1, step)
        learner.optimizer.step()
        method.after_step(learner, 1, step)

    fixed = load()
    return (lambda: learn(load())), (lambda: learn(fixed))
