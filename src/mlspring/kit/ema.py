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
        model: the network in training; it is copied, not changed.
        decay: weight of the old average, e.g. 0.999.
    """

    def __init__(self, model: M, decay: float) -> None:
        self.model: M = copy.deepcopy(model)
        self.model.requires_grad_(False).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, num_updates: int) -> None:
        """Move the average towards ``model``; buffers (batch statistics) move alike."""
        weight = 1 - min(self.decay, (1 + num_updates) / (10 + num_updates))
        mine, theirs = self.model.state_dict(), model.state_dict()
        floats = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[n] for n in floats], [theirs[n] for n in floats], weight)
        for name, value in mine.items():
            if not value.is_floating_point():
                value.copy_(theirs[name])
