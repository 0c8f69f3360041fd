"""The inner loop of homework 15: from shared weights to those of each task.

All tasks of a batch are adapted at once: a weight gets a first axis of tasks, and since no task's
loss depends on another's weights, the gradient of their sum holds each task's own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta.models import NUM_LAYERS, Conv4, Weights, exact


@dataclass(frozen=True, kw_only=True)
class Inner:
    """How weights are adapted to a task.

    Args:
        steps: updates on a task's support.
        rate: learning rate of these, where the network has not learnt its own.
        norm: ``query``: all queries of a task share batch norm's statistics, as in the notebook;
            ``support``: each is normalised by the support's, so that no answer depends on another.
        order: 2 where the outer gradient goes through the inner ones, or else 1.
        early: share of the objective that the query's losses before the last step have: 0 to 1.
    """

    steps: int
    rate: float
    norm: str
    order: int = 2
    early: float = 0.0


def losses_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Return each task's mean cross entropy (t,) of logits (t, n, w) against labels (t, n)."""
    each = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return each.view(labels.shape).mean(1)


def classes_of(support: Tensor) -> Tensor:
    """Return the labels (t, w) of support images (t, w, 28, 28): their places."""
    return torch.arange(support.shape[1], device=support.device).expand(support.shape[:2])


def descend(
    weights: Weights, names: Iterable[str], loss: Tensor, step: int, inner: Inner, graph: bool
) -> Weights:
    """Return weights after theta <- theta - rate * grad of the loss, for the names given.

    Args:
        weights: by name; those to move depend on nothing but themselves in ``loss``.
        names: of the weights that move.
        loss: the sum over tasks.
        step: which, from 0 on.
        inner: its rate.
        graph: whether the step itself can be differentiated: the second order of MAML.
    """
    moved = list(names)
    with exact(loss):
        slopes = torch.autograd.grad(loss, [weights[name] for name in moved], create_graph=graph)
    found = dict(weights)
    for name, slope in zip(moved, slopes, strict=True):
        if "rates" in weights:
            rate = learnt_rate(weights["rates"], name, step)
            found[name] = torch.addcmul(weights[name], slope, rate, value=-1)
        else:
            found[name] = torch.sub(weights[name], slope, alpha=inner.rate)
    return found


def learnt_rate(rates: Tensor, name: str, step: int) -> Tensor:
    """Return the rate of a weight at a step; further steps take the last that was learnt.

    Source: Antoniou et al. 2019 (MAML++), arXiv:1810.09502: a rate for each step and layer.

    Args:
        rates: (steps, layers), the linear layer last.
        name: of the weight.
        step: from 0 on.
    """
    kind, layer = name.split(".")[:2]
    return rates[min(step, len(rates) - 1), NUM_LAYERS if kind == "head" else int(layer)]


def apart(weights: Weights, num_tasks: int) -> dict[str, Tensor]:
    """Return one copy of shared weights for each task, without copying: first axis t."""
    return {
        name: weight.expand(num_tasks, *weight.shape)
        for name, weight in weights.items()
        if name != "rates"
    }


def adapt(
    model: Conv4, weights: Weights, images: Tensor, labels: Tensor, inner: Inner, graph: bool
) -> list[Weights]:
    """Return each task's weights after every step of the inner loop over all layers.

    theta_0 = phi, theta_{j+1} = theta_j - a * grad L_support(theta_j), j < steps; theta_0 first.
    Source: Finn et al. 2017, arXiv:1703.03400, equation 1.

    Args:
        model: the network.
        weights: phi, shared.
        images: (t, n, 28, 28).
        labels: int64 (t, n).
        inner: steps and rate.
        graph: whether the result can be differentiated through the steps.
    """
    own = apart(weights, len(images))
    way: list[Weights] = [{**weights, **own}]
    for step in range(inner.steps):
        logits = model.logits(way[-1], model.features(way[-1], images))
        loss = losses_of(logits, labels).sum()
        way.append(descend(way[-1], own, loss, step, inner, graph))
    return way


def adapt_head(
    model: Conv4, weights: Weights, features: Tensor, labels: Tensor, inner: Inner, graph: bool
) -> list[Weights]:
    """Return weights after every step, of which the linear layer alone is each task's own.

    Source: Raghu et al. 2020 (ANIL), arXiv:1909.09157.
    """
    head = {name: weight for name, weight in weights.items() if name.startswith("head.")}
    way: list[Weights] = [{**weights, **apart(head, len(features))}]
    for step in range(inner.steps):
        loss = losses_of(model.logits(way[-1], features), labels).sum()
        way.append(descend(way[-1], head, loss, step, inner, graph))
    return way


def query_features(
    model: Conv4, weights: Weights, support: Tensor, query: Tensor, inner: Inner
) -> Tensor:
    """Return the query's features (t, q, width) under the statistics that ``inner.norm`` names."""
    if inner.norm == "query":
        return model.features(weights, query)
    num_support = support.shape[1]
    both = torch.cat((support, query), 1)
    return model.features(weights, both, num_support)[:, num_support:]
