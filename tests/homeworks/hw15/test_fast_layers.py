"""The layers of homework 15: torch's own values, gradients of any order by finite differences."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta import fast_layers as layers

NUM_TASKS = 2


def drawn(*shape: int) -> Tensor:
    stream = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=stream, dtype=torch.float64).requires_grad_()


def pixels(channels: int, side: int) -> Tensor:
    return drawn(2, NUM_TASKS * channels, side, side)


def test_a_grouped_convolution_is_one_of_each_task() -> None:
    x, weight = pixels(3, 5), drawn(NUM_TASKS, 2, 3, 3, 3)
    found = layers.grouped_conv(x, weight)
    for task, own in enumerate(weight):
        mine = F.conv2d(x[:, 3 * task : 3 * task + 3], own, padding=1)
        assert torch.allclose(found[:, 2 * task : 2 * task + 2], mine)


def test_a_convolution_has_gradients_of_any_order() -> None:
    inputs = (pixels(1, 3), drawn(NUM_TASKS, 2, 1, 3, 3))
    assert gradcheck(layers.grouped_conv, inputs)
    assert gradgradcheck(layers.grouped_conv, inputs)
    picture = inputs[0].detach()  # the first layer's images want no gradient
    assert gradgradcheck(lambda weight: layers.grouped_conv(picture, weight), inputs[1:])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("side", [4, 5])
def test_pooling_takes_the_largest_and_has_gradients_of_any_order(
    side: int, layout: torch.memory_format
) -> None:
    x = pixels(1, side).detach().contiguous(memory_format=layout).requires_grad_()
    assert torch.equal(layers.max_pool(x), F.max_pool2d(x, 2))
    assert gradcheck(layers.max_pool, x)
    assert gradgradcheck(lambda y: layers.max_pool(y).square(), x)  # itself is linear


def test_of_equal_pixels_one_has_the_gradient() -> None:
    x = torch.zeros(1, 1, 4, 4, requires_grad=True)
    layers.max_pool(x).sum().backward()
    assert x.grad is not None
    assert x.grad.sum() == 4 and x.grad.max() == 1


def test_moments_are_those_of_the_pixels_and_have_gradients_of_any_order() -> None:
    x = pixels(2, 3)
    mean, variance = layers.moments(x)
    assert torch.allclose(mean, x.mean((0, 2, 3)))
    assert torch.allclose(variance, x.var((0, 2, 3), correction=0))
    assert gradcheck(layers.moments, x)
    assert gradgradcheck(layers.moments, x)


def test_moments_of_bf16_are_summed_in_fp32() -> None:
    x = (pixels(2, 14).detach() + 3).to(torch.bfloat16)
    mean, variance = layers.moments(x)
    assert mean.dtype == variance.dtype == torch.float32
    assert torch.allclose(mean, x.float().mean((0, 2, 3)), rtol=1e-5)
    assert torch.allclose(variance, x.float().var((0, 2, 3), correction=0), rtol=1e-4)


def test_a_row_scales_its_channel() -> None:
    x, factor, offset = pixels(1, 2), drawn(NUM_TASKS), drawn(NUM_TASKS)
    found = layers.scale_channels(x, factor, offset)
    expected = x * factor[:, None, None] + offset[:, None, None]
    assert torch.allclose(found, expected)
