"""Tasks made on the device: which characters, which way up, which drawings."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlspring.homeworks.hw15_meta.data import Data
from mlspring.homeworks.hw15_meta.recipe import AugmentKnobs, Recipe
from mlspring.kit.augment import draw_affine, warp
from mlspring.kit.seeding import generator


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """t tasks of w characters: one support image each, and q query images in all.

    Args:
        support: ink 1 on 0, (t, w, 28, 28); the image at place i shows class i.
        query: (t, q, 28, 28).
        labels: class of each query image, int64 (t, q).
    """

    support: Tensor
    query: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.support)

    def __getitem__(self, part: slice) -> "Tasks":
        return Tasks(support=self.support[part], query=self.query[part], labels=self.labels[part])


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Characters that tasks are made of.

    Args:
        images: uint8 (c, d, 28, 28), on the device; ink 0 on white 255.
        turns: each character counts as so many, turned by quarters.
        is_fixed: every task is made of the first characters, in their order (transfer learning).
    """

    images: Tensor
    turns: int = 1
    is_fixed: bool = False

    @property
    def num_classes(self) -> int:
        """Characters, turned ones counted as their own."""
        return len(self.images) * self.turns


def make_pools(recipe: Recipe, data: Data, seed: int, device: torch.device) -> tuple[Pool, Pool]:
    """Return the characters to train on and those of held-out alphabets, which validate.

    Alphabets are held out whole: the test's characters are of other alphabets, too. Which they are,
    and which characters remain where ``data.characters`` asks for fewer, depends on the seed only.
    """
    knobs = recipe.data
    present = np.unique(data.alphabets)
    order = torch.randperm(len(present), generator=generator(seed, "alphabets")).numpy()
    is_held = np.isin(data.alphabets, present[order[: knobs.held_out]])
    train = np.flatnonzero(~is_held)
    is_fixed = recipe.method.name == "transfer"
    wanted = recipe.method.ways if is_fixed else knobs.characters
    if wanted:
        order = torch.randperm(len(train), generator=generator(seed, "characters")).numpy()
        train = train[order[:wanted]]

    def place(characters: np.ndarray) -> Tensor:
        return torch.from_numpy(data.images[characters]).to(device)

    trained = Pool(images=place(train), turns=knobs.turns, is_fixed=is_fixed)
    return trained, Pool(images=place(np.flatnonzero(is_held)))


def make_tasks(
    pool: Pool,
    num_tasks: int,
    ways: int,
    queries: int,
    stream: torch.Generator,
    augment: AugmentKnobs | None = None,
) -> Tasks:
    """Return tasks of ``ways`` different characters and ``queries`` images of each in the query.

    Every task is drawn anew, without regard to the others (in the notebook an epoch's tasks are one
    partition of the characters). Images of a task are of different drawers.

    Args:
        pool: where from.
        num_tasks: t.
        ways: w.
        queries: of each character.
        stream: a generator on the CPU; what is drawn does not depend on the device.
        augment: how each image is changed; none: not at all.
    """
    if pool.is_fixed:
        chosen = torch.arange(ways).expand(num_tasks, ways)
    else:
        chosen = torch.rand(num_tasks, pool.num_classes, generator=stream).topk(ways).indices
    num_drawings = pool.images.shape[1]
    lots = torch.rand(num_tasks, ways, num_drawings, generator=stream)
    drawings = lots.topk(1 + queries).indices  # (t, w, 1 + queries)
    device = pool.images.device
    characters = torch.div(chosen, pool.turns, rounding_mode="floor")[..., None]
    images = pool.images[characters.to(device), drawings.to(device)]  # (t, w, 1 + queries, s, s)
    images = to_input(turned(images, (chosen % pool.turns).to(device)))
    if augment and any(augment.model_dump().values()):
        images = redrawn(images, augment, stream)
    labels = torch.arange(ways, device=device).repeat_interleave(queries)
    return Tasks(
        support=images[:, :, 0],
        query=images[:, :, 1:].flatten(1, 2),
        labels=labels.expand(num_tasks, -1),
    )


def turned(images: Tensor, turns: Tensor) -> Tensor:
    """Return images (t, w, m, s, s), each character's turned left by ``turns`` (t, w) quarters."""
    if not bool(turns.any()):
        return images
    out = images.clone()
    for quarter in range(1, 4):
        mine = turns == quarter
        out[mine] = torch.rot90(images[mine], quarter, (-2, -1))
    return out


def redrawn(images: Tensor, knobs: AugmentKnobs, stream: torch.Generator) -> Tensor:
    """Return images (..., s, s), ink 1 on 0, each turned, sized, stretched and moved by itself.

    What comes in from beyond the edge is white.
    """
    side = images.shape[-1]
    maps = draw_affine(
        images[..., 0, 0].numel(),
        stream,
        rotate=knobs.rotate,
        zoom=(1 - knobs.zoom, 1 + knobs.zoom),
        stretch=knobs.stretch,
        shift=knobs.shift,
    )
    return warp(images.view(-1, 1, side, side), maps, outside="zeros").view_as(images)


def to_input(pixels: Tensor) -> Tensor:
    """Return pixels (0 ink, 255 white) as fp32 with ink 1 on 0: what is padded is white, too."""
    return (255 - pixels).float() / 255
