"""Whether generated faces are many different ones: copies of each other or of training faces.

Pictures are compared as thumbnails of 8 x 8 pixels, in which neither JPEG nor the grain of the
paper counts. A distance is a root mean square in grey levels of 255.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Thumbnails = NDArray[np.float32]

SMALL = 8  # side of a thumbnail
BLOCK = 2000  # pictures at once
NEAREST_REAL = 0.01  # the share of real faces that lie nearest to a training face ...
FACTOR = 0.5  # ... and what is this many times as near to one is a copy of it


@dataclass(frozen=True, kw_only=True)
class Diversity:
    """How near generated pictures are to one another and to training faces.

    Args:
        nearest: number of the nearest training face of each picture, (N,).
        distances: how far it is, (N,), itself or its mirror image.
        threshold: what is nearer is a copy.
        duplicates: how many pictures have an earlier one so near.
    """

    nearest: NDArray[np.int64]
    distances: NDArray[np.float32]
    threshold: float
    duplicates: int

    @property
    def copies(self) -> int:
        """How many pictures are copies of training faces."""
        return int((self.distances < self.threshold).sum())


def measure(pictures: Pixels, held_out: Pixels, training: Pixels) -> Diversity:
    """Return how near pictures (N, 64, 64, 3) are; ``held_out`` faces set what is near.

    Both are compared with the same training faces, so a generator that draws faces of the same law
    is as far from them as held-out faces are.
    """
    ours, real = thumbnails(pictures), thumbnails(held_out)
    nearest, distances = nearest_of(np.concatenate([ours, real]), training)
    num = len(ours)
    threshold = FACTOR * float(np.quantile(distances[num:], NEAREST_REAL))
    return Diversity(
        nearest=nearest[:num],
        distances=distances[:num],
        threshold=threshold,
        duplicates=count_duplicates(ours, threshold),
    )


def thumbnails(pictures: Pixels) -> Thumbnails:
    """Return pictures (N, S, S, 3) as 8 x 8 means, (N, 192)."""
    side = pictures.shape[1] // SMALL
    made = np.empty((len(pictures), SMALL, SMALL, 3), np.float32)
    for start in range(0, len(pictures), BLOCK):
        block = pictures[start : start + BLOCK].reshape(-1, SMALL, side, SMALL, side, 3)
        made[start : start + BLOCK] = block.mean((2, 4), dtype=np.float32)
    return made.reshape(len(pictures), -1)


def nearest_of(ours: Thumbnails, training: Pixels) -> tuple[NDArray[np.int64], Thumbnails]:
    """Return each thumbnail's nearest training face, also by its mirror image; and how far."""
    best = np.full(len(ours), np.inf, np.float32)
    nearest = np.zeros(len(ours), np.int64)
    mirrored = ours.reshape(-1, SMALL, SMALL, 3)[:, :, ::-1].reshape(ours.shape)
    for start in range(0, len(training), BLOCK):
        block = thumbnails(np.asarray(training[start : start + BLOCK]))
        squares = np.minimum(squared(ours, block), squared(mirrored, block))
        found = squares.argmin(1)
        least = squares[np.arange(len(ours)), found]
        nearest = np.where(least < best, start + found, nearest)
        best = np.minimum(best, least)
    return nearest, np.sqrt(best)


def squared(a: Thumbnails, b: Thumbnails) -> Thumbnails:
    """Return mean squared differences of all pairs of rows: (N, M)."""
    whole: Thumbnails = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return (whole / a.shape[1]).clip(min=0)


def count_duplicates(ours: Thumbnails, threshold: float) -> int:
    """Return how many thumbnails have an earlier one nearer than ``threshold``."""
    near = squared(ours, ours) < threshold**2
    return int(np.tril(near, -1).any(1).sum())
