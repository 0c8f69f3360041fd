"""Saliency, SmoothGrad and integrated gradients: exact on linear models, as captum elsewhere."""

import captum.attr
import pytest
import torch

from mlspring.homeworks.hw09_explain.methods.gradients import (
    gradcam,
    input_gradient,
    integrated,
    label_logits,
    saliency,
    smoothgrad,
)
from tests.homeworks.hw09.cases import Linear, network, pictures

LEVELS = {"noise_level": 0.2, "num_samples": 5, "seed": 0}


def test_a_linear_model_has_its_weights_as_gradient() -> None:
    model, (images, labels) = Linear(), pictures()
    assert torch.allclose(input_gradient(model, images, labels), model.weight[labels])
    assert torch.allclose(saliency(model, images, labels), model.weight[labels].abs())
    smooth = smoothgrad(model, images, labels, **LEVELS)
    assert torch.allclose(smooth, model.weight[labels].abs(), atol=1e-6)


def test_integrated_gradients_of_a_linear_model_are_weight_times_way_whatever_the_steps() -> None:
    model, (images, labels) = Linear(), pictures()
    baselines = torch.full_like(images, 0.3)
    for num_steps in (1, 7):
        found, error = integrated(model, images, labels, baselines=baselines, num_steps=num_steps)
        assert torch.allclose(found, model.weight[labels] * (images - baselines), atol=1e-5)
        assert error.abs().max() < 1e-4


def test_integrated_gradients_of_a_square_are_exact_by_the_midpoint_rule() -> None:
    def squares(images: torch.Tensor) -> torch.Tensor:
        return (images**2).sum((1, 2, 3))[:, None].expand(-1, 11)

    images, labels = pictures()
    found, error = integrated(
        squares, images, labels, baselines=torch.zeros_like(images), num_steps=4
    )
    assert torch.allclose(found, images**2, atol=1e-6)
    assert error.abs().max() < 1e-4


def test_the_completeness_error_is_what_the_sum_lacks_and_falls_with_the_steps() -> None:
    model, (images, labels) = network(), pictures()
    baselines = torch.zeros_like(images)
    gain = label_logits(model, images, labels) - label_logits(model, baselines, labels)
    errors = []
    for num_steps in (2, 16, 256):
        found, error = integrated(model, images, labels, baselines=baselines, num_steps=num_steps)
        assert torch.allclose(error, found.sum((1, 2, 3)) - gain, atol=1e-5)
        errors.append(error.abs().mean().item())
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.02 * gain.abs().mean().item()


def test_what_captum_gives_is_the_same() -> None:
    model, (images, labels) = network(), pictures()
    theirs = captum.attr.Saliency(model).attribute(
        images.clone().requires_grad_(), target=labels, abs=True
    )
    assert torch.allclose(saliency(model, images, labels), theirs, atol=1e-4)
    baselines = torch.full_like(images, 0.4)
    theirs, gap = captum.attr.IntegratedGradients(model).attribute(
        images,
        baselines,
        target=labels,
        n_steps=20,
        method="riemann_middle",
        return_convergence_delta=True,
    )
    ours, error = integrated(model, images, labels, baselines=baselines, num_steps=20)
    assert ours.abs().max() > 0.05
    assert torch.allclose(ours, theirs.float(), atol=1e-4)
    assert torch.allclose(error, gap.float(), atol=1e-4)


def test_no_noise_is_the_gradient_itself() -> None:
    model, (images, labels) = network(), pictures()
    plain = saliency(model, images, labels)
    none = smoothgrad(model, images, labels, noise_level=0.0, num_samples=2, seed=0)
    some = smoothgrad(model, images, labels, **LEVELS)
    assert torch.allclose(none, plain, atol=1e-6)
    assert not torch.allclose(some, plain, atol=1e-3)


def test_the_noise_is_a_share_of_each_picture_s_range() -> None:
    seen: list[torch.Tensor] = []

    class Spy(Linear):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(images.detach() - pale)
            return super().forward(images)

    images, labels = pictures(1)
    for factor in (1.0, 0.1):
        pale = images * factor
        smoothgrad(Spy(), pale, labels, noise_level=0.2, num_samples=20, seed=0)
    full, tenth = torch.stack(seen[:20]), torch.stack(seen[20:])
    extent = (images.max() - images.min()).item()
    assert full.std().item() == pytest.approx(0.2 * extent, rel=0.05)
    assert torch.allclose(tenth, full / 10, atol=1e-5)


@pytest.mark.parametrize("method", ["saliency", "smoothgrad", "integrated"])
def test_a_picture_s_map_does_not_depend_on_its_batch(method: str) -> None:
    def explain(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if method == "saliency":
            return saliency(model, images, labels)
        if method == "smoothgrad":
            return smoothgrad(model, images, labels, **LEVELS)
        black = torch.zeros_like(images)
        return integrated(model, images, labels, baselines=black, num_steps=3)[0]

    model, (images, labels) = network(), pictures(4)
    together = explain(images, labels)
    apart = torch.cat([explain(images[i : i + 1], labels[i : i + 1]) for i in range(4)])
    assert torch.allclose(together, apart, atol=1e-5)


def test_explaining_leaves_no_trace() -> None:
    model, (images, labels) = network(), pictures()
    before = images.clone()
    integrated(model, images, labels, baselines=torch.zeros_like(images), num_steps=2)
    smoothgrad(model, images, labels, **LEVELS)
    assert torch.equal(images, before) and not images.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())


def test_grad_cam_is_captum_s_and_its_halves_are_the_network() -> None:
    model, (images, labels) = network(), pictures()
    features, rest = model.up_to(model.last_maps), model.behind(model.last_maps)
    assert torch.allclose(rest(features(images)), model(images), atol=1e-5)
    layer = captum.attr.LayerGradCam(model, model.network.cnn[model.last_maps])
    theirs = layer.attribute(images, target=labels, relu_attributions=True)
    theirs = torch.nn.functional.interpolate(theirs, images.shape[2:], mode="bilinear")[:, 0]
    ours = gradcam(features, rest, images, labels)
    assert ours.max() > 1e-3 and ours.min() >= 0
    assert torch.allclose(ours, theirs, atol=1e-4)
