"""The methods of homework 15 by name; all have one face: learn from tasks, answer an unseen one.

A training step may differ from those before: by its order, and by the losses that count
(``Learner``); whatever it is, an unseen task is answered alike.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw15_meta.inner import (
    Inner,
    adapt,
    adapt_head,
    apart,
    classes_of,
    losses_of,
    query_features,
)
from mlspring.homeworks.hw15_meta.layers import widened
from mlspring.homeworks.hw15_meta.models import Conv4, Weights
from mlspring.homeworks.hw15_meta.recipe import MethodKnobs
from mlspring.homeworks.hw15_meta.tasks import Tasks


@dataclass(frozen=True, kw_only=True)
class Method:
    """A training procedure.

    Args:
        title: what a person calls it.
        paper: where it comes from.
        learn: (model, tasks, inner) -> what is minimised (t,), and the query's logits (t, q, w).
        answer: (model, weights, support, query, inner) -> logits (t, q, w) on unseen tasks.
        has_head: whether the network ends in a linear layer.
    """

    title: str
    paper: str
    learn: Callable[[Conv4, Tasks, Inner], tuple[Tensor, Tensor]]
    answer: Callable[[Conv4, Weights, Tensor, Tensor, Inner], Tensor]
    has_head: bool = True


class Learner(nn.Module):
    """A network and its method in one module, which DistributedDataParallel can wrap."""

    def __init__(self, model: Conv4, knobs: MethodKnobs, norm: str) -> None:
        super().__init__()
        self.model, self.knobs, self.norm = model, knobs, norm

    def forward(self, tasks: Tasks, step: int) -> tuple[Tensor, Tensor]:
        """Return what is minimised (t,) in a training step, and the query's logits (t, q, w)."""
        inner = inner_of(self.knobs, self.norm, step)
        return METHODS[self.knobs.name].learn(self.model, tasks, inner)


def inner_of(knobs: MethodKnobs, norm: str, step: int) -> Inner:
    """Return the inner loop of a training step, counted from 1.

    First order at first, and early losses that count less and less: arXiv:1810.09502.
    """
    early = 1 - (step - 1) / knobs.early_steps if knobs.early_steps else 0.0
    return Inner(
        steps=knobs.inner_steps,
        rate=knobs.inner_rate,
        norm=norm,
        order=1 if step <= knobs.first_order_steps else 2,
        early=max(early, 0.0),
    )


# ---- learn


def learn_maml(model: Conv4, tasks: Tasks, inner: Inner) -> tuple[Tensor, Tensor]:
    """Minimise L_query(theta_k) over phi, differentiated through the inner loop."""
    graph, labels = inner.order == 2, classes_of(tasks.support)
    way = adapt(model, model.own(), tasks.support, labels, inner, graph)
    return objective(model, way, tasks, inner)


def learn_fomaml(model: Conv4, tasks: Tasks, inner: Inner) -> tuple[Tensor, Tensor]:
    """Use the gradient of L_query at theta_k as if it were that at phi (arXiv:1703.03400, 5.2)."""
    return learn_maml(model, tasks, replace(inner, order=1))


def learn_anil(model: Conv4, tasks: Tasks, inner: Inner) -> tuple[Tensor, Tensor]:
    """MAML whose inner loop moves the linear layer only: features are computed once."""
    weights, graph = model.own(), inner.order == 2
    seen = model.features(weights, tasks.support)
    way = adapt_head(model, weights, seen, classes_of(tasks.support), inner, graph)
    return objective(model, way, tasks, inner)


def objective(
    model: Conv4, way: list[Weights], tasks: Tasks, inner: Inner
) -> tuple[Tensor, Tensor]:
    """Return what the query loses (t,) along the inner loop, and the logits at its end.

    The last step's loss has the share 1 - early (k - 1) / k, each other one's early / k; theta_0
    does not count. Source: multi-step loss, arXiv:1810.09502.
    """

    def answers(weights: Weights) -> Tensor:
        features = query_features(model, weights, tasks.support, tasks.query, inner)
        return model.logits(weights, features)

    logits = answers(way[-1])
    last = losses_of(logits, tasks.labels)
    if not inner.early:
        return last, logits
    share = inner.early / inner.steps
    others = [losses_of(answers(weights), tasks.labels) for weights in way[1:-1]]
    return last * (1 - share * len(others)) + share * sum(others, torch.zeros_like(last)), logits


def learn_reptile(model: Conv4, tasks: Tasks, inner: Inner) -> tuple[Tensor, Tensor]:
    """Go to where the inner loop over all of a task's images ends: the gradient is phi - theta_k.

    What is minimised is <phi, phi - theta_k> with the difference held fixed: its gradient is the
    difference. Logits are of the query after the inner loop, which has seen it: they flatter.
    Source: Nichol et al. 2018, arXiv:1803.02999.
    """
    weights = model.own()
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((classes_of(tasks.support), tasks.labels), 1)
    fast = adapt(model, weights, images, labels, inner, graph=False)[-1]
    terms = [
        (weight * (weight - fast[name]).detach()).flatten(1).sum(1)
        for name, weight in apart(weights, len(tasks)).items()
    ]
    with torch.no_grad():
        features = query_features(model, fast, tasks.support, tasks.query, inner)
        logits = model.logits(fast, features)
    return torch.stack(terms).sum(0), logits


def learn_transfer(model: Conv4, tasks: Tasks, inner: Inner) -> tuple[Tensor, Tensor]:
    """Classify the same five characters, without any inner loop (the sample code's solver)."""
    weights = model.own()
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((classes_of(tasks.support), tasks.labels), 1)
    logits = model.logits(weights, model.features(weights, images))
    return losses_of(logits, labels), logits[:, tasks.support.shape[1] :]


def learn_protonet(model: Conv4, tasks: Tasks, inner: Inner) -> tuple[Tensor, Tensor]:
    """Minimise the cross entropy of -|f(query) - f(support)|^2 (Snell et al., arXiv:1703.05175)."""
    logits = answer_protonet(model, model.own(), tasks.support, tasks.query, inner)
    return losses_of(logits, tasks.labels), logits


# ---- answer


def answer_adapted(
    model: Conv4, weights: Weights, support: Tensor, query: Tensor, inner: Inner
) -> Tensor:
    """Return logits of the query after the inner loop over all layers."""
    start = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
    fast = adapt(model, start, support, classes_of(support), inner, graph=False)[-1]
    with torch.no_grad():
        return model.logits(fast, query_features(model, fast, support, query, inner))


def answer_anil(
    model: Conv4, weights: Weights, support: Tensor, query: Tensor, inner: Inner
) -> Tensor:
    """Return logits of the query after the inner loop over the linear layer."""
    with torch.no_grad():
        seen = model.features(weights, support)
        features = query_features(model, weights, support, query, inner)
    start = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
    fast = adapt_head(model, start, seen, classes_of(support), inner, graph=False)[-1]
    with torch.no_grad():
        return model.logits(fast, features)


def answer_protonet(
    model: Conv4, weights: Weights, support: Tensor, query: Tensor, inner: Inner
) -> Tensor:
    """Return minus the squared distance of each query's features to each support's."""
    prototypes = widened(model.features(weights, support))  # (t, w, width)
    features = widened(query_features(model, weights, support, query, inner))
    return -(features[:, :, None] - prototypes[:, None]).square().sum(-1)


METHODS: dict[str, Method] = {
    "transfer": Method(
        title="transfer learning",
        paper="HW15 notebook",
        learn=learn_transfer,
        answer=answer_adapted,
    ),
    "fomaml": Method(
        title="first-order MAML",
        paper="arXiv:1703.03400",
        learn=learn_fomaml,
        answer=answer_adapted,
    ),
    "maml": Method(title="MAML", paper="arXiv:1703.03400", learn=learn_maml, answer=answer_adapted),
    "anil": Method(title="ANIL", paper="arXiv:1909.09157", learn=learn_anil, answer=answer_anil),
    "reptile": Method(
        title="Reptile", paper="arXiv:1803.02999", learn=learn_reptile, answer=answer_adapted
    ),
    "protonet": Method(
        title="prototypical network",
        paper="arXiv:1703.05175",
        learn=learn_protonet,
        answer=answer_protonet,
        has_head=False,
    ),
}
