"""A network in training: its weights, its moving average, its optimizer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import nn

from mlspring.kit.ema import EMA

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class TrainState(Generic[M]):
    """What a loop trains, and what a resumable state holds.

    Args:
        model: the network that learns; ``optimizer`` updates it.
        average: its moving average, None where that is off.
        others: further networks that a resumed loop needs, by name.
    """

    model: M
    optimizer: torch.optim.Optimizer
    average: EMA[M] | None = None
    others: Mapping[str, Any] = field(default_factory=dict)

    @property
    def final(self) -> M:
        """The network that is validated, saved and predicts: the average where there is one."""
        return self.average.model if self.average else self.model

    @property
    def modules(self) -> dict[str, nn.Module]:
        """All networks by name."""
        average = {"final": self.average.model} if self.average else {}
        return {"model": self.model, **average, **self.others}

    def update_average(self, step: int) -> None:
        """Move the average, where there is one, towards the network after ``step``."""
        if self.average:
            self.average.update(step)


def clip_gradients(model: nn.Module, largest_norm: float) -> None:
    """Scale the gradients down to ``largest_norm`` together; 0: leave them."""
    if largest_norm:
        nn.utils.clip_grad_norm_(model.parameters(), largest_norm)


class AdamWKnobs(Protocol):
    """The keys of a recipe's ``[train]`` that ``with_adamw`` reads."""

    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def weight_decay(self) -> float: ...  # noqa: D102
    @property
    def ema_decay(self) -> float: ...  # noqa: D102


def with_adamw(model: M, knobs: AdamWKnobs) -> TrainState[M]:
    """Return the state of ``model`` before its first step, to be trained by AdamW.

    Source: Loshchilov & Hutter 2019, arXiv:1711.05101. The update is fused: one kernel for all
    weights.
    """
    optimizer = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay, fused=True
    )
    average = EMA(model, knobs.ema_decay) if knobs.ema_decay else None
    return TrainState(model=model, optimizer=optimizer, average=average)
