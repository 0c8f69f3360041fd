"""Both domains on the device, the photos held out, and what each step trains on."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from mlspring.homeworks.hw11_adaptation import sketches, transform
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.recipe import DataKnobs, Recipe
from mlspring.kit import augment
from mlspring.kit.batches import EpochBatches
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import derive_seed, epoch_order, generator


@dataclass(frozen=True, kw_only=True)
class Domains:
    """Both domains on the device."""

    photos: Tensor  # v views of each, uint8 (v, n, s, s)
    labels: Tensor  # classes of the photos, int64 (n,)
    drawings: Tensor  # uint8 (m, s, s)
    num_classes: int


def to_device(data: Data, knobs: DataKnobs, hardware: Hardware) -> Domains:
    """Return both domains on the device, the photos as the recipe's views."""
    photos = torch.from_numpy(np.array(data.source_images)).to(hardware.device)
    return Domains(
        photos=transform.views(photos, knobs),
        labels=torch.from_numpy(data.source_labels).to(hardware.device),
        drawings=torch.from_numpy(np.array(data.target_images)).to(hardware.device),
        num_classes=data.num_classes,
    )


def split(labels: Tensor, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return rows to train on and rows to hold out: ``fraction`` of each class, at least one."""
    train, held_out = [], []
    for label in labels.unique().tolist():
        rows = torch.nonzero(labels == label)[:, 0]
        rows = rows[epoch_order(len(rows), derive_seed(seed, "split", label), 0).to(rows.device)]
        count = min(max(1, round(fraction * len(rows))), len(rows) - 1)
        held_out.append(rows[:count])
        train.append(rows[count:])
    return torch.cat(train), torch.cat(held_out)


class ClassBalancedSampler:
    """Draws rows of all classes equally often, whatever their numbers: a function of the step.

    Args:
        rows: what to draw from (r,); ``labels``: their classes (r,).
        batch_size: rows a step.
        seed: fixes every draw.
    """

    def __init__(self, rows: Tensor, labels: Tensor, batch_size: int, seed: int) -> None:
        self._rows, self._batch_size, self._seed = rows, batch_size, seed
        self._weights = (1 / torch.bincount(labels).float())[labels].cpu()

    def rows(self, step: int) -> Tensor:
        """Return the rows of ``step`` (batch_size,), some perhaps more than once."""
        stream = generator(self._seed, step)
        drawn = torch.multinomial(self._weights, self._batch_size, True, generator=stream)
        return self._rows[augment.beside(drawn, self._rows)]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One process's shard of a step: b photos and b drawings, each augmented by its own draw.

    With positive pairs the second half shows the first half's pictures, changed anew.
    """

    photos: Tensor  # floats (b, 1, s, s)
    labels: Tensor  # classes of the photos (b,)
    drawings: Tensor  # floats (b, 1, s, s)
    plain: Tensor  # the same drawings as stored, uint8 (b, s, s)

    @property
    def images(self) -> Tensor:
        """Photos, then drawings: (2 b, 1, s, s)."""
        return torch.cat((self.photos, self.drawings))


class DomainBatches:
    """Batches of photos to train on and of drawings: a function of seed and step.

    Args:
        domains: all pictures.
        train_rows: photos to train on.
        recipe: batch size, augmentation, and whether pictures come in positive pairs.
        seed: fixes order and augmentation.
    """

    def __init__(self, domains: Domains, train_rows: Tensor, recipe: Recipe, seed: int) -> None:
        num_drawings = len(domains.drawings)
        self.size = min(recipe.train.batch_size, len(train_rows), num_drawings)
        self._domains, self._augment, self._seed = domains, recipe.augment, seed
        self._train_rows, self._in_pairs = train_rows, bool(recipe.adapt.positive_pairs)
        photo_seed, drawing_seed = derive_seed(seed, "photos"), derive_seed(seed, "drawings")
        self._photos: EpochBatches | ClassBalancedSampler
        if recipe.train.class_balanced:
            labels = domains.labels[train_rows]
            self._photos = ClassBalancedSampler(train_rows, labels, self.size, photo_seed)
        else:
            self._photos = EpochBatches(train_rows, self.size, photo_seed)
        all_drawings = torch.arange(num_drawings, device=domains.drawings.device)
        self._drawings = EpochBatches(all_drawings, self.size, drawing_seed)

    def epochs(self, step: int) -> float:
        """Return how often each photo was seen after ``step``."""
        return round(step / (len(self._train_rows) // self.size), 3)

    def batch(self, step: int, ranks: Ranks = ALONE) -> Batch:
        """Return this process's shard of ``step``; draws are made for the whole batch."""
        shard = ranks.shard(self.size)
        stream = generator(self._seed, "augment", step)
        rows, drawings = self._photos.rows(step), self._domains.drawings[self._drawings.rows(step)]
        first = self._augmented(rows, drawings, stream, shard)
        if not self._in_pairs:
            return first
        second = self._augmented(rows, drawings, stream, shard)
        return Batch(
            photos=torch.cat((first.photos, second.photos)),
            labels=first.labels.repeat(2),
            drawings=torch.cat((first.drawings, self._cluttered(second.drawings, stream, shard))),
            plain=first.plain.repeat(2, 1, 1),
        )

    def _augmented(self, rows: Tensor, drawings: Tensor, stream: Generator, shard: slice) -> Batch:
        """Return one view of each photo and each drawing, changed at random."""
        photos = transform.pick(self._domains.photos, rows, stream)
        return Batch(
            photos=transform.vary(photos, self._augment, stream, shard),
            labels=self._domains.labels[rows[shard]],
            drawings=transform.vary(drawings, self._augment, stream, shard),
            plain=drawings[shard],
        )

    def _cluttered(self, drawings: Tensor, stream: Generator, shard: slice) -> Tensor:
        """Return drawings, many of them under the edges of some photo."""
        which = torch.randint(len(self._train_rows), (self.size,), generator=stream)
        rows = self._train_rows[augment.beside(which, self._train_rows)]
        photos = transform.pick(self._domains.photos, rows, stream)[shard]
        strength = sketches.draw_clutter(self.size, stream)[shard]
        return sketches.clutter(drawings, transform.to_input(photos), strength)
