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


def maml(model: Conv4, tasks: Tasks, inner: InnerLoop) -> tuple[Tensor, Tensor]:
    """L_query(theta) after the inner loop, minimised over phi through it (Finn et al. 2017).

    The same as ``inner.maml_losses``, all tasks at once. Without the second order it is FOMAML: the
    gradient at theta is used as if it were that at phi (arXiv:1703.03400, 5.2). With an inner loop
    over the linear layer alone it is ANIL.
    """
    theta = fast.adapt(model.phi(), tasks.support, support_labels(tasks.support), inner)
    logits = fast.head(theta, fast.query_features(theta, tasks.support, tasks.query, inner.norm))
    return losses_of(logits, tasks.labels), logits


def reptile(model: Conv4, tasks: Tasks, inner: InnerLoop) -> tuple[Tensor, Tensor]:
    """Go to where the inner loop over all of a task's images ends: the gradient is phi - theta.

    What is minimised is <phi, phi - theta> with the difference held fixed: its gradient is the
    difference. The logits are too good to be compared: the inner loop has seen the queries.
    Source: Nichol et al. 2018, arXiv:1803.02999.
    """
    phi = model.phi()
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((support_labels(tasks.support), tasks.labels), 1)
    theta = fast.adapt(phi, images, labels, inner)
    terms = [
        (weight * (weight - theta[name]).detach()).flatten(1).sum(1)
        for name, weight in fast.per_task(phi, len(tasks)).items()
    ]
    with torch.no_grad():
        seen = fast.query_features(theta, tasks.support, tasks.query, inner.norm)
        logits = fast.head(theta, seen)
    return torch.stack(terms).sum(0), logits


def transfer(model: Conv4, tasks: Tasks, inner: InnerLoop) -> tuple[Tensor, Tensor]:
    """Classify the same five characters, without any inner loop (the sample code's solver)."""
    weights, num_support = model.phi(), tasks.support.shape[1]
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((support_labels(tasks.support), tasks.labels), 1)
    logits = fast.head(weights, fast.features(weights, images))
    return losses_of(logits, labels), logits[:, num_support:]


def protonet(model: Conv4, tasks: Tasks, inner: InnerLoop) -> tuple[Tensor, Tensor]:
    """The cross entropy of -|f(query) - f(support)|^2 (Snell et al. 2017, arXiv:1703.05175)."""
    logits = nearest_prototype(model, tasks.support, tasks.query, inner)
    return losses_of(logits, tasks.labels), logits


def fine_tuned(model: Conv4, support: Tensor, query: Tensor, inner: InnerLoop) -> Tensor:
    """Return logits of the query after the inner loop, in which no gradient reaches the network."""
    phi = {name: weight.detach().requires_grad_() for name, weight in model.phi().items()}
    theta = fast.adapt(phi, support, support_labels(support), inner)
    with torch.no_grad():
        return fast.head(theta, fast.query_features(theta, support, query, inner.norm))


def nearest_prototype(model: Conv4, support: Tensor, query: Tensor, inner: InnerLoop) -> Tensor:
    """Return minus the squared distance of each query's features to each support's."""
    weights = model.phi()
    prototypes = at_least_fp32(fast.features(weights, support))  # (t, w, width)
    seen = at_least_fp32(fast.query_features(weights, support, query, inner.norm))
    return -(seen[:, :, None] - prototypes[:, None]).square().sum(-1)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A training procedure: what a person calls it, its loss, and how it answers a task."""

    title: str
    loss: Callable[[Conv4, Tasks, InnerLoop], tuple[Tensor, Tensor]]
    answer: Callable[[Conv4, Tensor, Tensor, InnerLoop], Tensor]


METHODS: dict[str, Method] = {
    "transfer": Method(title="transfer learning", loss=transfer, answer=fine_tuned),
    "fomaml": Method(title="first-order MAML", loss=maml, answer=fine_tuned),
    "maml": Method(title="MAML", loss=maml, answer=fine_tuned),
    "anil": Method(title="ANIL", loss=maml, answer=fine_tuned),
    "reptile": Method(title="Reptile", loss=reptile, answer=fine_tuned),
    "protonet": Method(title="prototypical network", loss=protonet, answer=nearest_prototype),
}
