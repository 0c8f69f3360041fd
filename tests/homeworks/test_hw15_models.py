"""The network of homework 15: many tasks at once compute what one at a time would."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta.models import EPS, Conv4, Way, task_conv, task_norm

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
        expected.append(
            torch.func.functional_call(notebook_s_of(model), renamed(alone), image[:, None])
        )
    assert torch.allclose(found, torch.stack(expected), atol=1e-5)


def notebook_s_of(model: Conv4) -> nn.Sequential:
    return notebook_s(model)


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
    bias = torch.randn(3, 4, generator=stream, dtype=torch.float64).requires_grad_()
    task_conv(x, weight, bias, 3, way).square().sum().backward()
    for task in range(3):
        w, b = (p.detach()[task].clone().requires_grad_() for p in (weight, bias))
        F.conv2d(x[:, 2 * task : 2 * task + 2], w, b, padding=1).square().sum().backward()
        assert torch.allclose(weight.grad[task], w.grad)
        assert torch.allclose(bias.grad[task], b.grad)


def test_statistics_are_of_each_task_by_itself() -> None:
    x = torch.randn(5, 6, 4, 4)
    x[:, :3] *= 100  # the first task's
    out = task_norm(x, torch.ones(3), torch.zeros(3), num_tasks=2)
    assert out.mean((0, 2, 3)).abs().max() < 1e-4
    assert out.square().mean((0, 2, 3)) == pytest.approx(torch.ones(6), abs=1e-2)


def test_statistics_of_the_first_images_normalise_the_others() -> None:
    x = torch.randn(7, 4, 3, 3)
    scale, shift = torch.rand(2, 2) + 0.5, torch.randn(2, 2)
    out = task_norm(x, scale, shift, num_tasks=2, num_reference=5)
    for channel in range(4):
        known = x[:5, channel]
        mean, variance = known.mean(), known.var(correction=0)
        expected = (x[:, channel] - mean) / (variance + EPS).sqrt()
        expected = expected * scale.flatten()[channel] + shift.flatten()[channel]
        assert torch.allclose(out[:, channel], expected, atol=1e-5)
    every = task_norm(x, scale, shift, 2, num_reference=7)
    assert torch.allclose(every, task_norm(x, scale, shift, 2), atol=1e-5)


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
