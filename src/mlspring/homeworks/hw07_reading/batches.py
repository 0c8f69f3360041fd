"""Questions and paragraphs as tokens, made once, and the sequences that a step reads.

A sequence is [CLS] question [SEP] window [SEP]. A batch is padded to its own longest sequence, and
batches are made of sequences of like lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.homeworks.hw07_reading import windows
from mlspring.homeworks.hw07_reading.data import Part
from mlspring.homeworks.hw07_reading.recipe import WindowKnobs
from mlspring.homeworks.hw07_reading.tokens import Encoded, Tokenizer
from mlspring.kit.batches import EpochBatches
from mlspring.kit.bert import shared
from mlspring.kit.seeding import derive_seed, generator

POOL = 8  # batches that are sorted by length together


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """Sequences of one batch.

    Args:
        ids: tokens, int64 (B, L); 0 is padding.
        segments: int64 (B, L), 0 question, 1 window, 2 or 3 a token that both have.
        firsts: (B,), place of the window's first token in the sequence.
    """

    ids: Tensor
    segments: Tensor
    firsts: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The questions of a part as tokens.

    Args:
        part: the texts.
        tokenizer: which numbers tokens have.
        questions: tokens of each question.
        paragraphs: tokens of each paragraph.
        spans: (n, 2), first and last token of each answer in its paragraph; -1: it has none.
        match: whether tokens that the question has get a segment of their own.
    """

    part: Part
    tokenizer: Tokenizer
    questions: list[NDArray[np.int32]]
    paragraphs: list[Encoded]
    spans: NDArray[np.int64]
    match: bool

    @classmethod
    def of(cls, part: Part, tokenizer: Tokenizer, knobs: WindowKnobs, match: bool) -> "Reader":
        """Return a part read by a tokenizer; of a question too long the end stays, which asks."""
        paragraphs = tokenizer.encode(part.paragraphs)
        spans = np.full((len(part.questions), 2), -1, np.int64)
        for row, (which, start, end) in enumerate(
            zip(part.paragraph_ids, part.starts, part.ends, strict=True)
        ):
            if start >= 0:
                found = windows.token_span(paragraphs[which].offsets, start, end)
                spans[row] = found if found else (-1, -1)
        questions = [one.ids[-knobs.question :] for one in tokenizer.encode(part.questions)]
        return cls(
            part=part,
            tokenizer=tokenizer,
            questions=questions,
            paragraphs=paragraphs,
            spans=spans,
            match=match,
        )

    def paragraph_of(self, row: int) -> Encoded:
        """Return the paragraph that question ``row`` is about."""
        return self.paragraphs[self.part.paragraph_ids[row]]

    def length(self, row: int, window: int) -> int:
        """Return the tokens of question and window together."""
        return len(self.questions[row]) + min(window, len(self.paragraph_of(row).ids))

    def sequences(self, rows: Sequence[int], starts: Sequence[int], length: int) -> Sequences:
        """Return the sequences of questions ``rows`` with windows at ``starts``, (B, L)."""
        pairs = [
            (self.questions[row], self.paragraph_of(row).ids[start : start + length])
            for row, start in zip(rows, starts, strict=True)
        ]
        return joined(pairs, self.tokenizer, match=self.match)


def joined(
    pairs: Sequence[tuple[NDArray[np.int32], NDArray[np.int32]]], tokens: Tokenizer, *, match: bool
) -> Sequences:
    """Return [CLS] a [SEP] b [SEP] for each pair (a, b); without a: [CLS] b [SEP]."""
    extra = [2 + bool(len(a)) for a, _ in pairs]
    longest = max(len(a) + len(b) + n for (a, b), n in zip(pairs, extra, strict=True))
    ids = np.zeros((len(pairs), longest), np.int64)
    segments = np.zeros_like(ids)
    firsts = np.array([len(a) + n - 1 for (a, _), n in zip(pairs, extra, strict=True)], np.int64)
    for row, ((a, b), first) in enumerate(zip(pairs, firsts, strict=True)):
        ids[row, 0], ids[row, first - 1] = tokens.cls, (tokens.sep if len(a) else tokens.cls)
        ids[row, 1 : 1 + len(a)] = a
        ids[row, first : first + len(b)] = b
        ids[row, first + len(b)] = tokens.sep
        segments[row, first : first + len(b) + 1] = 1
        if match:
            segments[row, first : first + len(b)] += shared(a, b, (tokens.unk, tokens.mask))
    return Sequences(ids=torch.from_numpy(ids), segments=torch.from_numpy(segments), firsts=firsts)


class BucketedBatches:
    """The questions of each step: of like lengths, shuffled anew each epoch, known from the step.

    Args:
        rows: questions to learn from, (n,).
        lengths: tokens of each, (n,).
        batch_size: questions a step.
        seed: fixes the order of every epoch.
    """

    def __init__(self, rows: Tensor, lengths: Tensor, batch_size: int, seed: int) -> None:
        self.size = min(batch_size, len(rows))
        self._pool = min(POOL, len(rows) // self.size)
        self._pools = EpochBatches(torch.arange(len(rows)), self._pool * self.size, seed)
        self._rows, self._lengths, self._seed = rows, lengths, seed

    def rows(self, step: int) -> list[int]:
        """Return the questions of ``step``, counted from 1."""
        pool, place = divmod(step - 1, self._pool)
        drawn = self._pools.rows(pool + 1)
        ordered = drawn[self._lengths[drawn].argsort(stable=True)]
        stream = generator(derive_seed(self._seed, "pool", pool))
        batch = int(torch.randperm(self._pool, generator=stream)[place])
        chosen: list[int] = self._rows[ordered[batch * self.size :][: self.size]].tolist()
        return chosen

    def epochs(self, step: int) -> float:
        """Return how many epochs are done after ``step``."""
        return round(step / (self._pools.per_epoch * self._pool), 3)
