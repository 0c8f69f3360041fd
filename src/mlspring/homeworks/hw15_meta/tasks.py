"""Tasks made on the device: which characters, which way up, which drawings."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.homeworks.hw15_meta.data import Data
from mlspring.homeworks.hw15_meta.recipe import DataKnobs
from mlspring.kit.augment import beside
from mlspring.kit.seeding import generator
from mlspring.worlds.glyphs import NUM_WAYS


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """t tasks of w characters: one support image each, and q query images in all."""

    support: Tensor  # (t, w, 28, 28), ink 1 on paper 0; image i shows class i
    query: Tensor  # (t, q, 28, 28)
    labels: Tensor  # class of each query image, int64 (t, q)

    def __len__(self) -> int:
        return len(self.support)

    def __getitem__(self, part: slice) -> "Tasks":
        return Tasks(support=self.support[part], query=self.query[part], labels=self.labels[part])


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Characters that tasks are made of."""

    images: Tensor  # uint8 (c, d, 28, 28), on the device; ink 0 on white 255
    turns: int = 1  # each character counts as so many, turned by quarters
    is_fixed: bool = False  # every task is the first characters in their order: transfer learning

    @property
    def num_classes(self) -> int:
        """Characters, turned ones counted as their own."""
        return len(self.images) * self.turns


def support_labels(support: Tensor) -> Tensor:
    """Return the classes (t, w) of support images (t, w, 28, 28): image i shows class i."""
    return torch.arange(support.shape[1], device=support.device).expand(support.shape[:2])


def make_pools(
    data: Data,
    knobs: DataKnobs,
    seed: int,
    device: torch.device,
    num_characters: int = 0,
    is_fixed: bool = False,
) -> tuple[Pool, Pool]:
    """Return the characters to train on and those of held-out alphabets, which validate.

    Alphabets are held out whole: the test's characters are of other alphabets, too. Which they are,
    and which ``num_characters`` remain (0: all), depends on the seed only.
    """
    present = np.unique(data.alphabets)
    order = torch.randperm(len(present), generator=generator(seed, "alphabets")).numpy()
    is_held = np.isin(data.alphabets, present[order[: knobs.held_out]])
    train = np.flatnonzero(~is_held)
    if num_characters:
        order = torch.randperm(len(train), generator=generator(seed, "characters")).numpy()
        train = train[order[:num_characters]]

    def on_device(characters: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(data.images[characters]).to(device)

    trained = Pool(images=on_device(train), turns=knobs.turns, is_fixed=is_fixed)
    return trained, Pool(images=on_device(np.flatnonzero(is_held)))


def make_tasks(
    pool: Pool, num_tasks: int, ways: int, queries: int, stream: torch.Generator
) -> Tasks:
    """Return tasks of ``ways`` different characters and ``queries`` images of each in the query.

    Every task is drawn anew, without regard to the others (in the notebook an epoch's tasks are one
    partition of the characters). Images of a task are of different drawers. ``stream`` is on the
    CPU, so what is drawn does not depend on the device.
    """
    if pool.is_fixed:
        chosen = torch.arange(ways).expand(num_tasks, ways)
    else:
        chosen = torch.rand(num_tasks, pool.num_classes, generator=stream).topk(ways).indices
    lots = torch.rand(num_tasks, ways, pool.images.shape[1], generator=stream)
    drawings = lots.topk(1 + queries).indices  # (t, w, 1 + queries)
    characters = torch.div(chosen, pool.turns, rounding_mode="floor")[..., None]
    labels = torch.arange(ways, device=pool.images.device).repeat_interleave(queries)
    images = pool.images[beside(characters, labels), beside(drawings, labels)]
    if pool.turns > 1:
        images = turned(images, beside(chosen % pool.turns, labels), pool.turns)
    images = to_input(images)  # (t, w, 1 + queries, s, s)
    return Tasks(
        support=images[:, :, 0],
        query=images[:, :, 1:].flatten(1, 2),
        labels=labels.expand(num_tasks, -1),
    )


def validation_tasks(held_out: Pool, num_tasks: int, seed: int) -> Tasks:
    """Return the tasks of a validation: 5 characters, one query image each, like the test's."""
    return make_tasks(held_out, num_tasks, NUM_WAYS, 1, generator(seed, "validation"))


def turned(images: Tensor, quarters: Tensor, turns: int) -> Tensor:
    """Return images (t, w, m, s, s), each character's turned left by ``quarters`` (t, w) < turns.

    Every image is turned every way and one of them kept: to pick those to turn with a mask, the
    host would have to wait for a GPU to count them.
    """
    result = images
    for quarter in range(1, turns):
        is_mine = (quarters == quarter)[..., None, None, None]
        result = torch.where(is_mine, torch.rot90(images, quarter, (-2, -1)), result)
    return result


def to_input(pixels: Tensor) -> Tensor:
    """Return pixels (0 ink, 255 white) as fp32 with ink 1 on 0: what is padded is white, too."""
    return (255 - pixels).float() / 255
