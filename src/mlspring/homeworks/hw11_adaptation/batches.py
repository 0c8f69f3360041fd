"""Both domains on the device, the photos held out, and rows dealt in batches."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlspring.homeworks.hw11_adaptation import transform
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit.device import Hardware
from mlspring.kit.seeding import derive_seed, epoch_order, generator


@dataclass(frozen=True, kw_only=True)
class Domains:
    """Both domains on the device.

    Args:
        photos: views uint8 (v, n, s, s); ``labels``: their classes int64 (n,).
        drawings: uint8 (m, s, s), without labels.
        num_classes: how many classes there are.
    """

    photos: Tensor
    labels: Tensor
    drawings: Tensor
    num_classes: int


def place(recipe: Recipe, data: Data, hardware: Hardware) -> Domains:
    """Return both domains on the device, the photos as the recipe's views."""
    photos = torch.from_numpy(np.array(data.source_images)).to(hardware.device)
    return Domains(
        photos=transform.views(photos, recipe.data),
        labels=torch.from_numpy(data.source_labels).to(hardware.device),
        drawings=torch.from_numpy(np.array(data.target_images)).to(hardware.device),
        num_classes=data.num_classes,
    )


def split(labels: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return rows to train on and rows to hold out: ``share`` of each class, at least one."""
    train, held_out = [], []
    for label in labels.unique().tolist():
        rows = torch.nonzero(labels == label)[:, 0]
        rows = rows[epoch_order(len(rows), derive_seed(seed, "split", label), 0).to(rows.device)]
        count = min(max(1, round(share * len(rows))), len(rows) - 1)
        held_out.append(rows[:count])
        train.append(rows[count:])
    return torch.cat(train), torch.cat(held_out)


class Deck:
    """Rows dealt in batches, shuffled anew each epoch: a function of seed and step."""

    def __init__(self, rows: Tensor, batch_size: int, seed: int) -> None:
        self.rows, self.batch_size, self.seed = rows, batch_size, seed
        self.epoch_steps = len(rows) // batch_size  # the rest has its turn in other epochs
        self._epoch, self._order = -1, rows

    def deal(self, step: int) -> Tensor:
        """Return the rows of ``step``, counted from 1: (batch_size,)."""
        epoch, position = divmod(step - 1, self.epoch_steps)
        if epoch != self._epoch:
            order = epoch_order(len(self.rows), self.seed, epoch)
            self._epoch, self._order = epoch, self.rows[order.to(self.rows.device)]
        return self._order[position * self.batch_size :][: self.batch_size]


class EvenDeck(Deck):
    """Rows drawn with all classes alike often, whatever their numbers: a function of seed and step.

    Args:
        rows: what to draw from (r,); ``labels``: their classes (r,).
        batch_size: rows a step.
        seed: fixes every draw.
    """

    def __init__(self, rows: Tensor, labels: Tensor, batch_size: int, seed: int) -> None:
        super().__init__(rows, batch_size, seed)
        self._weights = (1 / torch.bincount(labels).float())[labels].cpu()

    def deal(self, step: int) -> Tensor:
        """Return the rows of ``step`` (batch_size,), some perhaps more than once."""
        stream = generator(self.seed, step)
        drawn = torch.multinomial(self._weights, self.batch_size, True, generator=stream)
        return self.rows[drawn.to(self.rows.device)]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One process's share of a step: b photos and b drawings, each augmented by its own draw.

    Where the recipe needs twins, the second half shows the first half's pictures, changed anew.

    Args:
        photos: floats (b, 1, s, s); ``labels``: their classes (b,).
        drawings: floats (b, 1, s, s).
        plain: the same drawings as stored, uint8 (b, s, s).
    """

    photos: Tensor
    labels: Tensor
    drawings: Tensor
    plain: Tensor


class Batches:
    """Batches of photos to train on and of drawings: a function of seed and step.

    Args:
        domains: all pictures.
        train_rows: photos to train on.
        recipe: batch size and augmentation.
        seed: fixes order and augmentation.
    """

    def __init__(self, domains: Domains, train_rows: Tensor, recipe: Recipe, seed: int) -> None:
        num_drawings = len(domains.drawings)
        self.size = min(recipe.train.batch_size, len(train_rows), num_drawings)
        self._domains, self._augment, self._seed = domains, recipe.augment, seed
        self._train_rows, self._needs_twins = train_rows, recipe.adapt.needs_twins
        if recipe.train.even:
            labels = domains.labels[train_rows]
            self._photos: Deck = EvenDeck(
                train_rows, labels, self.size, derive_seed(seed, "photos")
            )
        else:
            self._photos = Deck(train_rows, self.size, derive_seed(seed, "photos"))
        all_drawings = torch.arange(num_drawings, device=domains.drawings.device)
        self._drawings = Deck(all_drawings, self.size, derive_seed(seed, "drawings"))

    @property
    def epoch_steps(self) -> int:
        """Steps in which every photo is seen once."""
        return self._photos.epoch_steps

    def deal(self, step: int, share: slice) -> Batch:
        """Return the ``share`` of ``step``; draws are made for the whole batch."""
        stream = generator(self._seed, "augment", step)
        rows = self._photos.deal(step)
        plain = self._domains.drawings[self._drawings.deal(step)[share]]
        batch = self._shown(rows, plain, stream, share)
        if not self._needs_twins:
            return batch
        twins = self._shown(rows, plain, stream, share)
        drawings = self._cluttered(twins.drawings, stream, share)
        return Batch(
            photos=torch.cat((batch.photos, twins.photos)),
            labels=batch.labels.repeat(2),
            drawings=torch.cat((batch.drawings, drawings)),
            plain=plain.repeat(2, 1, 1),
        )

    def _shown(self, rows: Tensor, plain: Tensor, stream: torch.Generator, share: slice) -> Batch:
        """Return one view of each photo and each drawing, changed at random."""
        photos = transform.pick(self._domains.photos, rows, stream)[share]
        draws = [transform.draw(self._augment, self.size, stream)[share] for _ in range(2)]
        return Batch(
            photos=transform.vary(photos, draws[0]),
            labels=self._domains.labels[rows[share]],
            drawings=transform.vary(plain, draws[1]),
            plain=plain,
        )

    def _cluttered(self, drawings: Tensor, stream: torch.Generator, share: slice) -> Tensor:
        """Return drawings, some of them under the edges of a photo."""
        if not self._augment.clutter:
            return drawings
        which = torch.randint(len(self._train_rows), (self.size,), generator=stream)
        rows = self._train_rows[which.to(self._train_rows.device)]
        photos = transform.pick(self._domains.photos, rows, stream)[share]
        strength = transform.draw_clutter(self._augment.clutter, self.size, stream)[share]
        return transform.cluttered(drawings, photos, strength)
