"""Losses against closed forms, penalties against finite differences."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw06_gan import losses, methods
from mlspring.homeworks.hw06_gan.methods import Batch, Pair
from mlspring.homeworks.hw06_gan.models import Discriminator
from mlspring.homeworks.hw06_gan.recipe import MethodKnobs


def pictures(num: int, seed: int) -> Tensor:
    stream = torch.Generator().manual_seed(seed)
    return torch.rand(num, 3, 64, 64, generator=stream, dtype=torch.float64) * 2 - 1


def test_the_logistic_loss_is_binary_cross_entropy_on_logits() -> None:
    real, fake = torch.tensor([0.3, -2.0]), torch.tensor([1.5, 80.0])
    entropy = F.binary_cross_entropy_with_logits
    wanted = (entropy(real, torch.ones(2)) + entropy(fake, torch.zeros(2))) / 2
    assert losses.logistic_discriminator_loss(real, fake).item() == pytest.approx(wanted.item())
    own = losses.logistic_generator_loss(fake).item()
    assert own == pytest.approx(entropy(fake, torch.ones(2)).item())


def test_a_sure_discriminator_still_teaches_the_generator() -> None:
    fake = torch.tensor([-30.0], requires_grad=True)
    losses.logistic_generator_loss(fake).backward()
    assert fake.grad is not None and fake.grad.item() == pytest.approx(-1, abs=1e-6)


def test_the_wasserstein_losses_are_differences_of_means() -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 0.0])
    assert losses.wasserstein_critic_loss(real, fake).item() == -2.5
    assert losses.wasserstein_generator_loss(fake).item() == 0.5


def test_clipping_bounds_every_weight_and_leaves_small_ones() -> None:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.004, -3.0]]))
        layer.bias.fill_(0.02)
    losses.clip_weights(layer, 0.01)
    assert layer.weight.tolist()[0] == pytest.approx([0.004, -0.01])
    assert layer.bias.item() == pytest.approx(0.01)


class Slope(nn.Module):
    """A linear critic D(x) = w x, whose gradient is w everywhere."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, images: Tensor) -> Tensor:
        return (images * self.weight).flatten(1).sum(1)


def test_penalties_of_a_linear_critic_are_the_closed_forms() -> None:
    weight = pictures(1, 3)[0] * 0.1
    critic, length = Slope(weight), weight.norm().item()
    real, fake, mix = pictures(4, 1), pictures(4, 2), torch.rand(4)
    assert losses.r1_penalty(critic, real).item() == pytest.approx(length**2 / 2, rel=1e-5)
    gp = losses.gradient_penalty(critic, real, fake, mix)
    assert gp.item() == pytest.approx((length - 1) ** 2, rel=1e-5)
    gp.backward()
    wanted = 2 * (length - 1) / length * weight
    assert critic.weight.grad is not None
    assert torch.allclose(critic.weight.grad, wanted, rtol=1e-4, atol=1e-6)


def test_the_penalty_is_taken_between_real_and_generated() -> None:
    class Square(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.square().flatten(1).sum(1) / 2  # its gradient is the picture itself

    real, fake = pictures(2, 1), pictures(2, 2)
    for mix, at in ((1.0, real), (0.0, fake), (0.25, 0.25 * real + 0.75 * fake)):
        got = losses.gradient_penalty(Square(), real, fake, torch.full((2,), mix).double())
        wanted = (at.flatten(1).norm(dim=1) - 1).square().mean()
        assert got.item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["wgan_gp", "r1"])
def test_the_gradient_of_a_penalty_is_that_of_finite_differences(name: str) -> None:
    torch.manual_seed(0)
    critic = Discriminator(4, batch_norm=False).double()
    real, fake, mix = pictures(2, 1), pictures(2, 2), torch.tensor([0.3, 0.8]).double()

    def penalty() -> Tensor:
        if name == "r1":
            return losses.r1_penalty(critic, real)
        return losses.gradient_penalty(critic, real, fake, mix)

    def exact() -> float:  # the function rounds gradients to fp32; this does not
        x = real if name == "r1" else mix[:, None, None, None] * (real - fake) + fake
        leaf = x.clone().requires_grad_()
        with torch.enable_grad():
            (g,) = torch.autograd.grad(critic(leaf).sum(), leaf)
        squares = g.flatten(1).square().sum(1)
        return (squares.mean() / 2 if name == "r1" else (squares.sqrt() - 1).square().mean()).item()

    assert penalty().item() == pytest.approx(exact(), rel=1e-5)
    penalty().backward()
    first = critic.layers[0].weight
    for index in ((0, 0, 1, 1), (3, 2, 0, 3)):
        values = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                first[index] += step
                values.append(exact())
                first[index] -= step
        slope = (values[0] - values[1]) / 2e-5
        assert first.grad[index].item() == pytest.approx(slope, rel=1e-3, abs=1e-7)


def knobs(name: str, **changed: float) -> MethodKnobs:
    told = {"critic_steps": 1, "clip": 0.01, "penalty": 10.0, "r1": 2.0, "r1_every": 4}
    rates = {"generator_rate": 1.0, "beta1": 0.5, "beta2": 0.9}
    return MethodKnobs(**{"name": name, **told, **rates, **changed})


def test_r1_is_lazy_and_counts_for_the_updates_between() -> None:
    weight = pictures(1, 3)[0] * 0.1
    critic = Slope(weight)
    real, fake = pictures(4, 1), pictures(4, 2)
    batches = [Batch(real=real, fake=fake, mix=torch.ones(4), update=i) for i in range(1, 9)]
    values = [methods.discriminator_loss(critic, b, knobs("stylegan")).item() for b in batches]
    plain = methods.discriminator_loss(critic, batches[0], knobs("dcgan")).item()
    extra = 4 * 2.0 * (weight.norm() ** 2 / 2).item()
    wanted = [plain, plain, plain, plain + extra] * 2
    assert values == pytest.approx(wanted, rel=1e-4)


def test_each_method_lowers_its_own_loss() -> None:
    for name in ("dcgan", "wgan", "wgan_gp", "stylegan"):
        torch.manual_seed(1)
        critic = Discriminator(4, batch_norm=name == "dcgan")
        pair = Pair(nn.Linear(1, 1), critic)
        real, fake = pictures(8, 1).float() * 0.2 + 0.5, pictures(8, 2).float() * 0.2 - 0.5
        batch = Batch(real=real, fake=fake, mix=torch.full((8,), 0.5), update=1)
        optimizer = methods.new_optimizer(pair, knobs(name), 1e-3)
        told = []
        for _ in range(8):
            loss = methods.discriminator_loss(critic, batch, knobs(name))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            told.append(loss.item())
        assert told[-1] < told[0], name
        assert all(math.isfinite(value) for value in told)
