"""SI and RWalk on quadratic losses, whose path integrals are known."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.methods import METHODS, path, regularisers
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner
from mlspring.homeworks.hw14_lifelong.tasks import to_input
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


def test_a_weight_that_raised_the_loss_has_no_importance_except_in_the_notebook() -> None:
    for faithful in (False, True):
        made = on_line("si", [0.0] * 3, f"method.faithful={str(faithful).lower()}")
        made.state["integral"][0].copy_(torch.tensor([-1.0, 2.0, 0.0]))
        path.measure_si(made, 0, 8)
        found = made.state["importance"][0]
        assert found[1] == pytest.approx(20.0)
        assert found[0] == pytest.approx(-10.0 if faithful else 0.0)


@pytest.mark.parametrize("faithful", [False, True])
def test_the_penalty_s_gradient_is_no_part_of_the_path_except_in_the_notebook(
    faithful: bool,
) -> None:
    made = on_line("si", [0.0], f"method.faithful={str(faithful).lower()}", "strength.si=1.0")
    made.state["importance"][0].fill_(3.0)
    made.state["anchor"][0].fill_(-1.0)
    theta = made.parameters[0]
    theta.grad = torch.tensor([-5.0], dtype=torch.float64)
    path.record_before_step(made, 1, 1)
    with_penalty = -5.0 + 2 * 3.0 * 1.0
    assert theta.grad.item() == with_penalty
    theta.data += 0.5
    path.integrate_path(made, 1, 1)
    slope = with_penalty if faithful else -5.0
    assert made.state["integral"][0].item() == pytest.approx(-slope * 0.5)


def test_the_notebook_misses_the_last_step_of_each_task() -> None:
    sums = []
    for faithful in ("false", "true"):
        made = on_line("si", [0.0] * 3, f"method.faithful={faithful}", "train.steps_per_task=4")
        descend(made, 0, range(1, 5))
        sums.append(made.state["integral"][0].sum().item())
    assert sums[0] > sums[1] > 0.7 * sums[0]


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


def test_the_notebook_s_walk_sums_its_own_averages(monkeypatch: pytest.MonkeyPatch) -> None:
    made = on_line("rwalk", [0.0], "method.faithful=true")
    monkeypatch.setattr(
        regularisers, "by_batches", lambda *_, **__: [torch.tensor([10.0]).double()]
    )
    fishers, omega = [], 0.0
    for task in range(3):
        begin = made.state["start"][0].item()
        made.parameters[0].data += 0.5
        made.state["integral"][0].fill_(task + 1.0)
        path.measure_rwalk(made, task, 8 * (task + 1))
        fisher = 0.6 * sum(fishers) + 0.4 * 10.0
        fishers.append(fisher)
        moved = made.parameters[0].item() - begin
        omega = 0.5 * omega + 0.5 * (task + 1.0) / (0.5 * fisher * moved**2 + 0.1)
        assert made.state["importance"][0].item() == pytest.approx(fisher + omega)


def test_the_path_of_a_network_is_noted_in_every_weight() -> None:
    made = learner("si", "train.steps_per_task=5")
    assert [t.shape for t in made.state["integral"]] == [p.shape for p in made.parameters]
    assert all((a == b).all() for a, b in zip(made.state["start"], made.parameters, strict=True))


STEPS, SIZE = 8, 20  # a task, images a step


def batches(made: Learner, stage: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the images and labels of every step of a task, always the same."""
    task = made.stream.tasks[stage]
    for step in range(STEPS):
        part = slice(step * SIZE, (step + 1) * SIZE)
        yield to_input(task.pixels[part]), task.labels[part]


def as_the_notebook(made: Learner, strength: float) -> list[Tensor]:
    """Return the importances after three tasks with the notebook's order of things.

    Forward; loss with the penalty in it; update, which sees the gradient of the step before and
    the weights after it; zero_grad; backward; step. After a task a new object takes over.
    """
    model, damping, walk = made.model, 0.1, made.method == "rwalk"
    weights = list(model.parameters())
    anchor = [p.detach().clone() for p in weights]
    omega, fisher, importance = ([torch.zeros_like(p) for p in weights] for _ in range(3))
    earlier = [torch.zeros_like(p) for p in weights]
    for stage in range(3):
        optimizer = torch.optim.Adam(weights, 0.01)
        path_sum = [torch.zeros_like(p) for p in weights]
        old = [p.detach().clone() for p in weights]
        for images, labels in batches(made, stage):
            moves = zip(importance, weights, anchor, strict=True)
            penalty = sum((g * (p - a) ** 2).sum() for g, p, a in moves)
            loss = F.cross_entropy(model(images), labels) + strength * penalty
            for index, p in enumerate(weights):
                if p.grad is not None:
                    path_sum[index] += -p.grad * (p.detach() - old[index])
                old[index] = p.detach().clone()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if walk:  # one batch, so one squared gradient
            task = made.stream.tasks[stage]
            nll = F.cross_entropy(model(to_input(task.pixels)), task.labels)
            squared = [g**2 for g in torch.autograd.grad(nll, weights)]
            fisher = [0.6 * e + 0.4 * f for e, f in zip(earlier, squared, strict=True)]
            earlier = [e + f for e, f in zip(earlier, fisher, strict=True)]
        for index, p in enumerate(weights):
            squared_move = (p.detach() - anchor[index]) ** 2
            if walk:
                distance = 0.5 * fisher[index] * squared_move + damping
                omega[index] = 0.5 * omega[index] + 0.5 * path_sum[index] / distance
            else:
                omega[index] = omega[index] + path_sum[index] / (squared_move + damping)
            importance[index] = omega[index] + fisher[index]
            anchor[index] = p.detach().clone()
    return importance


@pytest.mark.parametrize(("name", "strength"), [("si", 1.0), ("rwalk", 100.0)])
def test_the_notebook_s_loop_gives_the_importance_of_the_faithful_mode(
    name: str, strength: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("method.faithful=true", f"strength.{name}={strength}", f"train.steps_per_task={STEPS}")
    made, other = (learner(name, *words) for _ in range(2))
    monkeypatch.setattr(regularisers, "NOTEBOOK_BATCH", 1000)
    method = METHODS[name]
    for stage in range(3):
        made.optimizer.state.clear()
        for within, (images, labels) in enumerate(batches(made, stage), start=1):
            step = stage * STEPS + within
            mask = made.stream.masks[stage][stage].expand(SIZE, -1)
            batch = Batch(images=images, labels=labels, mask=mask).with_logits(made.model(images))
            made.optimizer.zero_grad()
            method.loss(made, stage, batch, None).backward()
            method.after_backward(made, stage, step)
            made.optimizer.step()
            method.after_step(made, stage, step)
        method.on_task_end(made, stage, (stage + 1) * STEPS)
    expected = as_the_notebook(other, strength)
    for found, wanted in zip(made.state["importance"], expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-6)
    for mine, theirs in zip(made.parameters, other.parameters, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-6)
