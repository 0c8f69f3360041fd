"""One training step of homework 14, with its batch sliced or given: for loader efficiency."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from mlspring.homeworks.hw14_lifelong import train
from mlspring.homeworks.hw14_lifelong.data import Data
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.homeworks.hw14_lifelong.tasks import make_stream, to_input
from mlspring.kit import device
from mlspring.kit.seeding import epoch_order


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step of the second task that takes its batch from the epoch, and one on one batch.

    The first step of every epoch also puts the epoch into its order, as in training.
    """
    hardware = device.choose("auto", "auto", work="wide")
    stream = make_stream(recipe.data, "domain", data, 0, hardware.device)
    member = train.new_state(0, stream, recipe, 0, hardware)
    method, task, size = METHODS[member.method], stream.tasks[1], recipe.train.batch_size
    method.conclude(member, 0, 1)
    row = stream.mask(1)[1].expand(size, -1)
    count, pixels, labels = 0, task.pixels, task.labels

    def load() -> tuple[Tensor, Tensor]:
        nonlocal count, pixels, labels
        epoch, position = divmod(count, len(task.labels) // size)
        if position == 0:
            order = epoch_order(len(task.labels), 0, epoch).to(hardware.device)
            pixels, labels = task.pixels[order], task.labels[order]
        count += 1
        part = slice(position * size, (position + 1) * size)
        return to_input(pixels[part]), labels[part]

    def learn(images: Tensor, labels: Tensor) -> None:
        with hardware.autocast():
            logits = member.model(images).float()
        batch = Batch(images=images, labels=labels, mask=row).seen_by(logits)
        loss = method.loss(member, 1, batch, None)
        member.optimizer.zero_grad()
        loss.backward()
        method.adjust(member, 1, count)
        member.optimizer.step()
        method.follow(member, 1, count)

    fixed = load()
    return (lambda: learn(*load())), (lambda: learn(*fixed))
