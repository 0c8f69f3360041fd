"""Exponential moving average of weights: a smoother network for a copy's worth of memory."""

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


class EMA(Generic[M]):
    """Holds ``model``, a copy whose weights trail the trained ones.

    The decay warms up as min(decay, (1 + n) / (10 + n)) over the updates n, so that early averages
    are not dominated by the initial weights (as in TensorFlow's ExponentialMovingAverage).

    Args:
        model: the network in training, on its device already; it is copied, not changed.
        decay: weight of the old average, e.g. 0.999.
    """

    def __init__(self, model: M, decay: float) -> None:
        self.model: M = copy.deepcopy(model)
        self.model.requires_grad_(False).eval()
        self.decay = decay
        # The tensors are found once: their names would be gathered anew in every step.
        mine, theirs = self.model.state_dict(), model.state_dict()
        pairs = [(mine[name], theirs[name]) for name in mine]
        self._floats = [pair for pair in pairs if pair[0].is_floating_point()]
        self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, num_updates: int) -> None:
        """Move the average towards the network; buffers (batch statistics) move alike."""
        weight = 1 - min(self.decay, (1 + num_updates) / (10 + num_updates))
        mine, theirs = ([pair[side] for pair in self._floats] for side in (0, 1))
        torch._foreach_lerp_(mine, theirs, weight)
        for count, of_network in self._counts:
            count.copy_(of_network)
