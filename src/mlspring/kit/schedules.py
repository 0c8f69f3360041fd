"""Learning-rate schedules: functions of the step that return a factor of the base rate."""

import math
from typing import Literal, Protocol

import torch

ScheduleName = Literal["constant", "cosine", "linear", "step", "inverse_sqrt"]


def lr_scale(name: ScheduleName, step: int, num_steps: int, num_warmup: int = 0) -> float:
    """Return the factor of the base learning rate at ``step`` (counted from 0).

    All schedules rise linearly over ``num_warmup`` steps first.

    - ``cosine``: half a cosine from 1 down to 0 (Loshchilov & Hutter 2017, arXiv:1608.03983).
    - ``linear``: a straight line from 1 down to 0 (Devlin et al. 2019, arXiv:1810.04805).
    - ``step``: divided by 10 at one half and at three quarters (He et al. 2016, arXiv:1512.03385).
    - ``inverse_sqrt``: sqrt(num_warmup / step) (Vaswani et al. 2017, arXiv:1706.03762).
    """
    if step < num_warmup:
        return (step + 1) / num_warmup
    if name == "constant":
        return 1.0
    if name == "inverse_sqrt":
        return math.sqrt(max(num_warmup, 1) / (step + 1))
    done = (step - num_warmup) / max(num_steps - num_warmup, 1)
    if name == "linear":
        return 1 - min(done, 1.0)
    if name == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01


class RateKnobs(Protocol):
    """The keys of a recipe's ``[train]`` that ``set_learning_rate`` reads."""

    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def schedule(self) -> ScheduleName: ...  # noqa: D102
    @property
    def steps(self) -> int: ...  # noqa: D102


def set_learning_rate(
    optimizer: torch.optim.Optimizer, knobs: RateKnobs, step: int, num_warmup: int = 0
) -> float:
    """Give ``optimizer`` the rate of ``step``, counted from 1; return that rate."""
    scale = lr_scale(knobs.schedule, step - 1, knobs.steps, num_warmup)
    for group in optimizer.param_groups:
        group["lr"] = knobs.learning_rate * scale
    return knobs.learning_rate * scale
