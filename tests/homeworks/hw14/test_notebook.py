"""The notebook's importance, faults included: against its formulas and its own order of things."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.notebooks import importance_hw14 as notebook
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from mlspring.kit.seeding import generator
from tests.homeworks.hw14.test_regularisers import on_line
from tests.tiny.digits import learner

STEPS, SIZE = 8, 20  # a task, images a step


@pytest.fixture(autouse=True)
def notebook_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let learners compute as the notebook does."""
    for name, method in notebook.NOTEBOOK.items():
        monkeypatch.setitem(METHODS, name, method)


def test_earlier_tasks_count_again_and_again() -> None:
    made = on_line("ewc", [0.0] * 4)
    for task in range(4):
        measured = torch.zeros(4, dtype=torch.float64)
        measured[task] = 1.0
        notebook.add_importance(made, [measured])
    assert made.state["importance"][0].tolist() == [4, 2, 1, 1]


def test_ewc_squares_the_gradient_of_a_batch() -> None:
    made = learner("ewc")
    METHODS["ewc"].on_task_end(made, 0, 1)
    batches = list(notebook.batches(made, 0))
    assert [len(images) for images, _ in batches] == [128, 72]
    sums = [torch.zeros_like(p) for p in made.parameters]
    for images, labels in batches:
        loss = F.cross_entropy(made.model(images), labels)
        for total, gradient in zip(sums, torch.autograd.grad(loss, made.parameters), strict=True):
            total.add_(gradient.square() / 2)
    for mine, reference in zip(made.state["importance"], sums, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-10)


def test_scp_averages_slices_before_it_squares() -> None:
    """Of every batch: the gradient along the mean of 100 directions of length 1, drawn anew."""
    made = learner("scp")
    METHODS["scp"].on_task_end(made, 0, 1)
    draws = generator(made.seed, "slices", 0)
    expected = [torch.zeros_like(p) for p in made.parameters]
    for images, _ in notebook.batches(made, 0):
        slices = torch.randn(100, 10, generator=draws)
        direction = (slices / slices.norm(dim=1, keepdim=True)).mean(0)
        outputs = made.model(images).mean(0)
        along = [torch.zeros_like(p) for p in made.parameters]
        for k in range(10):  # the gradient of a sum, output by output
            rows = torch.autograd.grad(outputs[k], made.parameters, retain_graph=True)
            for total, row in zip(along, rows, strict=True):
                total.add_(direction[k] * row)
        for total, gradient in zip(expected, along, strict=True):
            total.add_(gradient.square() / 2)  # the mean of two batches
    for mine, reference in zip(made.state["importance"], expected, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-3, atol=1e-9)


def test_the_fisher_information_of_batches_is_far_too_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, objective = learner("ewc"), notebook.true_log_likelihood
    per_batch = notebook.by_batches(made, 0, objective, power=2)
    monkeypatch.setattr(notebook, "BATCH", 1)
    per_image = notebook.by_batches(made, 0, objective, power=2)
    large, small = (sum(float(t.sum()) for t in ts) for ts in (per_image, per_batch))
    assert large > 5 * small


def test_a_weight_that_raised_the_loss_has_a_negative_importance() -> None:
    made = on_line("si", [0.0] * 3)
    made.state["integral"][0].copy_(torch.tensor([-1.0, 2.0, 0.0]))
    METHODS["si"].on_task_end(made, 0, 8)
    assert made.state["importance"][0].tolist() == pytest.approx([-10.0, 20.0, 0.0])


def test_the_penalty_s_gradient_is_a_part_of_the_path() -> None:
    made = on_line("si", [0.0], "strength.si=1.0")
    made.state["importance"][0].fill_(3.0)
    made.state["anchor"][0].fill_(-1.0)
    theta = made.parameters[0]
    theta.grad = torch.tensor([-5.0], dtype=torch.float64)
    METHODS["si"].after_backward(made, 1, 1)
    with_penalty = -5.0 + 2 * 3.0 * 1.0
    assert theta.grad.item() == with_penalty
    theta.data += 0.5
    METHODS["si"].after_step(made, 1, 1)
    assert made.state["integral"][0].item() == pytest.approx(-with_penalty * 0.5)


def test_the_last_step_of_a_task_is_missed() -> None:
    made = on_line("si", [0.0], "train.steps_per_task=4")
    for step in range(1, 5):
        made.parameters[0].grad = torch.tensor([-1.0], dtype=torch.float64)
        METHODS["si"].after_backward(made, 0, step)
        made.parameters[0].data += 0.1
        METHODS["si"].after_step(made, 0, step)
    assert made.state["integral"][0].item() == pytest.approx(0.3)


def test_the_walk_sums_its_own_averages(monkeypatch: pytest.MonkeyPatch) -> None:
    made = on_line("rwalk", [0.0])
    monkeypatch.setattr(notebook, "by_batches", lambda *_, **__: [torch.tensor([10.0]).double()])
    fishers, omega = [], 0.0
    for task in range(3):
        begin = made.state["anchor"][0].item()
        made.parameters[0].data += 0.5
        made.state["integral"][0].fill_(task + 1.0)
        METHODS["rwalk"].on_task_end(made, task, 8 * (task + 1))
        fisher = 0.6 * sum(fishers) + 0.4 * 10.0
        fishers.append(fisher)
        moved = made.parameters[0].item() - begin
        omega = 0.5 * omega + 0.5 * (task + 1.0) / (0.5 * fisher * moved**2 + 0.1)
        assert made.state["importance"][0].item() == pytest.approx(fisher + omega)


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
def test_the_notebook_s_loop_gives_the_same_importance_and_weights(
    name: str, strength: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (f"strength.{name}={strength}", f"train.steps_per_task={STEPS}")
    made, other = (learner(name, *words) for _ in range(2))
    monkeypatch.setattr(notebook, "BATCH", 1000)
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
