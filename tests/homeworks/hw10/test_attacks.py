"""The parts of an attack against closed forms: gradients, views, momentum's norm, the budget."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw10_attack import attacks
from mlspring.homeworks.hw10_attack.attacks import Views
from mlspring.kit.seeding import generator
from tests.homeworks.hw10.tools import Linear, knobs, pictures


def by_hand(networks: list[Linear], pixels: Tensor, labels: Tensor) -> np.ndarray:
    """Return the mean cross-entropy's gradient of linear networks: mean of W^T (p - y) / 255."""
    x = pixels.flatten(1).numpy().astype(np.float64)
    total = np.zeros_like(x)
    for network in networks:
        w, b = network.weight.numpy().astype(np.float64), network.bias.numpy()
        logits = x @ w.T / 255 + b
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        total += (p - np.eye(4)[labels.numpy()]) @ w / 255
    return (total / len(networks)).reshape(pixels.shape)


def test_the_gradient_of_linear_networks_is_known() -> None:
    pixels, labels = pictures()
    networks = [Linear(seed=s) for s in range(3)]
    gradient, losses, _ = attacks.input_gradient(networks, pixels, labels, Views(), knobs())
    np.testing.assert_allclose(gradient.numpy(), by_hand(networks, pixels, labels), atol=1e-7)
    every = torch.stack([F.cross_entropy(n(pixels), labels, reduction="none") for n in networks])
    torch.testing.assert_close(losses, every.mean(0))


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50])
def test_a_picture_s_gradient_does_not_depend_on_the_others(chunk: int) -> None:
    pixels, labels = pictures()
    told = knobs(diversity=0.9, smallest=0.5, scales=2, admix=0.2)
    views = attacks.draw_views(told, pixels, labels, generator(0, "views", 1))
    networks = [Linear(seed=s) for s in range(2)]
    whole = attacks.input_gradient(networks, pixels, labels, views, told)
    parts = attacks.input_gradient(networks, pixels, labels, views, told, chunk=chunk)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)
    alone = attacks.input_gradient(networks, pixels[2:3], labels[2:3], views[slice(2, 3)], told)
    torch.testing.assert_close(alone[0][0], whole[0][2], rtol=1e-5, atol=1e-8)


def test_no_gradient_is_left_in_weights() -> None:
    pixels, labels = pictures()
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(108, 4))
    attacks.input_gradient([network], pixels, labels, Views(), knobs())
    assert all(p.grad is None for p in network.parameters())
    assert not pixels.requires_grad


def test_three_ways_to_combine_networks() -> None:
    labels = torch.tensor([0, 1])
    logits = [torch.tensor([[2.0, 0, 0], [1, 3, 0]]), torch.tensor([[0.0, 4, 0], [0, 1, 5]])]
    p = [one.softmax(1)[torch.arange(2), labels] for one in logits]
    mean_loss = -(p[0].log() + p[1].log()) / 2
    torch.testing.assert_close(attacks.ensemble_losses(logits, labels, "losses"), mean_loss)
    of_mean = -((p[0] + p[1]) / 2).log()
    torch.testing.assert_close(attacks.ensemble_losses(logits, labels, "probabilities"), of_mean)
    mean_logits = F.cross_entropy((logits[0] + logits[1]) / 2, labels, reduction="none")
    torch.testing.assert_close(attacks.ensemble_losses(logits, labels, "logits"), mean_logits)


@pytest.mark.parametrize("combine", ["losses", "logits", "probabilities"])
def test_one_network_is_combined_with_nothing(combine: str) -> None:
    logits = [torch.randn(5, 4, generator=torch.Generator().manual_seed(0))]
    labels = torch.tensor([0, 1, 2, 3, 0])
    alone = F.cross_entropy(logits[0], labels, reduction="none")
    torch.testing.assert_close(attacks.ensemble_losses(logits, labels, combine), alone)


def test_a_confident_network_rules_mean_logits_and_not_mean_losses() -> None:
    """Ten times the logits are ten times the say in a mean of logits, not in one of losses."""
    pixels, labels = pictures()
    one, other = Linear(seed=0), Linear(seed=1)
    loud = Linear(seed=1)
    loud.weight, loud.bias = other.weight * 10, other.bias * 10
    views, alone = Views(), []
    for combine in ("logits", "probabilities"):
        together = attacks.input_gradient(
            [one, loud], pixels, labels, views, knobs(combine=combine)
        )[0]
        alone.append((together.sign() == attacks.input_gradient(
            [loud], pixels, labels, views, knobs())[0].sign()).float().mean())  # fmt: skip
    assert alone[0] > 0.75


# ---- momentum


def test_each_picture_has_a_norm_of_its_own() -> None:
    gradient = torch.tensor([1.0, 100.0, 1e-12, 0.0])[:, None, None, None] * torch.tensor(
        [[[1.0, -3.0]]]
    )
    made = attacks.normalised(gradient)
    expected = torch.tensor([[[0.5, -1.5]]])
    for picture in made[:3]:
        torch.testing.assert_close(picture, expected)
    assert (made[3] == 0).all(), "no gradient, no direction, and no NaN"
    joined = torch.cat([gradient[1:2], gradient[:1]])
    torch.testing.assert_close(attacks.normalised(joined)[1], made[0])


# ---- views


def test_a_view_of_full_size_is_the_picture_itself() -> None:
    pixels, _ = pictures(side=32)
    sizes, places = torch.full((7,), 32), torch.zeros(7, 2, dtype=torch.long)
    torch.testing.assert_close(attacks.resize(pixels, sizes, places), pixels, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("size", "top", "left"), [(31, 0, 1), (28, 3, 0), (20, 5, 7), (16, 16, 16)]
)
def test_a_smaller_view_is_an_interpolation_with_grey_around(
    size: int, top: int, left: int
) -> None:
    pixels, _ = pictures(2, side=32)
    made = attacks.resize(pixels, torch.full((2,), size), torch.tensor([[top, left]] * 2))
    expected = torch.full_like(pixels, attacks.GREY)
    small = F.interpolate(pixels, size=(size, size), mode="bilinear", align_corners=False)
    expected[:, :, top : top + size, left : left + size] = small
    torch.testing.assert_close(made, expected, atol=2e-2, rtol=0)


@pytest.mark.parametrize(("size", "top", "left"), [(33, 0, -1), (36, -4, -2), (48, -7, 0)])
def test_of_a_larger_picture_the_view_shows_a_part(size: int, top: int, left: int) -> None:
    pixels, _ = pictures(2, side=32)
    made = attacks.resize(pixels, torch.full((2,), size), torch.tensor([[top, left]] * 2))
    large = F.interpolate(pixels, size=(size, size), mode="bilinear", align_corners=False)
    expected = large[:, :, -top : 32 - top, -left : 32 - left]
    torch.testing.assert_close(made, expected, atol=2e-2, rtol=0)


def test_every_picture_is_resized_and_moved_by_itself() -> None:
    pixels, labels = pictures(400, side=32)
    told = knobs(diversity=0.7, largest=1.125)
    views = attacks.draw_views(told, pixels, labels, generator(0, "views", 1))
    sizes, places = views.sizes, views.places
    assert sizes is not None and places is not None and views.partners is None
    assert set(sizes.tolist()) == set(range(28, 37))
    assert 0.5 < (sizes != 32).float().mean() < 0.75, "seven in ten, and one of those in nine is 32"
    for size, farthest in ((28, {0, 1, 2, 3, 4}), (32, {0}), (36, {0, -1, -2, -3, -4})):
        assert set(places[sizes == size].flatten().tolist()) == farthest
    assert len({tuple(p) for p in places.tolist()}) > 10


def test_a_step_s_views_depend_on_seed_and_step_alone() -> None:
    pixels, labels = pictures(20, side=32)
    told = knobs(diversity=0.5, admix=0.2)
    same = [attacks.draw_views(told, pixels, labels, generator(0, "v", 1)) for _ in range(2)]
    assert torch.equal(same[0].sizes, same[1].sizes)  # type: ignore[arg-type]
    later = attacks.draw_views(told, pixels, labels, generator(0, "v", 2))
    assert not torch.equal(same[0].places, later.places)  # type: ignore[arg-type]


def test_partners_are_of_another_class() -> None:
    labels = torch.arange(10).repeat_interleave(20)
    rows = attacks.draw_partners(labels, generator(0, "v", 1))
    assert (labels[rows] != labels).all()
    assert len(set(rows.tolist())) > 80
    assert attacks.draw_partners(torch.zeros(3, dtype=torch.long), generator(0)).shape == (3,)


def test_copies_are_half_as_bright_and_mixed_pictures_added() -> None:
    pixels, _ = pictures()
    partners = pixels.flip(0)
    told = knobs(scales=3, admix=0.25)
    seen = list(attacks.look(pixels, Views(partners=partners), told))
    assert len(seen) == 3
    for copy, picture in enumerate(seen):
        torch.testing.assert_close(picture, (pixels + 0.25 * partners) / 2**copy)


def test_scale_invariance_averages_gradients_over_copies() -> None:
    pixels, labels = pictures()
    network = Linear()
    made = attacks.input_gradient([network], pixels, labels, Views(), knobs(scales=2))[0]
    half = by_hand([network], pixels / 2, labels) / 2  # the chain rule's half
    expected = (by_hand([network], pixels, labels) + half) / 2
    np.testing.assert_allclose(made.numpy(), expected, atol=1e-7)


def test_smoothing_is_a_convolution_that_keeps_a_constant_inside() -> None:
    gradient = torch.zeros(2, 3, 9, 9)
    gradient[0, 1, 4, 4] = 1
    gradient[1] = 5
    made = attacks.smooth(gradient, 5)
    line = np.exp(-(np.linspace(-3, 3, 5) ** 2) / 2)
    kernel = np.outer(line, line) / line.sum() ** 2
    np.testing.assert_allclose(made[0, 1, 2:7, 2:7].numpy(), kernel, rtol=1e-5)
    assert made[0, 0].abs().sum() == 0, "channels stay apart"
    torch.testing.assert_close(made[1, :, 2:7, 2:7], torch.full((3, 5, 5), 5.0))
    assert attacks.smooth(gradient, 1) is gradient


# ---- the budget


def test_the_budget_is_exact_for_every_value_both_signs_and_any_step() -> None:
    benign = torch.arange(256).float().view(256, 1, 1, 1).expand(256, 3, 2, 2)
    for sign, alpha in itertools.product((-1, 1), (0.3, 0.8, 1.0, 7.5, 8.0, 100.0)):
        moved = benign.clone()
        for _ in range(40):
            moved = attacks.project(moved + sign * alpha, benign, 8.0)
        final = attacks.to_integers(moved, benign, 8.0)
        wanted = (torch.arange(256) + sign * 8).clamp(0, 255)
        assert torch.equal(final[:, 0, 0, 0].long(), wanted)
        change = attacks.largest_change(final, benign.to(torch.uint8))
        assert change.max() == 8
        assert change[:8].min() == (0 if sign < 0 else 8), (
            "at the ends of the range less is possible"
        )


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.7, 7.999])
def test_a_fractional_budget_is_not_rounded_up(epsilon: float) -> None:
    benign = torch.full((1, 3, 2, 2), 100.0)
    moved = attacks.project(benign + 50, benign, epsilon)
    final = attacks.to_integers(moved, benign, epsilon)
    assert (final == 100 + int(epsilon)).all()


def test_a_change_is_counted_without_wrapping_round() -> None:
    benign, moved = torch.zeros(2, 3, 2, 2, dtype=torch.uint8), torch.zeros(2, 3, 2, 2).byte()
    moved[0, 2, 1, 1] = 255
    assert attacks.largest_change(moved, benign).tolist() == [255, 0]
    assert attacks.largest_change(benign, moved).tolist() == [255, 0]
