"""The fast network of homework 15: many tasks at once compute what one at a time would."""

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta import fast
from mlspring.homeworks.hw15_meta.fast import EPS, ConvImpl
from mlspring.homeworks.hw15_meta.fast_layers import moments
from mlspring.homeworks.hw15_meta.models import Conv4

IMPLS: tuple[ConvImpl, ...] = ("grouped", "matmul")


@pytest.fixture
def model() -> Conv4:
    torch.manual_seed(0)
    return Conv4(6, 5)


def weights_per_task(model: Conv4, num_tasks: int) -> dict[str, Tensor]:
    """Return weights that differ from task to task, with batch norm's scales of both signs."""
    stream = torch.Generator().manual_seed(3)
    weights = {
        name: weight.detach() + 0.1 * torch.randn(num_tasks, *weight.shape, generator=stream)
        for name, weight in model.phi().items()
    }
    for layer in range(4):
        weights[f"norms.{layer}.weight"] *= torch.tensor([1, -1]).repeat(3)
    return weights


def test_it_has_the_course_s_number_of_parameters() -> None:
    assert sum(p.numel() for p in Conv4(64, 5).parameters()) == 112_261
    assert not list(Conv4(8, 5).buffers()), "no running statistics"
    assert not any(name.startswith("head") for name, _ in Conv4(8, 0).named_parameters())


@pytest.mark.parametrize("impl", IMPLS)
@pytest.mark.parametrize("shared", [True, False])
def test_many_tasks_give_what_the_readable_network_gives_for_each(
    shared: bool, impl: ConvImpl, model: Conv4, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fast.CONV_IMPL, "cpu", impl)
    images = torch.rand(3, 4, 28, 28)
    weights = model.phi() if shared else weights_per_task(model, 3)
    found = fast.head(weights, fast.features(weights, images))
    for task, mine in enumerate(images):
        alone = weights if shared else {name: weight[task] for name, weight in weights.items()}
        assert torch.allclose(found[task], functional_call(model, alone, (mine,)), atol=2e-5)


@pytest.mark.parametrize("impl", IMPLS)
def test_a_task_s_convolution_has_its_own_gradient(impl: ConvImpl) -> None:
    stream = torch.Generator().manual_seed(1)
    x = torch.randn(2, 6, 5, 5, generator=stream, dtype=torch.float64)  # 3 tasks, 2 channels
    weight = torch.randn(3, 4, 2, 3, 3, generator=stream, dtype=torch.float64).requires_grad_()
    fast.task_conv(x, weight, impl).square().sum().backward()
    assert weight.grad is not None
    for task in range(3):
        own = weight.detach()[task].clone().requires_grad_()
        F.conv2d(x[:, 2 * task : 2 * task + 2], own, padding=1).square().sum().backward()
        assert own.grad is not None
        assert torch.allclose(weight.grad[task], own.grad)


def test_moments_from_the_inputs_are_those_of_the_convolution_s_outputs() -> None:
    images, weight = torch.rand(4, 3, 9, 9), torch.randn(3, 2, 1, 3, 3)
    found = fast.conv_moments(images, weight)
    expected = moments(fast.task_conv(images, weight, "grouped"))
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.shape == (3, 2)
        assert torch.allclose(mine.flatten(), theirs, atol=1e-5)


def test_with_a_reference_the_first_images_alone_give_the_statistics(model: Conv4) -> None:
    images, weights = torch.rand(2, 7, 28, 28), weights_per_task(model, 2)
    found = fast.features(weights, images, num_reference=5)
    for task, x in enumerate(images[:, :, None]):
        part = {name: weight[task] for name, weight in weights.items()}
        for layer in range(4):
            conv, norm = f"convs.{layer}", f"norms.{layer}"
            x = F.conv2d(x, part[f"{conv}.weight"], part[f"{conv}.bias"], padding=1)  # noqa: PLW2901
            known = x[:5].transpose(0, 1).flatten(1)
            mean, variance = known.mean(1), known.var(1, correction=0)
            scale, shift = part[f"{norm}.weight"], part[f"{norm}.bias"]
            x = F.batch_norm(x, mean, variance, scale, shift, training=False, eps=EPS)  # noqa: PLW2901
            x = F.max_pool2d(F.relu(x), 2)  # noqa: PLW2901
        assert torch.allclose(found[task], x.flatten(1), atol=2e-5)


def test_narrow_arithmetic_gives_nearly_the_same_in_wide_numbers() -> None:
    torch.manual_seed(0)
    model, images = Conv4(16, 5), torch.rand(2, 5, 28, 28)
    weights = {name: weight.detach() for name, weight in model.phi().items()}
    exact = fast.features(weights, images)
    with torch.autocast("cpu", torch.bfloat16):
        near = fast.features(weights, images)
        logits = fast.head(weights, near)
    assert near.dtype == logits.dtype == torch.float32
    assert not torch.equal(near, exact)
    assert torch.allclose(near, exact, atol=0.1 * float(exact.std()))
