"""Sentences as tokens in two flat arrays, and batches of sentences of like length.

The place of an epoch's cuts depends on the sorted lengths alone, so every epoch has equally many
batches, and which sentences a step takes is known from the step. They stay on the CPU, where
lengths are looked up without waiting for a GPU; a batch is copied there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlspring.homeworks.hw05_translation.vocabulary import EOS, PAD
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import derive_seed, epoch_order, generator

LONGEST = 1024  # tokens of a sentence; what is beyond is not read


@dataclass(frozen=True)
class Sentences:
    """The tokens of n sentences, one after another.

    Args:
        tokens: int64, all; each sentence ends with EOS.
        starts: (n,), the first of each.
        lengths: (n,), how many, EOS included.
    """

    tokens: Tensor
    starts: Tensor
    lengths: Tensor

    def first(self, num: int) -> "Sentences":
        """Return the first ``num`` sentences, or all."""
        return Sentences(self.tokens, self.starts[:num], self.lengths[:num])

    def padded(self, rows: Tensor) -> Tensor:
        """Return some sentences, filled up with PAD to the longest: (b, longest)."""
        lengths = self.lengths[rows]
        steps = torch.arange(int(lengths.max()))
        real = steps < lengths[:, None]
        places = torch.where(real, self.starts[rows, None] + steps, 0)
        return torch.where(real, self.tokens[places], PAD)


def flat(sentences: Sequence[Sequence[int]], *, first: Sequence[int] = ()) -> Sentences:
    """Return lists of tokens as one array, each with ``first`` before it and EOS behind it."""
    ended = [[*[*first, *sentence][: LONGEST - 1], EOS] for sentence in sentences]
    lengths = torch.tensor([len(sentence) for sentence in ended])
    tokens = np.concatenate([np.asarray(sentence, np.int64) for sentence in ended])
    return Sentences(torch.from_numpy(tokens), lengths.cumsum(0) - lengths, lengths)


def joined(parts: Sequence[Sentences]) -> Sentences:
    """Return the sentences of all parts, in order."""
    lengths = torch.cat([part.lengths for part in parts])
    tokens = torch.cat([part.tokens for part in parts])
    return Sentences(tokens, lengths.cumsum(0) - lengths, lengths)


@dataclass(frozen=True)
class Batch:
    """Some pairs."""

    source: Tensor  # (b, s)
    inputs: Tensor  # (b, t), what the decoder has read: the targets one place later, EOS in front
    targets: Tensor  # (b, t); PAD is no target
    num_targets: int  # tokens to tell in the whole batch, over all processes

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        source, inputs, targets = (
            part.to(device, non_blocking=True) for part in (self.source, self.inputs, self.targets)
        )
        return Batch(source, inputs, targets, self.num_targets)


@dataclass(frozen=True)
class Corpus:
    """Pairs of sentences as tokens."""

    source: Sentences
    target: Sentences

    def __len__(self) -> int:
        return len(self.source.lengths)

    @property
    def longest(self) -> Tensor:
        """Length of the longer side of each pair, (n,)."""
        return self.source.lengths.maximum(self.target.lengths)

    def batch(self, rows: Tensor, ranks: Ranks = ALONE) -> Batch:
        """Return this process's share of the pairs ``rows``.

        With fewer pairs than processes some have none of their own; they get one without targets.
        """
        num_targets, mine = int(self.target.lengths[rows].sum()), rows[ranks.shard(len(rows))]
        source = self.source.padded(mine if len(mine) else rows[:1])
        targets = self.target.padded(mine if len(mine) else rows[:1])
        if not len(mine):
            targets = torch.full_like(targets, PAD)
        inputs = torch.cat((torch.full_like(targets[:, :1], EOS), targets[:, :-1]), 1)
        return Batch(source, inputs.masked_fill(inputs == PAD, EOS), targets, num_targets)


class TokenBatches:
    """Batches of at most ``batch_tokens``, padding included, in an order of its own every epoch.

    Pairs are sorted by the length of their longer side; those of one length lie in another order
    every epoch, and so do the batches.
    """

    def __init__(self, corpus: Corpus, batch_tokens: int, seed: int) -> None:
        self._lengths, self._seed, self._epoch = corpus.longest, seed, -1
        sizes = list(_sizes(self._lengths.sort().values.tolist(), batch_tokens))
        self._starts = np.cumsum([0, *sizes])
        self.per_epoch = len(sizes)
        self.pairs_per_step = len(corpus) / len(sizes)

    def rows(self, step: int) -> Tensor:
        """Return the pairs of ``step``, counted from 1."""
        epoch, position = divmod(step - 1, self.per_epoch)
        if epoch != self._epoch:
            shuffled = epoch_order(len(self._lengths), self._seed, epoch)
            self._order = shuffled[self._lengths[shuffled].argsort(stable=True)]
            stream = generator(derive_seed(self._seed, "batches"), epoch)
            self._batches, self._epoch = torch.randperm(self.per_epoch, generator=stream), epoch
        number = int(self._batches[position])
        return self._order[self._starts[number] : self._starts[number + 1]]

    def epochs(self, step: int) -> float:
        """Return how many epochs are done after ``step``."""
        return round(step / self.per_epoch, 3)


def by_length(lengths: Tensor, batch_tokens: int) -> Iterator[Tensor]:
    """Yield rows of sentences of like length, as many at once as ``batch_tokens`` hold."""
    order = lengths.argsort(stable=True)
    yield from order.split(list(_sizes(lengths[order].tolist(), batch_tokens)))


def _sizes(lengths: Sequence[int], batch_tokens: int) -> Iterator[int]:
    """Yield how many of the rising ``lengths`` each batch takes; a longer sentence goes alone."""
    count = 0
    for length in lengths:
        if count and (count + 1) * length > batch_tokens:
            yield count
            count = 0
        count += 1
    if count:
        yield count
