"""What several tests of homework 15 make."""

from dataclasses import replace

import torch
from torch import Tensor

from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.recipe import InnerLoop
from mlspring.homeworks.hw15_meta.tasks import Tasks

INNER = InnerLoop(method="maml", steps=2, rate=0.05, norm="query", second_order=True)
FIRST_ORDER = replace(INNER, method="fomaml", second_order=False)


def drawn_tasks(num_tasks: int, dtype: torch.dtype = torch.float64) -> Tasks:
    """Return tasks of noise, whose queries show each class once, in any order."""
    stream = torch.Generator().manual_seed(1)
    images = torch.rand(2, num_tasks, 5, 28, 28, generator=stream, dtype=dtype)
    labels = torch.stack([torch.randperm(5, generator=stream) for _ in range(num_tasks)])
    return Tasks(support=images[0], query=images[1], labels=labels)


def gradient(objective: Tensor, model: Conv4) -> dict[str, Tensor]:
    """Return the gradient by each weight; zero where a weight has no part."""
    names, weights = zip(*model.named_parameters(), strict=True)
    grads = torch.autograd.grad(objective, weights, materialize_grads=True)
    return dict(zip(names, grads, strict=True))
