"""MAML to read: the inner loop of one task, and the loss that the outer loop minimises.

Nothing but torch is needed: ``functional_call`` runs a network with other weights than its own, and
autograd differentiates through the update, which gives the second order. Training runs ``fast.py``,
the same for all tasks at once and about three times as fast; a test holds the two together.
"""

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.tasks import Tasks

Weights = dict[str, Tensor]


def adapt(
    model: Conv4, images: Tensor, labels: Tensor, steps: int, rate: float, second_order: bool
) -> Weights:
    """Return theta after gradient descent from the network's own weights phi on one task's support.

    theta_0 = phi, theta_{j+1} = theta_j - rate * grad L_support(theta_j).
    Source: Finn et al. 2017 (MAML), arXiv:1703.03400, equation 1.

    Args:
        model: its weights are phi; they stay as they are.
        images: (n, 28, 28).
        labels: int64 (n,).
        steps: updates.
        rate: their learning rate.
        second_order: keep the graph of the gradients, so that theta can be differentiated by phi
            through them; without it they count as constants, and d theta / d phi = 1.
    """
    theta = model.phi()
    for _ in range(steps):
        loss = F.cross_entropy(functional_call(model, theta, (images,)), labels)
        grads = torch.autograd.grad(loss, list(theta.values()), create_graph=second_order)
        theta = {
            name: weight - rate * grad
            for (name, weight), grad in zip(theta.items(), grads, strict=True)
        }
    return theta


def maml_losses(
    model: Conv4, tasks: Tasks, steps: int, rate: float, second_order: bool = True
) -> Tensor:
    """Return L_query(theta) of each task (t,), whose mean MAML minimises over phi.

    The queries are not seen by the inner loop: what is minimised is the loss *after* learning from
    the support. With ``second_order=False`` it is first-order MAML (FOMAML).
    """
    losses = []
    for support, query, labels in zip(tasks.support, tasks.query, tasks.labels, strict=True):
        classes = torch.arange(len(support), device=support.device)  # image i shows class i
        theta = adapt(model, support, classes, steps, rate, second_order)
        losses.append(F.cross_entropy(functional_call(model, theta, (query,)), labels))
    return torch.stack(losses)
