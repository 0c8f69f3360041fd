"""Losses and penalties of generator and discriminator; loop, tests and study call them.

Letters: N pictures. Logits and values are (N,); a loss is a scalar. Penalties differentiate the
discriminator with respect to pictures, so that their own gradient is of second order.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Judge = Callable[[Tensor], Tensor]


# ---- GAN, arXiv:1406.2661: the discriminator tells real from generated


def logistic_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return the mean binary cross entropy of logits: real ones are 1, generated ones 0.

    From logits and not from probabilities: log(sigmoid(x)) loses all digits where x is large.
    """
    return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2


def logistic_generator_loss(fake: Tensor) -> Tensor:
    """Return -log D(G(z)), which has a gradient also where D is sure (non-saturating)."""
    return F.softplus(-fake).mean()


# ---- WGAN, arXiv:1701.07875: the critic measures a distance


def wasserstein_critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return mean D(fake) - mean D(real); its negative estimates the Wasserstein distance."""
    return fake.mean() - real.mean()


def wasserstein_generator_loss(fake: Tensor) -> Tensor:
    """Return -mean D(G(z))."""
    return -fake.mean()


@torch.no_grad()
def clip_weights(critic: nn.Module, most: float) -> None:
    """Bring every weight of the critic into -most .. most: so its slope is bounded, crudely."""
    for weight in critic.parameters():
        weight.clamp_(-most, most)


def gradient_penalty(critic: Judge, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Return the mean of (|grad_x D(x)| - 1)^2 at x = mix real + (1 - mix) fake, WGAN-GP.

    Source: Gulrajani et al. 2017, arXiv:1704.00028. ``mix`` has a number in 0 .. 1 for each
    picture, (N,). Gradients are each picture's own, so the critic has no batch norm.
    """
    between = mix[:, None, None, None] * real + (1 - mix[:, None, None, None]) * fake
    norms = input_gradients(critic, between).flatten(1).norm(dim=1)
    return (norms - 1).square().mean()


def r1_penalty(discriminator: Judge, real: Tensor) -> Tensor:
    """Return the mean of |grad_x D(x)|^2 / 2 at real pictures.

    Source: Mescheder et al. 2018, arXiv:1801.04406. Where it is taken every k-th step only, as in
    StyleGAN2, it counts k times.
    """
    return input_gradients(discriminator, real).square().flatten(1).sum(1).mean() / 2


def input_gradients(judge: Judge, images: Tensor) -> Tensor:
    """Return d D(x) / d x of each picture, with a graph of its own, in fp32: as ``images``."""
    leaf = images.detach().requires_grad_()
    with torch.enable_grad():
        values = judge(leaf).float()
        (gradients,) = torch.autograd.grad(values.sum(), leaf, create_graph=True)
    return gradients.float()
