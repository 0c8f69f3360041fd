"""Losses of domain adaptation, each by its paper's name.

Shapes: n rows, k classes, f features; logits and probabilities are (n, k), features (n, f).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

WARMTH = 0.2  # the temperature of the instance loss


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.weight * gradient, None


def reverse(features: Tensor, weight: float) -> Tensor:
    """Return ``features`` unchanged; their gradient comes back times ``-weight``.

    What follows learns to lower its loss while what came before learns to raise it: one pass for
    both sides of the game. Source: Ganin et al. 2016, arXiv:1505.07818.
    """
    return _Reversal.apply(features, weight)


def rising(progress: float) -> float:
    """Return 2 / (1 + exp(-10 p)) - 1 for the share p of training done: from 0 towards 1.

    Source: Ganin et al. 2016, section 5.2; the "adaptive lambda" of the slides.
    """
    return 2 / (1 + math.exp(-10 * progress)) - 1


def domain_loss(logits: Tensor, is_source: Tensor) -> Tensor:
    """Return the cross entropy of domain ``logits`` (n,) against bool (n,): log 2 = confused."""
    return F.binary_cross_entropy_with_logits(logits, is_source.to(logits))


def discrepancy(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean absolute difference of two classifiers' probabilities: 0 .. 2 / k.

    Source: Saito et al. 2018 (MCD), arXiv:1712.02560.
    """
    return (first.softmax(1) - second.softmax(1)).abs().mean()


def entropy(logits: Tensor) -> Tensor:
    """Return the mean entropy of the rows in nats: 0 = all certain, log k = none.

    Source: Grandvalet & Bengio 2004.
    """
    return -(logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()


def imbalance(logits: Tensor, shares: Sequence[float] = ()) -> Tensor:
    """Return KL(mean prediction || shares) in nats: 0 where each class has its share of the mass.

    Without ``shares`` (k numbers), all classes have equal ones.

    With ``entropy`` it is the mutual information of picture and class (Liang et al. 2020, SHOT,
    arXiv:2002.08546); the slides' hint that the drawings are balanced.
    """
    mean = logits.softmax(1).mean(0)
    if shares:
        return (mean * (mean.clamp(min=1e-12).log() - mean.new_tensor(shares).log())).sum()
    return math.log(logits.shape[1]) + (mean * mean.clamp(min=1e-12).log()).sum()


def divergence(logits: Tensor, reference: Tensor) -> Tensor:
    """Return the mean KL(softmax(reference) || softmax(logits)) of the rows in nats."""
    return F.kl_div(
        logits.log_softmax(1), reference.log_softmax(1), log_target=True, reduction="batchmean"
    )


def worst_direction(
    forward: Callable[[Tensor], Tensor], images: Tensor, start: Tensor, reach: float = 1e-1
) -> Tensor:
    """Return unit steps, one an image, that change the predictions most: shape of ``images``.

    One power iteration from ``start``: the gradient, at a small step, of the divergence from the
    prediction where no step is taken. Source: Miyato et al. 2018 (VAT), arXiv:1704.03976.

    Args:
        forward: images (n, c, h, w) to logits (n, k).
        images: where to start.
        start: random numbers of the images' shape.
        reach: length of the small step, root of summed squares.
    """
    with torch.no_grad():
        reference = forward(images)
    step = (reach * unit(start)).requires_grad_()
    change = divergence(forward(images + step), reference)
    (gradient,) = torch.autograd.grad(change, step)
    return unit(gradient)


def unit(steps: Tensor) -> Tensor:
    """Return each image's step (n, c, h, w) at length 1; a step of length 0 stays."""
    lengths = steps.flatten(1).norm(dim=1).clamp(min=1e-12)
    return steps / lengths[:, None, None, None]


def instance_loss(codes: Tensor) -> Tensor:
    """Return how hard it is to find each row's twin among all rows in nats: at most log(2 n - 1).

    ``codes`` (2 n, f): rows i and n + i show the same drawing, changed in two ways. Closeness is
    the cosine over ``WARMTH``. What two changed versions share is the shape: the features of
    drawings part into kinds without a label. Source: Chen et al. 2020 (SimCLR), arXiv:2002.05709.
    """
    codes = F.normalize(codes, dim=1)
    closeness = codes @ codes.T / WARMTH
    closeness = closeness.masked_fill(torch.eye(len(codes), device=codes.device).bool(), -math.inf)
    twins = torch.arange(len(codes), device=codes.device).roll(len(codes) // 2)
    return F.cross_entropy(closeness, twins)


def pseudo_labels(logits: Tensor, balance: float, shares: Sequence[float] = ()) -> Tensor:
    """Return a teacher's probabilities (n, k) with their mean moved towards ``shares``.

    Without them towards equal ones. Each class is weighed by its share over its mean mass to the
    power ``balance`` (distribution alignment, Berthelot et al. 2020, arXiv:1911.09785).
    """
    found = logits.softmax(1)
    found = found / found.mean(0).clamp(min=1e-6) ** balance
    if shares:
        found = found * found.new_tensor(shares) ** balance
    return found / found.sum(1, keepdim=True)


def pseudo_loss(logits: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """Return the cross entropy against the largest of ``labels`` (n, k), of certain rows only.

    A row counts where that probability reaches ``threshold``; the sum is divided by all n rows, so
    that few certain rows weigh little. Source: Sohn et al. 2020 (FixMatch), arXiv:2001.07685.
    """
    confidence, classes = labels.max(1)
    certain = (confidence >= threshold).to(logits)
    return (F.cross_entropy(logits, classes, reduction="none") * certain).mean()
