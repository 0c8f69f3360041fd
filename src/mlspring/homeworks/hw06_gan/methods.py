"""The four methods: which pair of networks, which losses, which optimizer.

Each method is a function that returns the discriminator's loss on one batch; what it needs beside
stands in the three small ``match`` below. The loop in ``train.py`` is the same for all.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw06_gan import losses
from mlspring.homeworks.hw06_gan.models import (
    Discriminator,
    Generator,
    StyleDiscriminator,
    StyleGenerator,
)
from mlspring.homeworks.hw06_gan.recipe import MethodKnobs, ModelKnobs


class Pair(nn.Module):
    """A generator and a discriminator, which learn from each other."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a discriminator sees in one update.

    Args:
        real: pictures from the data, (N, 3, 64, 64), augmented as the recipe says.
        fake: generated ones, likewise, without gradients.
        mix: a number in 0 .. 1 for each of the N.
        update: number of the update, counted from 1.
    """

    real: Tensor
    fake: Tensor
    mix: Tensor
    update: int


def new_generator(model: ModelKnobs, method: MethodKnobs) -> nn.Module:
    """Return the method's generator, its weights drawn from torch's global generator."""
    if method.name == "stylegan":
        return StyleGenerator(model.z_dim, model.feature_dim)
    return Generator(model.z_dim, model.feature_dim)


def new_pair(model: ModelKnobs, method: MethodKnobs) -> Pair:
    """Return the method's pair of networks."""
    made = new_generator(model, method)
    match method.name:
        case "dcgan":
            return Pair(made, Discriminator(model.discriminator_dim, batch_norm=True))
        case "wgan" | "wgan_gp":
            return Pair(made, Discriminator(model.discriminator_dim, batch_norm=False))
        case "stylegan":
            return Pair(made, StyleDiscriminator(model.discriminator_dim))


def new_optimizer(pair: Pair, method: MethodKnobs, learning_rate: float) -> torch.optim.Optimizer:
    """Return one optimizer for both networks; those without gradients stay as they are.

    Its first group is the generator. WGAN with clipping wants no momentum (arXiv:1701.07875).
    """
    groups = [{"params": network.parameters()} for network in (pair.generator, pair.discriminator)]
    if method.name == "wgan":
        return torch.optim.RMSprop(groups, learning_rate)
    return torch.optim.Adam(groups, learning_rate, betas=(method.beta1, method.beta2), fused=True)


# ---- the discriminator's side


def dcgan(discriminator: nn.Module, batch: Batch) -> Tensor:
    """Return the loss of a classifier: real or generated?"""
    return losses.logistic_discriminator_loss(discriminator(batch.real), discriminator(batch.fake))


def wgan(critic: nn.Module, batch: Batch) -> Tensor:
    """Return the loss of a critic; its weights are clipped after the update."""
    return losses.wasserstein_critic_loss(critic(batch.real), critic(batch.fake))


def wgan_gp(critic: nn.Module, batch: Batch, penalty: float) -> Tensor:
    """Return the loss of a critic whose slope is drawn towards 1 between real and generated."""
    slope = losses.gradient_penalty(critic, batch.real, batch.fake, batch.mix)
    return wgan(critic, batch) + penalty * slope


def stylegan(discriminator: nn.Module, batch: Batch, r1: float, every: int) -> Tensor:
    """Return the classifier's loss and, every few updates, R1 for all of them at once."""
    loss = losses.logistic_discriminator_loss(discriminator(batch.real), discriminator(batch.fake))
    if r1 and batch.update % every == 0:
        loss = loss + every * r1 * losses.r1_penalty(discriminator, batch.real)
    return loss


def discriminator_loss(discriminator: nn.Module, batch: Batch, method: MethodKnobs) -> Tensor:
    """Return the loss of a batch by the recipe's method."""
    match method.name:
        case "dcgan":
            return dcgan(discriminator, batch)
        case "wgan":
            return wgan(discriminator, batch)
        case "wgan_gp":
            return wgan_gp(discriminator, batch, method.penalty)
        case "stylegan":
            return stylegan(discriminator, batch, method.r1, method.r1_every)


# ---- the generator's side


def generator_loss(fake: Tensor, method: MethodKnobs) -> Tensor:
    """Return the loss of what the discriminator says to generated pictures, (N,)."""
    match method.name:
        case "dcgan" | "stylegan":
            return losses.logistic_generator_loss(fake)
        case "wgan" | "wgan_gp":
            return losses.wasserstein_generator_loss(fake)
