"""One training step of homework 11, with its batch loaded or given: for loader efficiency."""

from collections.abc import Callable
from typing import Any

from mlspring.homeworks.hw11_adaptation import losses, train
from mlspring.homeworks.hw11_adaptation.batches import Batch, DomainBatches, split, to_device
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit import device
from mlspring.kit.state import clip_gradients

PROGRESS = 0.5  # of the training: all terms have begun


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that loads and augments its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="conv")
    adapt = recipe.adapt
    state = train.new_state(0, recipe, data.num_classes, 0, hardware)
    domains = to_device(data, recipe.data, hardware)
    train_rows, _ = split(domains.labels, recipe.data.hold_out, 0)
    sampler = DomainBatches(domains, train_rows, recipe, 0)
    weight = losses.reversal_weight(adapt, PROGRESS)
    count = 0

    def load() -> Batch:
        nonlocal count
        count += 1
        return sampler.batch(count)

    def step(batch: Batch) -> None:
        teacher = train.teach(state.final, batch.plain, adapt, PROGRESS, hardware)
        images = batch.images if recipe.needs_drawings else batch.photos
        with hardware.autocast():
            outputs = state.model(hardware.images_to_device(images), weight, len(batch.labels))
        loss, _ = losses.loss_of(outputs, batch.labels, teacher, adapt, recipe.train, PROGRESS)
        state.optimizer.zero_grad()
        loss.backward()
        clip_gradients(state.model, train.CLIP_NORM)
        state.optimizer.step()
        state.update_average(count)

    fixed = load()
    return (lambda: step(load())), (lambda: step(fixed))
