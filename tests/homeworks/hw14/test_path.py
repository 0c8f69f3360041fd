"""SI and RWalk on quadratic losses, whose path integrals are known."""

import pytest
import torch

from mlspring.homeworks.hw14_lifelong.methods import METHODS, path
from mlspring.homeworks.hw14_lifelong.methods.learner import Learner
from tests.homeworks.hw14.test_regularisers import on_line
from tests.tiny.digits import learner

CURVE = torch.tensor([1.0, 4.0, 0.0], dtype=torch.float64)
GOAL = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)


def descend(made: Learner, stage: int, steps: range) -> None:
    """Follow the gradient of sum h (t - c)^2 / 2 with the method's hooks around each step."""
    theta, method = made.parameters[0], METHODS[made.method]
    for step in steps:
        theta.grad = CURVE * (theta.detach() - GOAL)
        method.after_backward(made, stage, step)
        made.optimizer.step()
        method.after_step(made, stage, step)


def loss(theta: torch.Tensor) -> torch.Tensor:
    return CURVE * (theta.detach() - GOAL) ** 2 / 2


def test_the_path_integral_of_a_quadratic_is_the_fall_of_its_loss() -> None:
    made = on_line("si", [0.0] * 3, "train.steps_per_task=3000")
    before = loss(made.parameters[0]).clone()
    descend(made, 0, range(1, 3001))
    fallen = before - loss(made.parameters[0])
    assert made.state["integral"][0].numpy() == pytest.approx(fallen.numpy(), rel=3e-3, abs=1e-9)


def test_si_divides_the_fall_by_the_squared_move() -> None:
    made = on_line("si", [0.0] * 3, "train.steps_per_task=3000")
    descend(made, 0, range(1, 3001))
    gained, end = made.state["integral"][0].clone(), made.parameters[0].detach().clone()
    path.measure_si(made, 0, 3000)
    expected = gained / (end**2 + 0.1)
    torch.testing.assert_close(made.state["importance"][0], expected)
    assert made.state["importance"][0][2] == 0  # it never moved the loss
    assert (made.state["anchor"][0] == end).all()
    assert made.state["integral"][0].eq(0).all()
    path.measure_si(made, 1, 6000)
    torch.testing.assert_close(made.state["importance"][0], expected)  # nothing new, nothing lost


def test_a_weight_that_raised_the_loss_has_no_importance() -> None:
    made = on_line("si", [0.0] * 3)
    made.state["integral"][0].copy_(torch.tensor([-1.0, 2.0, 0.0]))
    path.measure_si(made, 0, 8)
    assert made.state["importance"][0].tolist() == pytest.approx([0.0, 20.0, 0.0])


def test_the_penalty_s_gradient_is_no_part_of_the_path() -> None:
    made = on_line("si", [0.0], "strength.si=1.0")
    made.state["importance"][0].fill_(3.0)
    made.state["anchor"][0].fill_(-1.0)
    theta = made.parameters[0]
    theta.grad = torch.tensor([-5.0], dtype=torch.float64)
    path.record_before_step(made, 1, 1)
    assert theta.grad.item() == -5.0 + 2 * 3.0 * 1.0
    theta.data += 0.5
    path.integrate_path(made, 1, 1)
    assert made.state["integral"][0].item() == pytest.approx(5.0 * 0.5)


def test_every_step_of_a_task_is_a_part_of_the_path() -> None:
    made = on_line("si", [0.0], "train.steps_per_task=4")
    for step in range(1, 5):
        made.parameters[0].grad = torch.tensor([-1.0], dtype=torch.float64)
        path.record_before_step(made, 0, step)
        made.parameters[0].data += 0.1
        path.integrate_path(made, 0, step)
    assert made.state["integral"][0].item() == pytest.approx(0.4)


def test_rwalk_s_fisher_information_is_a_moving_average_of_squared_gradients() -> None:
    made = on_line("rwalk", [0.0], "strength.rwalk=0.0")
    expected = 0.0
    for step, slope in enumerate((1.0, 3.0, -2.0), start=1):
        made.parameters[0].grad = torch.tensor([slope], dtype=torch.float64)
        path.average_fisher(made, 0, step)
        expected = 0.9 * expected + 0.1 * slope**2
    assert made.state["fisher"][0].item() == pytest.approx(expected)


def test_rwalk_scores_each_piece_by_its_fall_a_unit_of_divergence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(path, "INTERVAL", 3)
    made = on_line("rwalk", [0.0, 0.0], "train.steps_per_task=6")
    theta, fisher, scores = made.parameters[0], torch.zeros(2), torch.zeros(2)
    slopes = torch.tensor(
        [[1.0, -1.0], [2.0, -1.0], [1.0, 1.0], [0.5, 1.0], [1.0, 1.0], [1.0, 2.0]]
    )
    moves = -0.1 * slopes
    moves[3:, 1] = 0.3  # against the gradient: the loss rises
    gained, moved = torch.zeros(2), torch.zeros(2)
    for step, (slope, move) in enumerate(zip(slopes, moves, strict=True), start=1):
        theta.grad = slope.double()
        path.average_fisher(made, 0, step)
        theta.data += move
        path.score_pieces(made, 0, step)
        fisher = 0.9 * fisher + 0.1 * slope**2
        gained, moved = gained - slope * move, moved + move
        if step % 3 == 0:
            scores += gained.clamp(min=0) / (0.5 * fisher * moved**2 + 0.1)
            gained, moved = torch.zeros(2), torch.zeros(2)
    assert made.state["task_score"][0].numpy() == pytest.approx(scores.numpy(), rel=1e-5)


def test_rwalk_adds_both_parts_on_one_scale_and_averages_scores_over_tasks() -> None:
    made = on_line("rwalk", [0.0, 0.0])
    made.state["fisher"][0].copy_(torch.tensor([2.0, 8.0]))
    made.state["task_score"][0].copy_(torch.tensor([30.0, 10.0]))
    path.measure_rwalk(made, 0, 8)
    assert made.state["importance"][0].tolist() == pytest.approx([0.25 + 1, 1 + 1 / 3])
    assert made.state["task_score"][0].eq(0).all()  # the next task's score counts from 0
    made.state["task_score"][0].copy_(torch.tensor([0.0, 40.0]))
    path.measure_rwalk(made, 1, 16)
    assert made.state["score"][0].tolist() == [15.0, 25.0]
    assert made.state["importance"][0].tolist() == pytest.approx([0.25 + 0.6, 2.0])


def test_where_nothing_was_gained_rwalk_has_no_importance() -> None:
    made = on_line("rwalk", [0.0, 0.0])
    path.measure_rwalk(made, 0, 8)
    assert made.state["importance"][0].tolist() == [0.0, 0.0]


def test_the_path_of_a_network_is_noted_in_every_weight() -> None:
    made = learner("si", "train.steps_per_task=5")
    assert [t.shape for t in made.state["integral"]] == [p.shape for p in made.parameters]
    assert all((a == b).all() for a, b in zip(made.state["anchor"], made.parameters, strict=True))
