"""What layers make of tokens: their principal components, and distances between vectors.

Shapes: n vectors (n, D) of one layer.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def principal(vectors: Tensor, count: int = 2) -> tuple[Tensor, Tensor]:
    """Return the first principal components, and the share of the variance that each explains.

    By the singular values of the centred vectors. The sign of a component is arbitrary: here its
    largest absolute value is positive, so that equal vectors give equal pictures.

    Args:
        vectors: (n, D), at least ``count`` of them.
        count: how many components.

    Returns:
        Coordinates (n, count) and shares (count,), zeros where all vectors are the same.
    """
    centred = vectors.double() - vectors.double().mean(0)
    left, sizes, _ = torch.linalg.svd(centred, full_matrices=False)
    found = left[:, :count] * sizes[:count]
    largest = found.gather(0, found.abs().argmax(0, keepdim=True))
    total = (sizes**2).sum()
    shares = sizes[:count] ** 2 / torch.where(total > 0, total, torch.ones_like(total))
    return found * torch.where(largest < 0, -1.0, 1.0), shares


def euclidean(vectors: Tensor, others: Tensor) -> Tensor:
    """Return |a - b| for each two vectors: (n, D), (m, D) to (n, m), in float64."""
    return (vectors.double()[:, None] - others.double()[None]).norm(dim=2)


def cosine(vectors: Tensor, others: Tensor) -> Tensor:
    """Return 1 - a b / (|a| |b|) for each two vectors: (n, D), (m, D) to (n, m), in float64.

    It is 0 for the same direction, 1 at a right angle, 2 for the opposite.
    """
    a, b = (F.normalize(part.double(), dim=1) for part in (vectors, others))
    return (1 - a @ b.T).clamp(0, 2)


DISTANCES = {"Euclidean": euclidean, "cosine": cosine}


def mean_distance(table: Tensor, of_rows: Tensor, of_columns: Tensor) -> float:
    """Return the mean distance between two groups, without that of a vector to itself.

    Args:
        table: distances (n, n) of the same vectors.
        of_rows: bool (n,), one group.
        of_columns: bool (n,), the other, or the same one.
    """
    pairs = of_rows[:, None] & of_columns[None] & ~torch.eye(len(table), dtype=torch.bool)
    return table[pairs].mean().item()


def senses_apart(table: Tensor, first: Tensor) -> float:
    """Return the mean distance between two senses over the mean one within a sense.

    1: the vectors do not know the sense.

    Args:
        table: distances (n, n) of a word in n sentences.
        first: bool (n,), where it has its first sense.
    """
    within = [mean_distance(table, group, group) for group in (first, ~first)]
    return mean_distance(table, first, ~first) / max(sum(within) / 2, 1e-12)
