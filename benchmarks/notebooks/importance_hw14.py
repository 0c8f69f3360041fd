"""Importance as HW14's notebook measures it, faults included, for the loop of the homework.

- EWC and MAS average gradients over a batch of 128 before they square them or take their absolute
  values, which makes EWC's importance about 111 times too small.
- Every importance is added to the sum of all earlier ones, which already contain each other.
- SCP averages its 100 slices before it squares, which leaves one short random direction.
- SI and RWalk follow the gradient of loss and penalty, miss each task's last step, and keep the
  negative path integral of a weight whose movement raised the loss.
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.data import NUM_CLASSES
from mlspring.homeworks.hw14_lifelong.methods import METHODS, PATH, Regulariser, path
from mlspring.homeworks.hw14_lifelong.methods.learner import (
    Learner,
    Method,
    Tensors,
    zeros,
)
from mlspring.homeworks.hw14_lifelong.methods.path import DAMPING
from mlspring.homeworks.hw14_lifelong.recipe import MethodName
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from mlspring.kit.seeding import derive_seed, epoch_order, generator

Objective = Callable[[Tensor, Tensor], Tensor]  # logits (n, 10), labels (n,) -> (n,)
BATCH = 128
NUM_SLICES = 100  # of SCP
NEW_TASK = 0.4  # weight of the new task in RWalk's average of Fisher informations


def batches(learner: Learner, stage: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield images (n, 784) and labels (n,) of the task that ended, shuffled."""
    task = learner.stream.tasks[stage]
    order = epoch_order(len(task.labels), derive_seed(learner.seed, "importance"), stage)
    for part in order.split(BATCH):
        yield to_input(task.pixels[part]), task.labels[part]


def measure_ewc(learner: Learner, stage: int, step: int) -> None:
    """Add the squared gradient of each batch's mean log likelihood, with the true labels."""
    add_importance(learner, by_batches(learner, stage, true_log_likelihood, power=2))


def true_log_likelihood(logits: Tensor, labels: Tensor) -> Tensor:
    """Return log p of the true label, (n,)."""
    return logits.log_softmax(1).gather(1, labels[:, None]).squeeze(1)


def squared_length(logits: Tensor, labels: Tensor) -> Tensor:
    """Return ||F(x)||^2, (n,)."""
    return logits.square().sum(1)


def measure_mas(learner: Learner, stage: int, step: int) -> None:
    """Add the absolute gradient of each batch's mean; images of opposite sign cancel in it."""
    add_importance(learner, by_batches(learner, stage, squared_length, power=1))


def by_batches(learner: Learner, stage: int, objective: Objective, *, power: int) -> Tensors:
    """Return the mean over batches of |gradient of the batch's mean objective| ** power."""
    sums, count = zeros(learner.model), 0
    for images, labels in batches(learner, stage):
        mean = objective(learner.model(images), labels).mean()
        gradients = [g.abs() ** power for g in torch.autograd.grad(mean, learner.parameters)]
        torch._foreach_add_(sums, gradients)
        count += 1
    return list(torch._foreach_div(sums, count))


def measure_scp(learner: Learner, stage: int, step: int) -> None:
    """Add the squared gradient along the mean of 100 slices, which are drawn for every batch."""
    measured, count = zeros(learner.model), 0
    draws = generator(learner.seed, "slices", stage)
    for images, _ in batches(learner, stage):
        slices = torch.randn(NUM_SLICES, NUM_CLASSES, generator=draws)
        direction = F.normalize(slices).mean(0).to(images.device)
        along = learner.model(images).mean(0) @ direction
        gradients = torch.autograd.grad(along, learner.parameters)
        torch._foreach_add_(measured, torch._foreach_mul(gradients, gradients))
        count += 1
    add_importance(learner, list(torch._foreach_div(measured, count)))


@torch.no_grad()
def add_importance(learner: Learner, measured: Tensors) -> None:
    """Set b_k = F_k + the sum of all earlier b, each of which holds the ones before it."""
    state = learner.state
    torch._foreach_copy_(state["importance"], measured)
    torch._foreach_add_(state["importance"], state["earlier"])
    torch._foreach_add_(state["earlier"], state["importance"])
    torch._foreach_copy_(state["anchor"], learner.parameters)


@torch.no_grad()
def record_before_step(learner: Learner, stage: int, step: int) -> None:
    """Record weights and gradient before the step, the penalty's gradient included."""
    path.record_before_step(learner, stage, step)
    torch._foreach_copy_(learner.state["gradient"], learner.gradients)


def integrate_path(learner: Learner, stage: int, step: int) -> None:
    """Add this step to the path integral, except the last step of a task."""
    if step % learner.loop.steps_per_task:
        path.integrate_path(learner, stage, step)


@torch.no_grad()
def measure_si(learner: Learner, stage: int, step: int) -> None:
    """Add w_i / (Delta_i^2 + xi), also where w_i < 0."""
    tensors = (learner.state[name] for name in ("importance", "integral", "anchor"))
    for importance, integral, anchor, weight in zip(*tensors, learner.parameters, strict=True):
        importance.add_(integral / (weight - anchor).square_().add_(DAMPING))
    path.start_new_path(learner)


def measure_rwalk(learner: Learner, stage: int, step: int) -> None:
    """Set b = F + Omega.

    F = 0.6 * (sum of all earlier F) + 0.4 F_task; Omega = (Omega + w / (F Delta^2 / 2 + 0.1)) / 2.
    """
    measured = by_batches(learner, stage, true_log_likelihood, power=2)
    names = ("fisher", "earlier", "score", "integral", "anchor", "importance")
    columns = zip(measured, learner.parameters, *(learner.state[n] for n in names), strict=True)
    with torch.no_grad():
        for task, weight, fisher, earlier, score, integral, anchor, importance in columns:
            fisher.copy_((1 - NEW_TASK) * earlier + NEW_TASK * task)
            earlier.add_(fisher)
            divergence = 0.5 * fisher * (weight - anchor).square() + DAMPING
            score.mul_(0.5).add_(integral / divergence, alpha=0.5)
            importance.copy_(fisher + score)
    path.start_new_path(learner)


# Beside the homework's tensors, the growing sum of importances (in RWalk: of Fisher informations).
AtTaskEnd = partial(Regulariser, zeros=("importance", "earlier"))
AlongThePath = partial(Regulariser, after_backward=record_before_step, after_step=integrate_path)
NOTEBOOK: dict[MethodName, Method] = {
    "finetune": METHODS["finetune"],
    "ewc": AtTaskEnd(title="EWC", on_task_end=measure_ewc),
    "mas": AtTaskEnd(title="MAS", on_task_end=measure_mas),
    "si": AlongThePath(title="SI", zeros=(*PATH, "earlier"), on_task_end=measure_si),
    "rwalk": AlongThePath(
        title="RWalk", zeros=(*PATH, "earlier", "fisher", "score"), on_task_end=measure_rwalk
    ),
    "scp": AtTaskEnd(title="SCP", on_task_end=measure_scp),
}
# Its lambda for each; fine-tuning has none.
STRENGTHS: dict[MethodName, float] = {
    "ewc": 100.0, "mas": 0.1, "si": 1.0, "rwalk": 100.0, "scp": 100.0,
}  # fmt: skip
