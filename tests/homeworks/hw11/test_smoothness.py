"""Virtual adversarial training of homework 11: the worst direction of known functions."""

import torch
from torch import Tensor

from mlspring.homeworks.hw11_adaptation import losses, models, smoothness
from tests.homeworks.hw11.training import CPU
from tests.tiny.random_domains import recipe


def test_the_worst_direction_is_where_the_prediction_depends_on_the_image() -> None:
    """Logits that look at one pixel only change along that pixel only."""
    images, start = torch.zeros(5, 1, 4, 4), torch.randn(5, 1, 4, 4)

    def predict(x: Tensor) -> Tensor:
        return torch.stack((x[:, 0, 1, 2], -x[:, 0, 1, 2]), 1)

    direction = smoothness.worst_direction(predict, images, start)
    expected = torch.zeros(5, 1, 4, 4)
    expected[:, 0, 1, 2] = start[:, 0, 1, 2].sign()
    torch.testing.assert_close(direction, expected)


def test_steps_have_length_one_and_none_stays_none() -> None:
    steps = torch.randn(3, 1, 8, 8)
    steps[1] = 0
    lengths = smoothness.unit(steps).flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([1.0, 0.0, 1.0]))


def test_worst_drawings_lie_at_the_radius_and_change_more_than_random_ones() -> None:
    torch.manual_seed(0)
    knobs = recipe()
    model = models.build(knobs.model, knobs.adapt, 4).train()
    drawings = torch.rand(16, 1, 32, 32)
    kept = {name: value.clone() for name, value in model.named_buffers()}
    moved = smoothness.worst_drawings(model, drawings, CPU, torch.Generator().manual_seed(1))
    radii = (moved - drawings).flatten(1).norm(dim=1)
    torch.testing.assert_close(radii, torch.full((16,), smoothness.RADIUS))
    assert model.training
    assert all(torch.equal(value, kept[name]) for name, value in model.named_buffers())
    assert all(p.grad is None for p in model.parameters())
    with torch.no_grad():
        model.eval()
        plain = model(drawings).logits
        by_chance = drawings + smoothness.RADIUS * smoothness.unit(torch.randn_like(drawings))
        worst = losses.divergence(model(moved).logits, plain)
        assert worst > losses.divergence(model(by_chance).logits, plain)
