"""Importance-weighted penalties: L' = L + lambda * sum_i b_i (theta_i - theta*_i)^2.

theta* are the weights after the last task (the anchor), b_i the importance of weight i summed over
the tasks so far. The slides write lambda / 2; like the notebook's code this has no 1/2. EWC, MAS
and SCP measure b when a task ends; SI and RWalk measure it during training (``path.py``).
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from mlspring.homeworks.hw14_lifelong.methods.learner import Learner, Tensors, zeros
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from mlspring.kit.seeding import derive_seed, epoch_order, generator

CHUNK = 1024  # images of one pass; the result does not depend on it

Objective = Callable[[Tensor, Tensor], Tensor]  # logits (n, 10), mask (10,) -> (n,)


@torch.no_grad()
def add_penalty_gradient(learner: Learner, stage: int, step: int) -> None:
    """Add the penalty's gradient, 2 lambda b (theta - theta*), to the loss's.

    The penalty is no part of the loss that is differentiated: its gradient is known, and written
    in one line it costs three passes over the weights instead of a graph.
    """
    if stage == 0 or not learner.strength:
        return
    moved = torch._foreach_sub(learner.parameters, learner.state["anchor"])
    factor = 2 * learner.strength
    torch._foreach_addcmul_(learner.gradients, moved, learner.state["importance"], value=factor)


@torch.no_grad()
def penalty(learner: Learner) -> float:
    """Return lambda * sum b (theta - theta*)^2."""
    importance, anchor = learner.state["importance"], learner.state["anchor"]
    terms = zip(importance, learner.parameters, anchor, strict=True)
    return learner.strength * sum((b * (p - a).square()).sum().item() for b, p, a in terms)


def measure_ewc(learner: Learner, stage: int, step: int) -> None:
    """Add the Fisher information: b_i = E_x E_{y ~ p(y|x)} (d log p(y|x) / d theta_i)^2.

    One label is drawn from the network's own answer for every image; the network's certainty
    enters, the true labels do not. Source: Kirkpatrick et al. 2017 (arXiv:1612.00796), eq. 3; why
    drawn and not the true labels: Martens 2020 (arXiv:1412.1193), section 9.2.
    """
    draws = generator(learner.seed, "fisher", stage)

    def log_likelihood(logits: Tensor, mask: Tensor) -> Tensor:
        log_p = (logits + mask).log_softmax(1)
        drawn = torch.multinomial(log_p.detach().exp().cpu(), 1, generator=draws)
        return log_p.gather(1, drawn.to(log_p.device)).squeeze(1)

    add_importance(learner, by_images(learner, stage, log_likelihood, power=2))


def measure_mas(learner: Learner, stage: int, step: int) -> None:
    """Add the sensitivity: b_i = mean over x of | d ||F(x)||_2^2 / d theta_i |; needs no label.

    F are the network's open outputs (the paper's global version). Source: Aljundi et al. 2018
    (arXiv:1711.09601), section 4.1.
    """
    add_importance(learner, by_images(learner, stage, squared_length, power=1))


def squared_length(logits: Tensor, mask: Tensor) -> Tensor:
    """Return ||F(x)||^2 over the open outputs, (n,)."""
    return logits.masked_fill(mask.isinf(), 0).square().sum(1)


def measure_scp(learner: Learner, stage: int, step: int) -> None:
    """Add the sliced Cramer distance's: b_i = E_xi (d (xi . mean_x F(x)) / d theta_i)^2.

    xi is a random direction of length 1 in the space of outputs; mean_x runs over the whole task,
    so the distribution of outputs is held fast and not each image's output. For K outputs E xi xi^T
    is I / K, so the expectation over slices is the mean over outputs of the squared gradient of
    the mean output; no slice needs to be drawn. Source: Kolouri et al. 2020 (Sliced Cramer
    preservation, openreview BJge3TNKwH).
    """
    open_classes = learner.stream.open_classes(stage, stage)
    jacobian = {output: zeros(learner.model) for output in open_classes}
    for images in chunks(learner, stage):
        total = learner.model(images).sum(0)
        for output, sums in jacobian.items():
            rows = torch.autograd.grad(total[output], learner.parameters, retain_graph=True)
            torch._foreach_add_(sums, list(rows))
    measured = zeros(learner.model)
    for sums in jacobian.values():
        mean = torch._foreach_div(sums, len(learner.stream.tasks[stage].labels))
        torch._foreach_add_(measured, torch._foreach_mul(mean, mean), alpha=1 / len(open_classes))
    add_importance(learner, measured)


def by_images(learner: Learner, stage: int, objective: Objective, *, power: int) -> Tensors:
    """Return the mean over the task's images of |gradient of the image's objective| ** power.

    No gradient of a single image is ever formed: in a linear layer it is the outer product of the
    gradient at the output, d (n, out), with the input, h (n, in); so the sum over images of its
    powers is (|d| ** power)^T (|h| ** power), one product a layer. Source: Goodfellow 2015
    (arXiv:1510.01799).
    """
    sums, mask = zeros(learner.model), learner.stream.masks[stage][stage]
    for images in chunks(learner, stage):
        traced = learner.model.trace(images)
        total = objective(traced[-1][1], mask).sum()
        at_outputs = torch.autograd.grad(total, [outputs for _, outputs in traced])
        for index, ((inputs, _), at_output) in enumerate(zip(traced, at_outputs, strict=True)):
            d, h = at_output.abs() ** power, inputs.detach().abs() ** power
            sums[2 * index] += d.T @ h  # the layer's weight (out, in)
            sums[2 * index + 1] += d.sum(0)  # its bias, whose input is 1
    return list(torch._foreach_div(sums, len(learner.stream.tasks[stage].labels)))


def chunks(learner: Learner, stage: int) -> Iterator[Tensor]:
    """Yield the images of the task that ended, shuffled: (c, 784) each."""
    task = learner.stream.tasks[stage]
    order = epoch_order(len(task.labels), derive_seed(learner.seed, "importance"), stage)
    for part in order.to(task.labels.device).split(CHUNK):
        yield to_input(task.pixels[part])


@torch.no_grad()
def add_importance(learner: Learner, measured: Tensors) -> None:
    """Add what was measured to the importance, each task once, and set the anchor."""
    state = learner.state
    torch._foreach_add_(state["importance"], measured)
    torch._foreach_copy_(state["anchor"], learner.parameters)
