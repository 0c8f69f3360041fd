"""One training step of homework 7, with its sequences joined or given: for loader efficiency."""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mlspring.homeworks.hw07_reading import train
from mlspring.homeworks.hw07_reading.batches import Reader
from mlspring.homeworks.hw07_reading.data import Data
from mlspring.homeworks.hw07_reading.models import ReadingNet, config_of
from mlspring.homeworks.hw07_reading.pretrain import with_optimizer
from mlspring.homeworks.hw07_reading.recipe import Recipe
from mlspring.homeworks.hw07_reading.tokens import Tokenizer, vocabulary
from mlspring.kit import device
from mlspring.kit.seeding import generator
from mlspring.kit.state import clip_gradients


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that joins its sequences, and the same step on one fixed batch."""
    hardware = device.choose("auto", "auto", work=recipe.work)
    tokens = Tokenizer.of(vocabulary(data.train.paragraphs, 2))
    reader = Reader.of(data.train, tokens, recipe.window, recipe.encoder.match)
    config = config_of(recipe.encoder, recipe.window, tokens.size)
    state = with_optimizer(hardware.to_device(ReadingNet(config)).train(), recipe.train)
    order = train.new_batches(reader, recipe, 0)
    steps = itertools.count(1)

    def load() -> tuple[Tensor, ...]:
        step = next(steps)
        draws = torch.rand(order.size, generator=generator(0, "window", step)).tolist()
        batch = train.training_batch(reader, order.rows(step), draws, recipe)
        return tuple(x.to(hardware.device) for x in batch)

    def learn(ids: Tensor, segments: Tensor, targets: Tensor) -> None:
        with hardware.autocast():
            logits = state.model(ids, segments)
        loss = train.span_loss(logits, targets)
        state.optimizer.zero_grad()
        loss.backward()
        clip_gradients(state.model, recipe.train.clip_norm)
        state.optimizer.step()

    fixed = load()
    return (lambda: learn(*load())), (lambda: learn(*fixed))
