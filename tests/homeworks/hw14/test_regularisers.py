"""Importance against closed forms, quadratic losses and gradients taken image by image."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlspring.homeworks.hw14_lifelong.methods import METHODS, regularisers
from mlspring.homeworks.hw14_lifelong.methods.learner import Learner, MethodState
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from tests.tiny.digits import learner


class Line(nn.Module):
    """A network that is nothing but its weights: losses are functions of them."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(values, dtype=torch.float64))


def on_line(name: str, values: list[float], *overrides: str) -> Learner:
    """Return a learner whose network is a ``Line``, in float64."""
    real, model = learner(name, *overrides), Line(values)
    return replace(
        real,
        model=model,  # type: ignore[arg-type]
        optimizer=torch.optim.SGD(model.parameters(), 1e-3),
        state=MethodState(METHODS[real.method].remembered(model, real.knobs)),  # type: ignore[arg-type]
    )


def few(name: str) -> Learner:
    """Return a learner whose tasks have 40 images each."""
    return learner(name, num_train=40)


def one_by_one(made: Learner, objective: regularisers.Objective, power: int) -> list[Tensor]:
    """Return the mean of |gradient of one image's objective| ** power, image by image."""
    images, mask = to_input(made.stream.tasks[0].pixels), made.stream.masks[0][0]
    sums = [torch.zeros_like(p) for p in made.parameters]
    for image in images:
        value = objective(made.model(image[None]), mask).sum()
        for total, gradient in zip(sums, torch.autograd.grad(value, made.parameters), strict=True):
            total.add_(gradient.abs() ** power)
    return [total / len(images) for total in sums]


def log_likelihood_of_a_three(logits: Tensor, mask: Tensor) -> Tensor:
    return (logits + mask).log_softmax(1)[:, 3]


@pytest.mark.parametrize(
    ("objective", "power"),
    [
        (log_likelihood_of_a_three, 2),
        (regularisers.squared_length, 1),
        (regularisers.squared_length, 2),
    ],
)
def test_outer_products_are_the_gradients_of_single_images(
    objective: regularisers.Objective, power: int
) -> None:
    made = few("ewc")
    found = regularisers.by_images(made, 0, objective, power=power)
    for mine, reference in zip(found, one_by_one(made, objective, power), strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-9)


def test_the_size_of_a_pass_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = few("mas")
    whole = regularisers.by_images(made, 0, regularisers.squared_length, power=1)
    monkeypatch.setattr(regularisers, "CHUNK", 7)
    for mine, reference in zip(
        regularisers.by_images(made, 0, regularisers.squared_length, power=1), whole, strict=True
    ):
        torch.testing.assert_close(mine, reference, rtol=1e-5, atol=1e-9)


def test_the_fisher_information_of_the_last_bias_is_p_times_one_minus_p() -> None:
    """With labels drawn from p, E (1[y = k] - p_k)^2 = p_k (1 - p_k); 2,000 draws of it."""
    made = learner("ewc")
    made.model.layers[-1].bias.data[3] += 2.0  # answers that are not all alike
    sums, repeats = torch.zeros(10), 10
    for seed in range(repeats):
        fresh = learner("ewc", seed=0)
        fresh.model.load_state_dict(made.model.state_dict())
        regularisers.measure_ewc(replace(fresh, seed=seed), 0, 1)
        sums += fresh.state["importance"][-1]
    p = made.model(to_input(made.stream.tasks[0].pixels)).softmax(1).detach()
    assert (sums / repeats).numpy() == pytest.approx((p * (1 - p)).mean(0).numpy(), rel=0.15)


def test_the_sensitivity_of_the_last_bias_is_twice_the_output() -> None:
    """As d ||F||^2 / d b_k = 2 F_k, MAS guards it by the mean of 2 |F_k|."""
    made = learner("mas")
    regularisers.measure_mas(made, 0, 1)
    outputs = made.model(to_input(made.stream.tasks[0].pixels)).detach()
    torch.testing.assert_close(
        made.state["importance"][-1], 2 * outputs.abs().mean(0), rtol=1e-4, atol=1e-7
    )


def test_only_open_outputs_count() -> None:
    made = learner("mas", 'data.scenarios=["task"]', stream="split")
    regularisers.measure_mas(made, 1, 1)
    guarded = made.state["importance"][-1]
    assert guarded[[2, 3]].gt(0).all()
    assert guarded[[0, 1, 4, 5, 6, 7, 8, 9]].eq(0).all()


def test_the_sliced_cramer_guard_of_the_last_bias_is_one_over_the_outputs() -> None:
    """As d (xi . mean F) / d b_k = xi_k, whose square has the mean 1 / K over directions."""
    made = learner("scp")
    regularisers.measure_scp(made, 0, 1)
    torch.testing.assert_close(made.state["importance"][-1], torch.full((10,), 0.1))


def test_slices_drawn_at_random_come_to_the_closed_form() -> None:
    made = learner("scp")
    regularisers.measure_scp(made, 0, 1)
    mean = made.model(to_input(made.stream.tasks[0].pixels)).mean(0)
    draws = torch.Generator().manual_seed(0)
    directions = nn.functional.normalize(torch.randn(1000, 10, generator=draws))
    weight = made.model.layers[0].weight
    sampled = torch.zeros_like(weight)
    for xi in directions:
        (gradient,) = torch.autograd.grad(mean @ xi, weight, retain_graph=True)
        sampled += gradient.square() / len(directions)
    exact = made.state["importance"][0]
    assert (sampled - exact).norm() / exact.norm() < 0.1


def test_the_pull_is_the_gradient_of_the_penalty() -> None:
    made = learner("mas", "strength.mas=0.7")
    regularisers.measure_mas(made, 0, 1)
    for weights in made.parameters:
        weights.data += 0.1 * torch.randn_like(weights)
        weights.grad = torch.zeros_like(weights)
    regularisers.add_penalty_gradient(made, 1, 1)
    terms = zip(made.state["importance"], made.parameters, made.state["anchor"], strict=True)
    total = 0.7 * sum((b * (p - a) ** 2).sum() for b, p, a in terms)
    assert regularisers.penalty(made) == pytest.approx(total.item(), rel=1e-5)
    for mine, reference in zip(
        made.gradients, torch.autograd.grad(total, made.parameters), strict=True
    ):
        torch.testing.assert_close(mine, reference)


def test_two_quadratic_losses_meet_where_algebra_says() -> None:
    """The least of a (t - c)^2 / 2 + k b (t - t*)^2 is at (a c + 2 k b t*) / (a + 2 k b)."""
    made = on_line("ewc", [0.0, 0.0, 0.0], "strength.ewc=2.5")
    b = torch.tensor([0.0, 1.0, 40.0], dtype=torch.float64)
    anchor = torch.tensor([1.0, -1.0, 2.0], dtype=torch.float64)
    made.state["importance"][0].copy_(b)
    made.state["anchor"][0].copy_(anchor)
    a, c = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([5.0, 5.0, 5.0])
    theta = made.parameters[0]
    for _ in range(20_000):
        theta.grad = a * (theta.detach() - c)
        regularisers.add_penalty_gradient(made, 1, 1)
        made.optimizer.step()
    wanted = (a * c + 5 * b * anchor) / (a + 5 * b)
    assert theta.detach().numpy() == pytest.approx(wanted.numpy(), abs=1e-4)
    assert theta[0].item() == pytest.approx(5.0, abs=1e-4)  # no guard: the old task is forgotten
    assert abs(theta[2].item() - 2.0) < 0.05  # a strong one: the new task is not learnt


def test_each_task_counts_once() -> None:
    made = on_line("ewc", [0.0] * 4)
    for task in range(4):
        measured = torch.zeros(4, dtype=torch.float64)
        measured[task] = 1.0
        regularisers.add_importance(made, [measured])
    assert made.state["importance"][0].tolist() == [1, 1, 1, 1]


def test_the_anchor_is_where_the_task_ended() -> None:
    made = learner("scp")
    regularisers.measure_scp(made, 0, 1)
    for anchor, weights in zip(made.state["anchor"], made.parameters, strict=True):
        assert (anchor == weights).all()
        assert anchor.data_ptr() != weights.data_ptr()
    made.parameters[0].data += 1
    assert np.isclose(
        regularisers.penalty(made) / made.strength, float(made.state["importance"][0].sum())
    )
