"""The methods of homework 15 against finite differences, a plain loop over tasks, closed forms."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta import methods
from mlspring.homeworks.hw15_meta.methods import METHODS, Inner
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.tasks import Tasks

INNER = Inner(steps=2, rate=0.05, norm="query")
NUM_TASKS = 3


@pytest.fixture
def model() -> Conv4:
    torch.manual_seed(0)
    return Conv4(3, 5).double()


@pytest.fixture
def tasks() -> Tasks:
    stream = torch.Generator().manual_seed(1)
    images = torch.rand(2, NUM_TASKS, 5, 28, 28, generator=stream, dtype=torch.float64)
    labels = torch.stack([torch.randperm(5, generator=stream) for _ in range(NUM_TASKS)])
    return Tasks(support=images[0], query=images[1], labels=labels)


def gradient(objective: Tensor, model: Conv4) -> dict[str, Tensor]:
    names, weights = zip(*model.named_parameters(), strict=True)
    slopes = torch.autograd.grad(objective, weights, materialize_grads=True)
    return dict(zip(names, slopes, strict=True))


def moved(model: Conv4, direction: dict[str, Tensor], size: float) -> None:
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.add_(direction[name], alpha=size)


@pytest.mark.parametrize("norm", ["query", "support"])
@pytest.mark.parametrize("name", ["maml", "anil", "protonet", "transfer"])
def test_the_gradient_is_that_of_finite_differences(
    name: str, norm: str, model: Conv4, tasks: Tasks
) -> None:
    """Also the second order: what is differenced is the query's loss after the inner loop."""
    inner = Inner(steps=2, rate=0.05, norm=norm)

    def objective() -> Tensor:
        return METHODS[name].learn(model, tasks, inner)[0].mean()

    slopes = gradient(objective(), model)
    stream = torch.Generator().manual_seed(2)
    for _ in range(3):
        direction = {
            n: torch.randn(p.shape, generator=stream, dtype=torch.float64)
            for n, p in model.named_parameters()
        }
        size = 1e-8  # larger ones cross kinks of ReLU and pooling
        moved(model, direction, size)
        above = objective().item()
        moved(model, direction, -2 * size)
        below = objective().item()
        moved(model, direction, size)
        expected = sum((slopes[n] * direction[n]).sum().item() for n in slopes)
        assert (above - below) / (2 * size) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("second_order", [True, False])
def test_all_tasks_at_once_are_the_plain_loop_over_tasks(
    second_order: bool, model: Conv4, tasks: Tasks
) -> None:
    learn = METHODS["maml" if second_order else "fomaml"].learn
    losses, _ = learn(model, tasks, INNER)
    found = gradient(losses.mean(), model)

    weights = model.own()
    total: dict[str, Tensor] = {name: torch.zeros_like(w) for name, w in weights.items()}
    for task in range(NUM_TASKS):
        alone = tasks[task : task + 1]

        def loss(w: dict[str, Tensor], images: Tensor, labels: Tensor) -> Tensor:
            return F.cross_entropy(model.logits(w, model.features(w, images))[0], labels[0])

        fast = dict(weights)
        for _ in range(INNER.steps):
            slopes = torch.func.grad(loss)(fast, alone.support, torch.arange(5)[None])
            if not second_order:
                slopes = {name: slope.detach() for name, slope in slopes.items()}
            fast = {name: weight - INNER.rate * slopes[name] for name, weight in fast.items()}
        query_loss = loss(fast, alone.query, alone.labels)
        assert losses[task].item() == pytest.approx(query_loss.item())
        for name, slope in gradient(query_loss / NUM_TASKS, model).items():
            total[name] += slope
    for name, slope in total.items():
        assert torch.allclose(found[name], slope, atol=1e-10), name


def test_the_first_order_takes_the_gradient_at_the_adapted_weights(
    model: Conv4, tasks: Tasks
) -> None:
    losses, _ = METHODS["fomaml"].learn(model, tasks, INNER)
    found = gradient(losses.sum(), model)
    labels = methods.classes_of(tasks.support)
    fast = methods.adapt(model, model.own(), tasks.support, labels, INNER, graph=False)
    fast = {name: weight.detach().requires_grad_() for name, weight in fast.items()}
    logits = model.logits(fast, model.features(fast, tasks.query))
    loss = methods.losses_of(logits, tasks.labels).sum()
    for name, slope in zip(fast, torch.autograd.grad(loss, list(fast.values())), strict=True):
        assert torch.allclose(found[name], slope.sum(0), atol=1e-12), name


def test_reptile_s_gradient_is_the_way_that_the_inner_loop_went(model: Conv4, tasks: Tasks) -> None:
    objective, _ = METHODS["reptile"].learn(model, tasks, INNER)
    found = gradient(objective.mean(), model)
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((methods.classes_of(tasks.support), tasks.labels), 1)
    ends = methods.adapt(model, model.own(), images, labels, INNER, graph=False)
    for name, weight in model.named_parameters():
        way = weight - ends[name].mean(0)
        assert way.abs().max() > 1e-6 or "convs" in name, "batch norm takes a bias away"
        assert torch.allclose(found[name], way, atol=1e-12), name


def test_anil_moves_the_linear_layer_only(model: Conv4, tasks: Tasks) -> None:
    features = model.features(model.own(), tasks.support)
    labels = methods.classes_of(tasks.support)
    fast = methods.adapt_head(model, model.own(), features, labels, INNER, graph=True)
    assert fast["head.weight"].shape == (NUM_TASKS, 5, 3)
    for name, weight in model.own().items():
        if not name.startswith("head."):
            assert fast[name] is weight


def test_the_inner_loop_is_gradient_descent_by_hand(model: Conv4) -> None:
    """A linear layer on one feature, two classes' worth of numbers: one step of softmax's slope."""
    weights = {"head.weight": torch.zeros(5, 3), "head.bias": torch.zeros(5)}
    features = torch.eye(3)[None, :1].repeat(1, 5, 1)  # all images alike: first feature 1
    inner = Inner(steps=1, rate=1.0, norm="query")
    start = {name: weight.requires_grad_() for name, weight in weights.items()}
    fast = methods.adapt_head(model, start, features, torch.arange(5)[None], inner, graph=False)
    # mean over images of (softmax - one-hot) = 0.2 - 0.2 for each class: nothing moves
    assert fast["head.weight"].abs().max() < 1e-7
    labels = torch.zeros(1, 5, dtype=torch.int64)
    fast = methods.adapt_head(model, start, features, labels, inner, graph=False)
    expected = torch.tensor([0.8, -0.2, -0.2, -0.2, -0.2])
    assert torch.allclose(fast["head.weight"][0, :, 0], expected)
    assert torch.allclose(fast["head.bias"][0], expected)


def test_a_task_s_loss_is_the_mean_cross_entropy_of_its_images() -> None:
    logits = torch.zeros(2, 3, 5)
    logits[1, :, 2] = 10.0
    labels = torch.tensor([[0, 1, 2], [2, 2, 2]])
    losses = methods.losses_of(logits, labels)
    assert losses[0].item() == pytest.approx(math.log(5))
    assert losses[1].item() == pytest.approx(math.log(1 + 4 * math.exp(-10)), abs=1e-6)


def test_a_prototype_is_the_support_image_s_feature(model: Conv4, tasks: Tasks) -> None:
    logits = methods.answer_protonet(model, model.own(), tasks.support, tasks.support, INNER)
    assert logits.shape == (NUM_TASKS, 5, 5)
    assert torch.diagonal(logits, dim1=1, dim2=2).abs().max() < 1e-6
    assert (logits.argmax(2) == torch.arange(5)).all()


@pytest.mark.parametrize("name", sorted(METHODS))
def test_answers_leave_the_network_as_it_is(name: str, model: Conv4, tasks: Tasks) -> None:
    before = {n: w.clone() for n, w in model.named_parameters()}
    logits = METHODS[name].answer(model, model.own(), tasks.support, tasks.query, INNER)
    assert logits.shape == (NUM_TASKS, 5, 5)
    for n, weight in model.named_parameters():
        assert torch.equal(weight, before[n])
        assert weight.grad is None


@pytest.mark.parametrize("name", sorted(METHODS))
def test_with_the_support_s_statistics_each_query_is_answered_on_its_own(
    name: str, model: Conv4, tasks: Tasks
) -> None:
    inner = Inner(steps=2, rate=0.05, norm="support")
    whole = METHODS[name].answer(model, model.own(), tasks.support, tasks.query, inner)
    for place in range(5):
        one = tasks.query[:, place : place + 1]
        alone = METHODS[name].answer(model, model.own(), tasks.support, one, inner)
        assert torch.allclose(alone[:, 0], whole[:, place], atol=1e-5)


def test_more_inner_steps_lower_the_support_s_loss(model: Conv4, tasks: Tasks) -> None:
    labels = methods.classes_of(tasks.support)
    losses = []
    for steps in (0, 2, 6):
        inner = Inner(steps=steps, rate=0.05, norm="query")
        fast = methods.adapt(model, model.own(), tasks.support, labels, inner, graph=False)
        logits = model.logits(fast, model.features(fast, tasks.support))
        losses.append(methods.losses_of(logits, labels).sum().item())
    assert losses[0] > losses[1] > losses[2]
