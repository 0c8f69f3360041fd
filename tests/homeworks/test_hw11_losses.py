"""Losses of homework 11 against closed forms and finite differences."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw11_adaptation import losses


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_reversal_changes_the_gradient_only() -> None:
    features = random(4, 3).requires_grad_()
    weights = random(3, seed=1).requires_grad_()
    (losses.reverse(features, 0.7) @ weights).sum().backward()
    torch.testing.assert_close(losses.reverse(features, 0.7), features)
    torch.testing.assert_close(features.grad, -0.7 * weights.expand(4, 3))
    torch.testing.assert_close(weights.grad, features.sum(0))  # what follows learns as usual


@pytest.mark.parametrize(("progress", "value"), [(0.0, 0.0), (0.1, math.tanh(0.5)), (1.0, 0.9999)])
def test_the_adaptive_weight_is_a_hyperbolic_tangent(progress: float, value: float) -> None:
    assert losses.rising(progress) == pytest.approx(value, abs=1e-4)
    assert losses.rising(progress) == pytest.approx(math.tanh(5 * progress))


def test_a_confused_domain_classifier_pays_log_two() -> None:
    is_source = torch.tensor([True, True, False, False])
    assert losses.domain_loss(torch.zeros(4), is_source) == pytest.approx(math.log(2))
    sure = torch.tensor([20.0, 20.0, -20.0, -20.0])
    assert losses.domain_loss(sure, is_source) < 1e-8
    assert losses.domain_loss(-sure, is_source) == pytest.approx(20.0)


def test_discrepancy_is_the_mean_of_absolute_differences() -> None:
    one = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]).log()
    other = torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]).log()
    assert losses.discrepancy(one, other) == pytest.approx(0.6 / 6)
    assert losses.discrepancy(one, one + 5) == pytest.approx(0, abs=1e-7)
    far = losses.discrepancy(torch.tensor([[50.0, 0, 0, 0]]), torch.tensor([[0, 50.0, 0, 0]]))
    assert far == pytest.approx(2 / 4)


def test_entropy_lies_between_certainty_and_log_k() -> None:
    assert losses.entropy(torch.zeros(5, 8)) == pytest.approx(math.log(8))
    assert losses.entropy(100 * torch.eye(8)) == pytest.approx(0, abs=1e-6)
    p = torch.tensor([0.7, 0.2, 0.1])
    assert losses.entropy(p.log()[None]) == pytest.approx(-(p * p.log()).sum().item())


def test_imbalance_is_zero_for_certain_but_equal_classes() -> None:
    assert losses.imbalance(100 * torch.eye(4)) == pytest.approx(0, abs=1e-6)
    assert losses.imbalance(torch.zeros(6, 4)) == pytest.approx(0, abs=1e-6)
    one_class = torch.zeros(6, 4)
    one_class[:, 2] = 100
    assert losses.imbalance(one_class) == pytest.approx(math.log(4), abs=1e-5)


def test_divergence_is_kullback_and_leibler_s() -> None:
    p, q = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.4, 0.4, 0.2])
    assert losses.divergence(q.log()[None], p.log()[None]) == pytest.approx(
        (p * (p / q).log()).sum().item()
    )


def test_imbalance_is_the_divergence_from_the_shares_that_are_told() -> None:
    logits = random(50, 3)
    mean, shares = logits.softmax(1).mean(0), torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    expected = (mean * (mean / shares).log()).sum().item()
    assert losses.imbalance(logits, [0.5, 0.3, 0.2]).item() == pytest.approx(expected)
    assert losses.imbalance(logits, mean.tolist()).item() == pytest.approx(0, abs=1e-9)
    even = losses.imbalance(logits, [1 / 3] * 3).item()
    assert losses.imbalance(logits).item() == pytest.approx(even)


@pytest.mark.parametrize("name", ["entropy", "imbalance"])
def test_gradients_agree_with_finite_differences(name: str) -> None:
    logits = random(5, 4).requires_grad_()
    assert torch.autograd.gradcheck(getattr(losses, name), (logits,))


def test_gradients_of_pairs_agree_with_finite_differences() -> None:
    one, other = random(5, 4).requires_grad_(), random(5, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(losses.discrepancy, (one, other))
    assert torch.autograd.gradcheck(losses.divergence, (one, other.detach()))


def test_the_worst_direction_is_the_one_that_a_linear_model_listens_to() -> None:
    """Only one pixel of four matters, so the worst step lies along it."""
    weights = torch.zeros(4, 2, dtype=torch.float64)
    weights[2] = torch.tensor([1.0, -1.0])

    def forward(images: Tensor) -> Tensor:
        return images.flatten(1) @ weights

    found = losses.worst_direction(forward, random(3, 1, 2, 2), random(3, 1, 2, 2, seed=1))
    torch.testing.assert_close(found.flatten(1)[:, 2].abs(), torch.ones(3, dtype=torch.float64))


def test_the_worst_direction_is_the_hessian_s_leading_eigenvector() -> None:
    """For KL near zero the iteration multiplies by W (diag p - p p') W'."""
    weights = random(6, 4, seed=2)

    def forward(images: Tensor) -> Tensor:
        return images.flatten(1) @ weights

    images, start = random(1, 1, 2, 3), random(1, 1, 2, 3, seed=3)
    p = forward(images).softmax(1)[0]
    hessian = weights @ (p.diag() - torch.outer(p, p)) @ weights.T
    expected = F.normalize(hessian @ losses.unit(start).flatten(), dim=0)
    found = losses.worst_direction(forward, images, start, reach=1e-4).flatten()
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


def test_the_worst_step_hurts_more_than_random_ones() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 3)).double()
    images = random(8, 1, 4, 4)
    worst = losses.worst_direction(model, images, random(8, 1, 4, 4, seed=1))
    torch.testing.assert_close(worst.flatten(1).norm(dim=1), torch.ones(8, dtype=torch.float64))
    harm = losses.divergence(model(images + 0.5 * worst), model(images))
    others = [
        losses.divergence(
            model(images + 0.5 * losses.unit(random(8, 1, 4, 4, seed=s))), model(images)
        )
        for s in range(20)
    ]
    assert harm > max(others)


def test_pseudo_labels_are_moved_towards_equal_shares() -> None:
    logits = torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [0.3, 0.0]])
    plain = losses.pseudo_labels(logits, 0.0)
    torch.testing.assert_close(plain, logits.softmax(1))
    moved = losses.pseudo_labels(logits, 1.0)
    torch.testing.assert_close(moved.sum(1), torch.ones(4))
    assert abs(moved.mean(0)[0] - 0.5) < abs(plain.mean(0)[0] - 0.5) / 2
    assert moved[3].argmax() == 1  # the least certain row changes side


def test_pseudo_labels_are_moved_towards_the_shares_that_are_told() -> None:
    logits = random(400, 3)
    for shares in ([0.6, 0.3, 0.1], [0.2, 0.2, 0.6]):
        moved = losses.pseudo_labels(logits, 1.0, shares)
        torch.testing.assert_close(moved.sum(1), torch.ones(400, dtype=torch.float64))
        assert moved.mean(0).tolist() == pytest.approx(shares, abs=0.1)
    even = losses.pseudo_labels(logits, 0.5, [1 / 3] * 3)
    torch.testing.assert_close(even, losses.pseudo_labels(logits, 0.5))


def test_only_certain_rows_teach() -> None:
    logits = torch.zeros(4, 2)
    labels = torch.tensor([[0.95, 0.05], [0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    assert losses.pseudo_loss(logits, labels, 0.9) == pytest.approx(2 * math.log(2) / 4)
    assert losses.pseudo_loss(logits, labels, 0.99) == 0


def test_the_instance_loss_is_the_cross_entropy_of_finding_the_twin() -> None:
    codes = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    unit = codes / codes.norm(dim=1, keepdim=True)
    expected = 0.0
    for row in range(6):
        close = {other: math.exp(unit[row] @ unit[other] / losses.WARMTH) for other in range(6)}
        del close[row]
        expected -= math.log(close[(row + 3) % 6] / sum(close.values())) / 6
    assert losses.instance_loss(codes).item() == pytest.approx(expected)
    assert losses.instance_loss(7 * codes).item() == pytest.approx(expected)  # only angles count
    assert losses.instance_loss(torch.ones(8, 5)).item() == pytest.approx(math.log(7))
    same = torch.eye(4).repeat(2, 1)  # each row equals its twin and is square to all others
    assert losses.instance_loss(same).item() < 0.05
