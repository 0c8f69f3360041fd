"""The methods of homework 15 by name; all have one face: learn from tasks, answer an unseen one.

All tasks of a batch are adapted at once: a weight gets a first axis of tasks, and since no task's
loss depends on another's weights, the gradient of their sum holds each task's own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta.layers import widened
from mlspring.homeworks.hw15_meta.models import Conv4, Weights, exact
from mlspring.homeworks.hw15_meta.recipe import MethodKnobs
from mlspring.homeworks.hw15_meta.tasks import Tasks


@dataclass(frozen=True, kw_only=True)
class Inner:
    """The inner loop.

    Args:
        steps: updates on a task's support.
        rate: learning rate of these.
        norm: ``query``: all queries of a task share batch norm's statistics, as in the notebook;
            ``support``: each is normalised by the support's, so that no answer depends on another.
    """

    steps: int
    rate: float
    norm: str


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
        self.model = model
        self.method = METHODS[knobs.name]
        self.inner = Inner(steps=knobs.inner_steps, rate=knobs.inner_rate, norm=norm)

    def forward(self, tasks: Tasks) -> tuple[Tensor, Tensor]:
        """Return what is minimised (t,), and the query's logits (t, q, w)."""
        return self.method.learn(self.model, tasks, self.inner)


def losses_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Return each task's mean cross entropy (t,) of logits (t, n, w) against labels (t, n)."""
    each = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return each.view(labels.shape).mean(1)


def classes_of(support: Tensor) -> Tensor:
    """Return the labels (t, w) of support images (t, w, 28, 28): their places."""
    return torch.arange(support.shape[1], device=support.device).expand(support.shape[:2])


def descend(
    weights: Weights, names: Iterable[str], loss: Tensor, rate: float, graph: bool
) -> Weights:
    """Return weights after theta <- theta - rate * grad of the loss, for the names given.

    Args:
        weights: by name; those to move depend on nothing but themselves in ``loss``.
        names: of the weights that move.
        loss: the sum over tasks.
        rate: the step's.
        graph: whether the step itself can be differentiated: the second order of MAML.
    """
    moved = list(names)
    with exact(loss):
        slopes = torch.autograd.grad(loss, [weights[name] for name in moved], create_graph=graph)
    steps = dict(zip(moved, slopes, strict=True))
    return {
        name: torch.sub(weight, steps[name], alpha=rate) if name in steps else weight
        for name, weight in weights.items()
    }


def apart(weights: Weights, num_tasks: int) -> dict[str, Tensor]:
    """Return one copy of shared weights for each task, without copying: first axis t."""
    return {name: weight.expand(num_tasks, *weight.shape) for name, weight in weights.items()}


def adapt(
    model: Conv4, weights: Weights, images: Tensor, labels: Tensor, inner: Inner, graph: bool
) -> Weights:
    """Return each task's weights after the inner loop over all layers.

    theta_0 = phi, theta_{j+1} = theta_j - a * grad L_support(theta_j), j < steps.
    Source: Finn et al. 2017, arXiv:1703.03400, equation 1.

    Args:
        model: the network.
        weights: phi, shared.
        images: (t, n, 28, 28).
        labels: int64 (t, n).
        inner: steps and rate.
        graph: whether the result can be differentiated through the steps.
    """
    fast: Weights = apart(weights, len(images))
    for _ in range(inner.steps):
        logits = model.logits(fast, model.features(fast, images))
        fast = descend(fast, fast, losses_of(logits, labels).sum(), inner.rate, graph)
    return fast


def query_features(
    model: Conv4, weights: Weights, support: Tensor, query: Tensor, inner: Inner
) -> Tensor:
    """Return the query's features (t, q, width) under the statistics that ``inner.norm`` names."""
    if inner.norm == "query":
        return model.features(weights, query)
    num_support = support.shape[1]
    both = torch.cat((support, query), 1)
    return model.features(weights, both, num_support)[:, num_support:]


def adapt_head(
    model: Conv4, weights: Weights, features: Tensor, labels: Tensor, inner: Inner, graph: bool
) -> Weights:
    """Return weights whose linear layer alone is each task's own after the inner loop.

    Source: Raghu et al. 2020 (ANIL), arXiv:1909.09157.
    """
    head = {name: weight for name, weight in weights.items() if name.startswith("head.")}
    fast: Weights = {**weights, **apart(head, len(features))}
    for _ in range(inner.steps):
        loss = losses_of(model.logits(fast, features), labels).sum()
        fast = descend(fast, head, loss, inner.rate, graph)
    return fast


# ---- learn


def learn_maml(
    model: Conv4, tasks: Tasks, inner: Inner, graph: bool = True
) -> tuple[Tensor, Tensor]:
    """Minimise L_query(theta_k) over phi, differentiated through the inner loop."""
    fast = adapt(model, model.own(), tasks.support, classes_of(tasks.support), inner, graph)
    features = query_features(model, fast, tasks.support, tasks.query, inner)
    logits = model.logits(fast, features)
    return losses_of(logits, tasks.labels), logits


def learn_fomaml(model: Conv4, tasks: Tasks, inner: Inner) -> tuple[Tensor, Tensor]:
    """Use the gradient of L_query at theta_k as if it were that at phi (arXiv:1703.03400, 5.2)."""
    return learn_maml(model, tasks, inner, graph=False)


def learn_anil(model: Conv4, tasks: Tasks, inner: Inner) -> tuple[Tensor, Tensor]:
    """MAML whose inner loop moves the linear layer only: features are computed once."""
    weights = model.own()
    seen = model.features(weights, tasks.support)
    fast = adapt_head(model, weights, seen, classes_of(tasks.support), inner, graph=True)
    features = query_features(model, weights, tasks.support, tasks.query, inner)
    logits = model.logits(fast, features)
    return losses_of(logits, tasks.labels), logits


def learn_reptile(model: Conv4, tasks: Tasks, inner: Inner) -> tuple[Tensor, Tensor]:
    """Go to where the inner loop over all of a task's images ends: the gradient is phi - theta_k.

    What is minimised is <phi, phi - theta_k> with the difference held fixed: its gradient is the
    difference. Logits are of the query after the inner loop, which has seen it: they flatter.
    Source: Nichol et al. 2018, arXiv:1803.02999.
    """
    weights = model.own()
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((classes_of(tasks.support), tasks.labels), 1)
    fast = adapt(model, weights, images, labels, inner, graph=False)
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
    fast = adapt(model, start, support, classes_of(support), inner, graph=False)
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
    fast = adapt_head(model, start, seen, classes_of(support), inner, graph=False)
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
