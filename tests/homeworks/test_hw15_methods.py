"""The methods of homework 15 against finite differences, a plain loop over tasks, closed forms."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw15_meta import inner as loop
from mlspring.homeworks.hw15_meta import methods
from mlspring.homeworks.hw15_meta.inner import Inner
from mlspring.homeworks.hw15_meta.methods import METHODS
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.spec import SPEC
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


def slopes_agree(model: Conv4, objective: Callable[[], Tensor]) -> None:
    """Fail unless the gradient is that of finite differences, in three random directions."""
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


@pytest.mark.parametrize("norm", ["query", "support"])
@pytest.mark.parametrize("name", ["maml", "anil", "protonet", "transfer"])
def test_the_gradient_is_that_of_finite_differences(
    name: str, norm: str, model: Conv4, tasks: Tasks
) -> None:
    """Also the second order: what is differenced is the query's loss after the inner loop."""
    inner = Inner(steps=2, rate=0.05, norm=norm)

    def objective() -> Tensor:
        return METHODS[name].learn(model, tasks, inner)[0].mean()

    slopes_agree(model, objective)


@pytest.mark.parametrize("name", ["maml", "anil"])
def test_learnt_rates_and_early_losses_have_their_gradients(name: str, tasks: Tasks) -> None:
    torch.manual_seed(0)
    model = Conv4(3, 5, rates=(0.05, 0.02)).double()
    inner = Inner(steps=2, rate=9.0, norm="query", early=0.5)

    def objective() -> Tensor:
        return METHODS[name].learn(model, tasks, inner)[0].mean()

    slopes_agree(model, objective)
    slopes = gradient(objective(), model)["rates"]
    assert slopes[:, -1].abs().min() > 0, "the linear layer's rate of each step"
    assert (slopes[:, :-1].abs().min() > 0) == (name == "maml")


@pytest.mark.parametrize("name", ["fomaml", "maml", "anil"])
def test_learnt_rates_that_are_all_the_same_are_the_one_rate(
    name: str, model: Conv4, tasks: Tasks
) -> None:
    learning = Conv4(3, 5, rates=(0.05, 0.05)).double()
    learning.load_state_dict(model.state_dict(), strict=False)
    first, second = (METHODS[name].learn(m, tasks, INNER)[1] for m in (model, learning))
    assert torch.allclose(first, second, atol=1e-12)
    more = Inner(steps=4, rate=0.05, norm="query")
    first, second = (
        METHODS[name].answer(m, m.own(), tasks.support, tasks.query, more)
        for m in (model, learning)
    )
    assert torch.allclose(first, second, atol=1e-12), "further steps take the last rate"


def test_a_learnt_rate_is_its_step_s_and_its_layer_s() -> None:
    rates = torch.arange(10.0).view(2, 5)
    assert loop.learnt_rate(rates, "convs.2.weight", 0) == 2
    assert loop.learnt_rate(rates, "norms.3.bias", 1) == 8
    assert loop.learnt_rate(rates, "head.weight", 7) == 9


def test_early_losses_count_their_share(model: Conv4, tasks: Tasks) -> None:
    def loss(steps: int, early: float) -> Tensor:
        inner = Inner(steps=steps, rate=0.05, norm="query", early=early)
        return METHODS["maml"].learn(model, tasks, inner)[0]

    each = [loss(steps, 0.0) for steps in (1, 2, 3)]
    assert torch.allclose(loss(3, 1.0), sum(each) / 3)
    assert torch.allclose(loss(3, 0.6), 0.2 * each[0] + 0.2 * each[1] + 0.6 * each[2])
    assert torch.allclose(loss(1, 1.0), each[0])


def test_training_goes_from_first_order_and_early_losses_to_the_second_and_the_last() -> None:
    path = SPEC.folder / "recipes" / "world" / "strong.toml"
    sets = ["method.first_order_steps=3", "method.early_steps=4", "method.inner_steps=2"]
    knobs = load_recipe(Recipe, path, sets).method
    made = [methods.inner_of(knobs, "query", step) for step in range(1, 7)]
    assert [inner.order for inner in made] == [1, 1, 1, 2, 2, 2]
    assert [inner.early for inner in made] == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]


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
    labels = loop.classes_of(tasks.support)
    fast = loop.adapt(model, model.own(), tasks.support, labels, INNER, graph=False)[-1]
    fast = {name: weight.detach().requires_grad_() for name, weight in fast.items()}
    logits = model.logits(fast, model.features(fast, tasks.query))
    loss = loop.losses_of(logits, tasks.labels).sum()
    for name, slope in zip(fast, torch.autograd.grad(loss, list(fast.values())), strict=True):
        assert torch.allclose(found[name], slope.sum(0), atol=1e-12), name


def test_reptile_s_gradient_is_the_way_that_the_inner_loop_went(model: Conv4, tasks: Tasks) -> None:
    objective, _ = METHODS["reptile"].learn(model, tasks, INNER)
    found = gradient(objective.mean(), model)
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((loop.classes_of(tasks.support), tasks.labels), 1)
    ends = loop.adapt(model, model.own(), images, labels, INNER, graph=False)[-1]
    for name, weight in model.named_parameters():
        way = weight - ends[name].mean(0)
        assert way.abs().max() > 1e-6 or "convs" in name, "batch norm takes a bias away"
        assert torch.allclose(found[name], way, atol=1e-12), name


def test_anil_moves_the_linear_layer_only(model: Conv4, tasks: Tasks) -> None:
    features = model.features(model.own(), tasks.support)
    labels = loop.classes_of(tasks.support)
    fast = loop.adapt_head(model, model.own(), features, labels, INNER, graph=True)[-1]
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
    fast = loop.adapt_head(model, start, features, torch.arange(5)[None], inner, graph=False)[-1]
    # mean over images of (softmax - one-hot) = 0.2 - 0.2 for each class: nothing moves
    assert fast["head.weight"].abs().max() < 1e-7
    labels = torch.zeros(1, 5, dtype=torch.int64)
    fast = loop.adapt_head(model, start, features, labels, inner, graph=False)[-1]
    expected = torch.tensor([0.8, -0.2, -0.2, -0.2, -0.2])
    assert torch.allclose(fast["head.weight"][0, :, 0], expected)
    assert torch.allclose(fast["head.bias"][0], expected)


def test_a_task_s_loss_is_the_mean_cross_entropy_of_its_images() -> None:
    logits = torch.zeros(2, 3, 5)
    logits[1, :, 2] = 10.0
    labels = torch.tensor([[0, 1, 2], [2, 2, 2]])
    losses = loop.losses_of(logits, labels)
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
    labels = loop.classes_of(tasks.support)
    losses = []
    for steps in (0, 2, 6):
        inner = Inner(steps=steps, rate=0.05, norm="query")
        fast = loop.adapt(model, model.own(), tasks.support, labels, inner, graph=False)[-1]
        logits = model.logits(fast, model.features(fast, tasks.support))
        losses.append(loop.losses_of(logits, labels).sum().item())
    assert losses[0] > losses[1] > losses[2]
