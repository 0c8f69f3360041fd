"""The methods of homework 15 by name: each learns from tasks, and answers an unseen one.

A loss takes (model, tasks, inner loop) and returns what is minimised, one number a task (t,), and
the logits of the queries (t, q, w). An answer takes (model, support, query, inner loop) and returns
logits (t, q, w).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw15_meta import fast
from mlspring.homeworks.hw15_meta.fast import losses_of
from mlspring.homeworks.hw15_meta.fast_layers import at_least_fp32
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.recipe import InnerLoop
from mlspring.homeworks.hw15_meta.tasks import Tasks, support_labels


class Learner(nn.Module):
    """A network and its method in one module, which DistributedDataParallel can wrap."""

    def __init__(self, model: Conv4, inner: InnerLoop) -> None:
        super().__init__()
        self.model, self.inner = model, inner

    def forward(self, tasks: Tasks) -> tuple[Tensor, Tensor]:
        """Return what is minimised (t,), and the logits of the queries (t, q, w)."""
        return METHODS[self.inner.method].loss(self.model, tasks, self.inner)


# ---- losses


def maml(
    model: Conv4, tasks: Tasks, inner: InnerLoop, second_order: bool = True
) -> tuple[Tensor, Tensor]:
    """L_query(theta) after the inner loop, minimised over phi through it.

    The same as ``inner.maml_losses``, all tasks at once.
    """
    phi, classes = model.shared_weights(), support_labels(tasks.support)
    theta = fast.adapt(phi, tasks.support, classes, inner, create_graph=second_order)
    seen = fast.query_features(theta, tasks.support, tasks.query, inner.norm)
    logits = fast.logits(theta, seen)
    return losses_of(logits, tasks.labels), logits


def fomaml(model: Conv4, tasks: Tasks, inner: InnerLoop) -> tuple[Tensor, Tensor]:
    """The gradient of L_query at theta, used as if it were that at phi (arXiv:1703.03400, 5.2)."""
    return maml(model, tasks, inner, second_order=False)


def anil(model: Conv4, tasks: Tasks, inner: InnerLoop) -> tuple[Tensor, Tensor]:
    """MAML whose inner loop moves the linear layer only: features are computed once."""
    phi, classes = model.shared_weights(), support_labels(tasks.support)
    seen = fast.features(phi, tasks.support)
    theta = fast.adapt_head(phi, seen, classes, inner, create_graph=True)
    seen = fast.query_features(theta, tasks.support, tasks.query, inner.norm)
    logits = fast.logits(theta, seen)
    return losses_of(logits, tasks.labels), logits


def reptile(model: Conv4, tasks: Tasks, inner: InnerLoop) -> tuple[Tensor, Tensor]:
    """Go to where the inner loop over all of a task's images ends: the gradient is phi - theta.

    What is minimised is <phi, phi - theta> with the difference held fixed: its gradient is the
    difference. The logits are too good to be compared: the inner loop has seen the queries.
    Source: Nichol et al. 2018, arXiv:1803.02999.
    """
    phi, num_tasks = model.shared_weights(), len(tasks)
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((support_labels(tasks.support), tasks.labels), 1)
    theta = fast.adapt(phi, images, labels, inner, create_graph=False)
    terms = [
        (weight * (weight - theta[name]).detach()).flatten(1).sum(1)
        for name, weight in fast.per_task(phi, num_tasks).items()
    ]
    with torch.no_grad():
        seen = fast.query_features(theta, tasks.support, tasks.query, inner.norm)
        logits = fast.logits(theta, seen)
    return torch.stack(terms).sum(0), logits


def transfer(model: Conv4, tasks: Tasks, inner: InnerLoop) -> tuple[Tensor, Tensor]:
    """Classify the same five characters, without any inner loop (the sample code's solver)."""
    weights, num_support = model.shared_weights(), tasks.support.shape[1]
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((support_labels(tasks.support), tasks.labels), 1)
    logits = fast.logits(weights, fast.features(weights, images))
    return losses_of(logits, labels), logits[:, num_support:]


def protonet(model: Conv4, tasks: Tasks, inner: InnerLoop) -> tuple[Tensor, Tensor]:
    """The cross entropy of -|f(query) - f(support)|^2 (Snell et al. 2017, arXiv:1703.05175)."""
    logits = nearest_prototype(model, tasks.support, tasks.query, inner)
    return losses_of(logits, tasks.labels), logits


# ---- answers


def fine_tuned(model: Conv4, support: Tensor, query: Tensor, inner: InnerLoop) -> Tensor:
    """Return logits of the query after the inner loop over all layers."""
    phi, classes = _leaves(model), support_labels(support)
    theta = fast.adapt(phi, support, classes, inner, create_graph=False)
    with torch.no_grad():
        return fast.logits(theta, fast.query_features(theta, support, query, inner.norm))


def head_fine_tuned(model: Conv4, support: Tensor, query: Tensor, inner: InnerLoop) -> Tensor:
    """Return logits of the query after the inner loop over the linear layer."""
    phi, classes = _leaves(model), support_labels(support)
    with torch.no_grad():
        seen = fast.features(phi, support)
        query_seen = fast.query_features(phi, support, query, inner.norm)
    theta = fast.adapt_head(phi, seen, classes, inner, create_graph=False)
    with torch.no_grad():
        return fast.logits(theta, query_seen)


def nearest_prototype(model: Conv4, support: Tensor, query: Tensor, inner: InnerLoop) -> Tensor:
    """Return minus the squared distance of each query's features to each support's."""
    weights = model.shared_weights()
    prototypes = at_least_fp32(fast.features(weights, support))  # (t, w, width)
    seen = at_least_fp32(fast.query_features(weights, support, query, inner.norm))
    return -(seen[:, :, None] - prototypes[:, None]).square().sum(-1)


def _leaves(model: Conv4) -> dict[str, Tensor]:
    """Return the weights as tensors of their own, so that no gradient reaches the network."""
    return {n: w.detach().requires_grad_() for n, w in model.shared_weights().items()}


@dataclass(frozen=True, kw_only=True)
class Method:
    """A training procedure: what a person calls it, its loss, and how it answers a task."""

    title: str
    loss: Callable[[Conv4, Tasks, InnerLoop], tuple[Tensor, Tensor]]
    answer: Callable[[Conv4, Tensor, Tensor, InnerLoop], Tensor]
    has_head: bool = True  # whether the network ends in a linear layer


METHODS: dict[str, Method] = {
    "transfer": Method(title="transfer learning", loss=transfer, answer=fine_tuned),
    "fomaml": Method(title="first-order MAML", loss=fomaml, answer=fine_tuned),
    "maml": Method(title="MAML", loss=maml, answer=fine_tuned),
    "anil": Method(title="ANIL", loss=anil, answer=head_fine_tuned),
    "reptile": Method(title="Reptile", loss=reptile, answer=fine_tuned),
    "protonet": Method(
        title="prototypical network", loss=protonet, answer=nearest_prototype, has_head=False
    ),
}
