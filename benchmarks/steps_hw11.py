"""One training step of homework 11, with its batch loaded or given: for loader efficiency."""

from collections.abc import Callable
from typing import Any

import torch

from mlspring.homeworks.hw11_adaptation import adapt, train
from mlspring.homeworks.hw11_adaptation.batches import Batch, Batches, place, split
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit import device


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that loads and augments its batch, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work="conv")
    member = train.new_state(0, recipe, data.num_classes, 0, hardware)
    domains = place(recipe, data, hardware)
    train_rows, _ = split(domains.labels, recipe.data.hold_out, 0)
    batches = Batches(domains, train_rows, recipe, 0)
    phase = adapt.phase(recipe.adapt, 0.5)
    count = 0

    def load() -> Batch:
        nonlocal count
        count += 1
        return batches.deal(count, slice(0, batches.size))

    def learn(batch: Batch) -> None:
        teacher = train.teach(member.final, batch, hardware) if phase.taught else None
        images = torch.cat([batch.photos, batch.drawings])
        with hardware.autocast():
            outputs = member.model(hardware.images_to_device(images), phase.weight, batches.size)
        outputs = tuple(output.float() for output in outputs)
        losses = adapt.terms(recipe, outputs, batch.labels, teacher, phase)
        member.optimizer.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(member.model.parameters(), recipe.train.clip_norm)
        member.optimizer.step()
        if member.average:
            member.average.update(count)

    fixed = load()
    return (lambda: learn(load())), (lambda: learn(fixed))
