"""What a step trains on: frames with their neighbours, or whole utterances side by side.

Both are gathered from one array by index (``kit.frames``), so that no window is ever written out.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mlspring.core.errors import UserError
from mlspring.homeworks.hw02_phonemes.augment import Stretch
from mlspring.homeworks.hw02_phonemes.recipe import ModelKnobs, Recipe
from mlspring.homeworks.hw02_phonemes.utterances import Utterances
from mlspring.kit.batches import EpochBatches
from mlspring.kit.distributed import Ranks
from mlspring.kit.frames import Frames, padded, windows
from mlspring.kit.seeding import generator

POOL = 16  # batches of utterances that are sorted by length together


@dataclass(frozen=True, kw_only=True)
class Batch:
    """This process's share of a step.

    Args:
        inputs: what the network takes.
        targets: int64 (m,), the class of every frame for which it gives logits.
        loss_scale: factor of the mean loss here, so that the mean over processes is that of all
            frames of the step.
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor
    loss_scale: float


def on_device(utterances: Utterances, device: torch.device) -> Frames:
    """Return the arrays as tensors; on the CPU they share their memory."""
    labels = utterances.labels
    return Frames(
        features=torch.from_numpy(utterances.features).to(device),
        offsets=torch.from_numpy(utterances.offsets).to(device),
        labels=None if labels is None else torch.from_numpy(labels).to(device),
    )


class FrameBatches:
    """Batches of ``batch_size`` frames from anywhere, each with its window; shuffled every epoch.

    Args:
        frames: all that there are.
        rows: int64 (m,), the frames to train on.
        n: frames of a window.
        batch_size: frames a step, over all processes.
        seed: fixes the order of every epoch.
        ranks: who shares a step.
    """

    def __init__(
        self, frames: Frames, rows: Tensor, n: int, batch_size: int, seed: int, ranks: Ranks
    ) -> None:
        self.frames, self.n = frames, n
        self._batches = EpochBatches(rows, batch_size, seed)
        self.size = self.num_frames = self._batches.size
        self._shard, self._scale = ranks.shard(self.size), ranks.loss_scale(self.size)

    def batch(self, step: int) -> Batch:
        """Return this process's windows (m, 39 n) of ``step``, counted from 1."""
        rows = self._batches.rows(step)[self._shard]
        return Batch(
            inputs=(windows(self.frames, rows, self.n),),
            targets=self.frames.targets(rows),
            loss_scale=self._scale,
        )

    def epochs(self, step: int) -> float:
        """Return how many epochs are done after ``step``."""
        return self._batches.epochs(step)


class UtteranceBatches:
    """Batches of whole utterances of like lengths, about ``batch_size`` frames together.

    Each epoch shuffles the utterances, sorts them by length within pools of some batches, so that
    little is padded, and takes the batches in a random order. What does not fill a batch is left
    out of an epoch.

    Args:
        frames: all that there are.
        numbers: int64 (m,), the utterances to train on.
        batch_size: frames a step, about.
        seed: fixes the order of every epoch, and what is stretched.
        ranks: who shares a step.
        stretch: largest change of a vocal tract, see ``augment``; 0: none.

    Raises:
        UserError: more processes than utterances in a step.
    """

    def __init__(
        self,
        frames: Frames,
        numbers: Tensor,
        batch_size: int,
        seed: int,
        ranks: Ranks,
        stretch: float,
    ) -> None:
        self.frames, self._numbers, self._seed, self._ranks = frames, numbers.cpu(), seed, ranks
        self._stretch = Stretch(frames, stretch, seed) if stretch else None
        self._lengths = frames.lengths(numbers).cpu()
        mean = max(1, round(self._lengths.double().mean().item()))
        self.size = min(max(1, batch_size // mean), len(numbers))  # utterances
        self.num_frames = self.size * mean  # of a step, on average
        self.per_epoch = len(numbers) // self.size
        self._epoch, self._order = -1, self._numbers
        if ranks.size > self.size:
            found = f"{ranks.size} processes share a step of {self.size} utterances"
            raise UserError(found, fix="start fewer processes, or raise train.batch_size")

    def batch(self, step: int) -> Batch:
        """Return this process's utterances of ``step``: inputs (b, t, 39) and lengths (b,)."""
        epoch, position = divmod(step - 1, self.per_epoch)
        if epoch != self._epoch:
            self._order, self._epoch = self._shuffled(epoch), epoch
        places = self._order[position * self.size :][: self.size]
        shard = self._ranks.shard(self.size)
        mine = places[shard]
        numbers = self._numbers[mine].to(self.frames.offsets.device)
        inputs, lengths = padded(self.frames, numbers)
        if self._stretch:
            inputs = self._stretch((inputs, lengths), numbers, step, shard.start)
        share = self._lengths[mine].sum() / self._lengths[places].sum()
        return Batch(
            inputs=(inputs, lengths),
            targets=self.frames.targets(self.frames.rows(numbers)),
            loss_scale=share.item() * self._ranks.size,
        )

    def epochs(self, step: int) -> float:
        """Return how many epochs are done after ``step``."""
        return round(step / self.per_epoch, 3)

    def _shuffled(self, epoch: int) -> Tensor:
        """Return positions in the list of utterances, batch after batch: int64 (k size,)."""
        draw = generator(self._seed, "order", epoch)
        kept = torch.randperm(len(self._numbers), generator=draw)[: self.per_epoch * self.size]
        pools = [
            pool[self._lengths[pool].argsort(stable=True)] for pool in kept.split(POOL * self.size)
        ]
        batches = torch.cat(pools).view(-1, self.size)
        return batches[torch.randperm(len(batches), generator=draw)].flatten()


def make_batches(
    knobs: ModelKnobs, recipe: Recipe, frames: Frames, numbers: Tensor, seed: int, ranks: Ranks
) -> FrameBatches | UtteranceBatches:
    """Return what a network of the recipe trains on, of the utterances ``numbers``."""
    size = recipe.train.batch_size
    if knobs.name == "recurrent":
        return UtteranceBatches(frames, numbers, size, seed, ranks, recipe.augment.stretch)
    return FrameBatches(frames, frames.rows(numbers), knobs.frames, size, seed, ranks)
