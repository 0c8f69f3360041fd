"""One training step of homework 6, with its batches loaded or given: for loader efficiency."""

import itertools
from collections.abc import Callable
from typing import Any

from torch import Tensor

from mlspring.homeworks.hw06_gan import losses, methods, train
from mlspring.homeworks.hw06_gan.batches import Faces
from mlspring.homeworks.hw06_gan.data import Data
from mlspring.homeworks.hw06_gan.methods import Batch
from mlspring.homeworks.hw06_gan.recipe import Recipe
from mlspring.kit import device


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that makes its batches, and the same step on given real pictures.

    Generated pictures are made in both: making them is part of learning.
    """
    hardware = device.choose("auto", "auto", work="conv")
    state = train.new_state(recipe, 0, hardware)
    faces, method = Faces(recipe, data, 0, hardware), recipe.method
    pair, optimizer = state.model, state.optimizer
    updates = itertools.count(1)

    def learn(batch: Batch) -> None:
        with hardware.autocast():
            loss = methods.discriminator_loss(pair.discriminator, batch, method)
        _update(loss)
        if method.name == "wgan":
            losses.clip_weights(pair.discriminator, method.clip)

    def generate(step: int) -> None:
        pair.discriminator.requires_grad_(False)
        with hardware.autocast():
            seen = pair.discriminator(faces.generated(pair, step))
            own_loss = methods.generator_loss(seen, method)
        _update(own_loss)
        pair.discriminator.requires_grad_(True)
        if state.trailing:
            state.trailing.update(step)

    def _update(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def whole() -> None:
        for _ in range(method.critic_steps):
            update = next(updates)
            learn(faces.batch(pair, update))
        generate(update)

    real = faces.real(1)

    def given() -> None:
        for _ in range(method.critic_steps):
            update = next(updates)
            learn(faces.batch(pair, update, real))
        generate(update)

    return whole, given
