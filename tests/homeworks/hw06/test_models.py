"""The networks: the sample's sizes, modulation against plain convolutions, what noise does."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw06_gan import losses, methods, models
from mlspring.homeworks.hw06_gan.recipe import MethodKnobs, ModelKnobs

NAMES = ("dcgan", "wgan", "wgan_gp", "stylegan")


def pair_of(name: str, z_dim: int = 8, feature_dim: int = 4) -> methods.Pair:
    told = {
        "critic_steps": 1,
        "clip": 0.01,
        "penalty": 10.0,
        "r1": 1.0,
        "r1_every": 1,
        "generator_rate": 1.0,
    }
    method = MethodKnobs(**{"name": name, "beta1": 0.5, "beta2": 0.9, **told})
    return methods.new_pair(
        ModelKnobs(z_dim=z_dim, feature_dim=feature_dim, discriminator_dim=feature_dim), method
    )


def num_weights(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_sample_s_networks_have_the_sample_s_sizes() -> None:
    assert num_weights(models.Generator(100, 64)) == 5_142_080
    assert num_weights(models.Discriminator(64, batch_norm=True)) == 2_766_529


def test_a_critic_has_a_slope_before_it_has_learnt() -> None:
    torch.manual_seed(0)
    critic = models.Discriminator(8, batch_norm=False)
    images = torch.randn(4, 3, 64, 64)

    def slope() -> float:
        return losses.input_gradients(critic, images).flatten(1).norm(dim=1).mean().item()

    assert 0.1 < slope() < 10
    critic.apply(models.normal_weights)
    assert slope() < 0.01, "the sample's weights want a norm"


@pytest.mark.parametrize("name", NAMES)
def test_a_pair_makes_pictures_and_numbers(name: str) -> None:
    torch.manual_seed(0)
    pair = pair_of(name)
    latents = torch.randn(6, pair.generator.num_latents)
    images = pair.generator(latents)
    assert images.shape == (6, 3, 64, 64)
    assert pair.discriminator(images).shape == (6,)
    pair.discriminator(images).sum().backward()
    for network in (pair.generator, pair.discriminator):
        missing = [n for n, p in network.named_parameters() if p.grad is None]
        assert missing == []


@pytest.mark.parametrize("doubles", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_a_modulated_convolution_is_a_plain_one_for_each_picture(
    doubles: bool, demodulate: bool
) -> None:
    torch.manual_seed(0)
    layer = models.ModulatedConv(3, 5, 7, doubles=doubles).double()
    maps = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    styles = torch.randn(4, 7, dtype=torch.float64)
    got = layer(maps, styles, demodulate=demodulate)

    def alone(picture: Tensor, style: Tensor) -> Tensor:
        weight = layer.weight * layer.scale
        inputs = 0 if doubles else 1
        shape = [1, 1, 1, 1]
        shape[inputs] = 3
        weight = weight * layer.style(style[None])[0].view(shape)
        if doubles:  # every 2 x 2 neighbours of a 3 x 3 kernel, summed and halved
            wide = F.pad(weight, (1, 1, 1, 1))
            parts = (wide[..., i : i + 4, j : j + 4] for i in (0, 1) for j in (0, 1))
            weight = sum(parts, torch.zeros(())) / 2
        if demodulate:
            over = [inputs, 2, 3]
            weight = weight / weight.square().sum(over, keepdim=True).add(1e-8).sqrt()
        if doubles:
            return 2 * F.conv_transpose2d(picture[None], weight, stride=2, padding=1)[0]
        return F.conv2d(picture[None], weight, padding=1)[0]

    wanted = torch.stack([alone(m, s) for m, s in zip(maps, styles, strict=True)])
    assert got.shape == ((4, 5, 16, 16) if doubles else (4, 5, 8, 8))
    assert torch.allclose(got, wanted, rtol=1e-5, atol=1e-6)  # norms are taken in fp32


def test_doubling_makes_no_checkerboard() -> None:
    """Of equal pixels equal pixels come, away from the border."""
    torch.manual_seed(0)
    layer = models.ModulatedConv(4, 2, 3, doubles=True)
    made = layer(torch.ones(1, 4, 8, 8), torch.randn(1, 3))[:, :, 2:-2, 2:-2]
    assert torch.allclose(made, made[:, :, :1, :1].expand_as(made), atol=1e-5)


def test_demodulated_maps_keep_their_variance() -> None:
    torch.manual_seed(0)
    styles, maps = torch.randn(64, 16), torch.randn(64, 32, 16, 16)
    for doubles in (False, True):
        layer = models.ModulatedConv(32, 32, 16, doubles=doubles)
        inner = layer(maps, 3 * styles)[:, :, 2:-2, 2:-2]
        assert inner.var().item() == pytest.approx(1, rel=0.25)


def test_styles_do_not_depend_on_a_latent_s_length() -> None:
    torch.manual_seed(0)
    mapping, latents = models.Mapping(8, 16), torch.randn(3, 8)
    assert torch.allclose(mapping(latents), mapping(5 * latents), atol=1e-5)


def test_noise_changes_a_picture_once_its_strength_is_learnt() -> None:
    torch.manual_seed(0)
    network = models.StyleGenerator(8, 4)
    latents = torch.randn(2, network.num_latents)
    other = latents.clone()
    other[:, 8:] = torch.randn_like(other[:, 8:])
    assert torch.equal(network(latents), network(other)), "strength begins at 0"
    for layer in network.layers:
        nn.init.ones_(layer.strength)
    assert not torch.allclose(network(latents), network(other))


def test_equal_layers_begin_at_variance_one_whatever_their_rate() -> None:
    torch.manual_seed(0)
    x = torch.randn(200, 256)
    for rate in (1.0, 0.01):
        assert models.Equal(256, 256, rate=rate)(x).var().item() == pytest.approx(1, rel=0.1)


def test_the_spread_of_equal_pictures_is_none() -> None:
    one = torch.randn(1, 3, 4, 4)
    assert models.spread(one.expand(8, -1, -1, -1)).abs().max() < 1e-3
    apart = models.spread(torch.randn(8, 3, 4, 4))
    assert apart.shape == (8, 1, 4, 4)
    assert apart.mean() > 0.5
    assert models.spread(torch.randn(6, 3, 4, 4)).shape == (6, 1, 4, 4), "4 does not divide 6"


def test_a_critic_s_value_of_a_picture_does_not_depend_on_the_others() -> None:
    torch.manual_seed(0)
    images = torch.randn(5, 3, 64, 64)
    for name in ("wgan", "wgan_gp"):
        critic = pair_of(name).discriminator
        assert torch.allclose(critic(images)[:1], critic(images[:1]), atol=1e-6)
    mixing = pair_of("dcgan").discriminator
    assert not torch.allclose(mixing(images)[:1], mixing(images[:2])[:1], atol=1e-6)
