"""Chance: numbers in blocks, because a sentence asks for some fifty of them."""

from bisect import bisect
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np

Item = TypeVar("Item")
BLOCK = 4096


class Table(Generic[Item]):
    """Items in order of frequency: the r-th has weight 1 / (r + OFFSET) ** steepness."""

    OFFSET = 2.0

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = tuple(items)
        self._sums: dict[float, list[float]] = {}

    def sums(self, steepness: float) -> list[float]:
        """Return the cumulated weights of the items, the last one 1."""
        if steepness not in self._sums:
            ranks = np.arange(len(self.items)) + self.OFFSET
            weights = ranks**-steepness
            self._sums[steepness] = (np.cumsum(weights) / weights.sum()).tolist()
        return self._sums[steepness]


class Dice:
    """Every random choice of a sentence.

    Args:
        keys: what the choices depend on.
        steepness: how much more often a frequent word is taken than a rare one; 0 is not at all.
    """

    def __init__(self, keys: Sequence[int], steepness: float = 1.0) -> None:
        self._rng = np.random.default_rng(list(keys))
        self._numbers: list[float] = []
        self.steepness = steepness

    def number(self) -> float:
        """Return a number from 0 to 1."""
        if not self._numbers:
            self._numbers = self._rng.random(BLOCK).tolist()
        return self._numbers.pop()

    def chance(self, share: float) -> bool:
        """Return True in ``share`` of the cases."""
        return self.number() < share

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to ``limit`` - 1."""
        return int(self.number() * limit)

    def one(self, items: Sequence[Item]) -> Item:
        """Return an item; all are equally likely."""
        return items[int(self.number() * len(items))]

    def word(self, table: Table[Item]) -> Item:
        """Return an item of a table, a frequent one more often."""
        row = bisect(table.sums(self.steepness), self.number())
        return table.items[min(row, len(table.items) - 1)]
