"""The network of homework 15: many tasks at once compute what one at a time would."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta.layers import moments
from mlspring.homeworks.hw15_meta.models import EPS, Conv4, Way, moments_ahead, task_conv

WAYS: tuple[Way, ...] = ("loop", "grouped", "matmul")


def notebook_s(model: Conv4) -> nn.Sequential:
    """Return the course's network with the weights of ``model``."""
    layers: list[nn.Module] = []
    for conv, norm in zip(model.convs, model.norms, strict=True):
        layers += [conv, norm, nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), model.head)


def own_weights(model: Conv4, num_tasks: int) -> dict[str, Tensor]:
    """Return weights that differ from task to task."""
    stream = torch.Generator().manual_seed(3)
    return {
        name: weight.detach() + 0.1 * torch.randn(num_tasks, *weight.shape, generator=stream)
        for name, weight in model.own().items()
    }


def test_it_has_the_course_s_number_of_parameters() -> None:
    assert sum(p.numel() for p in Conv4(64, 5).parameters()) == 112_261
    assert not list(Conv4(8, 5).buffers()), "no running statistics"
    assert not hasattr(Conv4(8, 0), "head")


@pytest.mark.parametrize("way", WAYS)
def test_shared_weights_give_what_the_notebook_s_network_gives(way: Way) -> None:
    torch.manual_seed(0)
    model, images = Conv4(6, 5, way), torch.rand(3, 5, 28, 28)
    weights = model.own()
    found = model.logits(weights, model.features(weights, images))
    expected = [notebook_s(model)(task[:, None]) for task in images]  # batch norm a task
    assert torch.allclose(found, torch.stack(expected), atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_weights_of_its_own_serve_each_task(way: Way) -> None:
    torch.manual_seed(0)
    model, images = Conv4(6, 5, way), torch.rand(3, 4, 28, 28)
    weights = own_weights(model, 3)
    found = model.logits(weights, model.features(weights, images))
    expected = []
    for task, image in enumerate(images):
        alone = {name: weight[task] for name, weight in weights.items()}
        expected.append(functional_call(notebook_s(model), renamed(alone), image[:, None]))
    assert torch.allclose(found, torch.stack(expected), atol=1e-5)


def renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights under the names of ``notebook_s``."""
    names = {}
    for layer in range(4):
        for part in ("weight", "bias"):
            names[f"convs.{layer}.{part}"] = f"{4 * layer}.{part}"
            names[f"norms.{layer}.{part}"] = f"{4 * layer + 1}.{part}"
    names |= {"head.weight": "17.weight", "head.bias": "17.bias"}
    return {names[name]: weight for name, weight in weights.items()}


@pytest.mark.parametrize("way", WAYS)
def test_a_task_s_convolution_has_its_own_gradient(way: Way) -> None:
    stream = torch.Generator().manual_seed(1)
    x = torch.randn(2, 6, 5, 5, generator=stream, dtype=torch.float64)  # 3 tasks, 2 channels
    weight = torch.randn(3, 4, 2, 3, 3, generator=stream, dtype=torch.float64).requires_grad_()
    task_conv(x, weight, way).square().sum().backward()
    for task in range(3):
        own = weight.detach()[task].clone().requires_grad_()
        F.conv2d(x[:, 2 * task : 2 * task + 2], own, padding=1).square().sum().backward()
        assert torch.allclose(weight.grad[task], own.grad)


def test_moments_ahead_are_those_of_the_convolution() -> None:
    images, weight = torch.rand(4, 3, 9, 9), torch.randn(3, 2, 1, 3, 3)
    found = moments_ahead(images, weight)
    expected = moments(task_conv(images, weight, "loop"))
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.shape == (3, 2)
        assert torch.allclose(mine.flatten(), theirs, atol=1e-5)


@pytest.mark.parametrize("num_reference", [0, 5])
def test_layers_are_convolution_batch_norm_relu_pooling_in_this_order(num_reference: int) -> None:
    """With scales of both signs, and statistics of the first images where they are asked for."""
    torch.manual_seed(0)
    model, images = Conv4(6, 5), torch.rand(2, 7, 28, 28)
    weights = own_weights(model, 2)
    for layer in range(4):
        weights[f"norms.{layer}.weight"] *= torch.tensor([1, -1, 1, -1, 1, -1])
    found = model.features(weights, images, num_reference)
    for task, x in enumerate(images[:, :, None]):
        for layer in range(4):
            part = {name: weight[task] for name, weight in weights.items()}
            conv, norm = f"convs.{layer}", f"norms.{layer}"
            x = F.conv2d(x, part[f"{conv}.weight"], part[f"{conv}.bias"], padding=1)  # noqa: PLW2901
            known = x[: num_reference or 7].transpose(0, 1).flatten(1)
            mean, variance = known.mean(1), known.var(1, correction=0)
            x = (x - mean[:, None, None]) / (variance + EPS).sqrt()[:, None, None]  # noqa: PLW2901
            x = x * part[f"{norm}.weight"][:, None, None]  # noqa: PLW2901
            x = x + part[f"{norm}.bias"][:, None, None]  # noqa: PLW2901
            x = F.max_pool2d(F.relu(x), 2)  # noqa: PLW2901
        assert torch.allclose(found[task], x.flatten(1), atol=2e-5)


def test_an_image_is_no_matter_to_others_where_the_support_alone_is_the_reference() -> None:
    torch.manual_seed(0)
    model, images = Conv4(6, 5), torch.rand(2, 8, 28, 28)
    weights = model.own()
    before = model.features(weights, images, num_reference=5)
    images[:, 7] = torch.rand(2, 28, 28)
    after = model.features(weights, images, num_reference=5)
    assert torch.allclose(before[:, :7], after[:, :7], atol=1e-5)
    assert not torch.allclose(before[:, 7], after[:, 7], atol=1e-3)
    transductive = model.features(weights, images)
    assert not torch.allclose(transductive[:, :7], after[:, :7], atol=1e-3)


def test_narrow_arithmetic_gives_nearly_the_same_in_wide_numbers() -> None:
    torch.manual_seed(0)
    model, images = Conv4(16, 5), torch.rand(2, 5, 28, 28)
    weights = own_weights(model, 2)
    exact = model.features(weights, images)
    with torch.autocast("cpu", torch.bfloat16):
        near = model.features(weights, images)
        logits = model.logits(weights, near)
    assert near.dtype == logits.dtype == torch.float32
    assert not torch.equal(near, exact)
    assert torch.allclose(near, exact, atol=0.1 * float(exact.std()))
