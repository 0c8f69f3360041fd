"""The methods of homework 15 against finite differences and closed forms."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw15_meta import fast, methods, train
from mlspring.homeworks.hw15_meta.methods import METHODS, Learner
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.recipe import InnerLoop, MethodName, Norm, Recipe
from mlspring.homeworks.hw15_meta.spec import SPEC
from mlspring.homeworks.hw15_meta.tasks import Tasks, support_labels
from tests.homeworks.hw15.tools import FIRST_ORDER, INNER, drawn_tasks, gradient

NUM_TASKS = 3
NAMES: tuple[MethodName, ...] = ("transfer", "fomaml", "maml", "anil", "reptile", "protonet")


@pytest.fixture
def model() -> Conv4:
    torch.manual_seed(0)
    return Conv4(3, 5).double()


@pytest.fixture
def tasks() -> Tasks:
    return drawn_tasks(NUM_TASKS)


def moved(model: Conv4, direction: dict[str, Tensor], size: float) -> None:
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.add_(direction[name], alpha=size)


def grads_agree(learner: Learner, tasks: Tasks) -> None:
    """Fail unless the gradient is that of finite differences, in three random directions."""

    def objective() -> Tensor:
        losses: Tensor = learner(tasks)[0]
        return losses.mean()

    model = learner.model
    grads = gradient(objective(), model)
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
        expected = sum((grads[n] * direction[n]).sum().item() for n in grads)
        assert (above - below) / (2 * size) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("norm", ["query", "support"])
@pytest.mark.parametrize("name", ["maml", "anil", "protonet", "transfer"])
def test_the_gradient_is_that_of_finite_differences(
    name: MethodName, norm: Norm, model: Conv4, tasks: Tasks
) -> None:
    """Also the second order: what is differenced is the query's loss after the inner loop."""
    grads_agree(Learner(model, replace(INNER, method=name, norm=norm)), tasks)


@pytest.mark.parametrize("name", ["maml", "anil"])
def test_learnt_rates_have_their_gradients(name: MethodName, tasks: Tasks) -> None:
    torch.manual_seed(0)
    model = Conv4(3, 5, rates=(0.05, 0.02)).double()
    learner = Learner(model, replace(INNER, method=name, rate=9.0))
    grads_agree(learner, tasks)
    grads = gradient(learner(tasks)[0].mean(), model)["rates"]
    assert grads[:, -1].abs().min() > 0, "the linear layer's rate of each step"
    assert (grads[:, :-1].abs().min() > 0) == (name == "maml")


@pytest.mark.parametrize("inner", [FIRST_ORDER, INNER, replace(INNER, method="anil")])
def test_learnt_rates_that_are_all_the_same_are_the_one_rate(
    inner: InnerLoop, model: Conv4, tasks: Tasks
) -> None:
    learning = Conv4(3, 5, rates=(0.05, 0.05)).double()
    learning.load_state_dict(model.state_dict(), strict=False)
    first, second = (methods.maml(m, tasks, inner)[1] for m in (model, learning))
    assert torch.allclose(first, second, atol=1e-12)
    more = replace(inner, steps=4, second_order=False)
    first, second = (
        methods.fine_tuned(m, tasks.support, tasks.query, more) for m in (model, learning)
    )
    assert torch.allclose(first, second, atol=1e-12), "further steps take the last rate"


def test_a_learnt_rate_is_its_step_s_and_its_layer_s() -> None:
    rates = torch.arange(10.0).view(2, 5)
    assert fast.rate_of(rates, "convs.2.weight", 0) == 2
    assert fast.rate_of(rates, "norms.3.bias", 1) == 8
    assert fast.rate_of(rates, "head.weight", 7) == 9


def test_reptile_s_gradient_is_the_path_of_the_inner_loop(model: Conv4, tasks: Tasks) -> None:
    found = gradient(methods.reptile(model, tasks, FIRST_ORDER)[0].mean(), model)
    images = torch.cat((tasks.support, tasks.query), 1)
    labels = torch.cat((support_labels(tasks.support), tasks.labels), 1)
    theta = fast.adapt(model.phi(), images, labels, FIRST_ORDER)
    for name, weight in model.named_parameters():
        path = weight - theta[name].mean(0)
        assert path.abs().max() > 1e-6 or "convs" in name, "batch norm takes a bias away"
        assert torch.allclose(found[name], path, atol=1e-12), name


def test_transfer_s_logits_are_those_of_the_queries(model: Conv4, tasks: Tasks) -> None:
    losses, logits = methods.transfer(model, tasks, INNER)
    for task in range(NUM_TASKS):
        both = model(torch.cat((tasks.support[task], tasks.query[task])))
        labels = torch.cat((torch.arange(5), tasks.labels[task]))
        assert losses[task].item() == pytest.approx(F.cross_entropy(both, labels).item())
        assert torch.allclose(logits[task], both[5:], atol=1e-9)


def test_anil_moves_the_linear_layer_only(model: Conv4, tasks: Tasks) -> None:
    phi, inner = model.phi(), replace(INNER, method="anil")
    theta = fast.adapt(phi, tasks.support, support_labels(tasks.support), inner)
    assert theta["head.weight"].shape == (NUM_TASKS, 5, 3)
    for name, weight in phi.items():
        if not name.startswith("head."):
            assert theta[name] is weight


def test_the_inner_loop_is_gradient_descent_by_hand(model: Conv4) -> None:
    """From a linear layer of zeros, one step goes along one-hot - softmax, averaged over images."""
    phi = model.phi() | {
        name: torch.zeros_like(model.phi()[name]).requires_grad_()
        for name in ("head.weight", "head.bias")
    }
    once = replace(INNER, method="anil", steps=1, rate=1.0, second_order=False)
    alike = torch.rand(28, 28, dtype=torch.float64).expand(1, 5, 28, 28)
    theta = fast.adapt(phi, alike, torch.arange(5)[None], once)
    assert theta["head.bias"].abs().max() < 1e-12, "0.2 - 0.2 for each class: nothing moves"
    theta = fast.adapt(phi, alike, torch.zeros(1, 5, dtype=torch.int64), once)
    expected = torch.tensor([0.8, -0.2, -0.2, -0.2, -0.2], dtype=torch.float64)
    assert torch.allclose(theta["head.bias"][0], expected)
    seen = fast.features(phi, alike)[0, 0]
    assert torch.allclose(theta["head.weight"][0], expected[:, None] * seen)


def test_a_task_s_loss_is_the_mean_cross_entropy_of_its_images() -> None:
    logits = torch.zeros(2, 3, 5)
    logits[1, :, 2] = 10.0
    losses = fast.losses_of(logits, torch.tensor([[0, 1, 2], [2, 2, 2]]))
    assert losses[0].item() == pytest.approx(math.log(5))
    assert losses[1].item() == pytest.approx(math.log(1 + 4 * math.exp(-10)), abs=1e-6)


def test_a_prototype_is_the_support_image_s_feature(model: Conv4, tasks: Tasks) -> None:
    logits = methods.nearest_prototype(model, tasks.support, tasks.support, INNER)
    assert logits.shape == (NUM_TASKS, 5, 5)
    assert torch.diagonal(logits, dim1=1, dim2=2).abs().max() < 1e-6
    assert (logits.argmax(2) == torch.arange(5)).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_of_a_method_s_network_learns_but_biases_that_batch_norm_takes_away(
    name: MethodName, tasks: Tasks
) -> None:
    """So a prototypical network has no linear layer that nothing uses."""
    path = SPEC.folder / "recipes" / "world" / "strong.toml"
    knobs = load_recipe(Recipe, path, [f"method.name={name}"]).method
    torch.manual_seed(0)
    model = train.new_model(3, knobs).double()
    second_order = name in ("maml", "anil")
    losses, _ = Learner(model, replace(INNER, method=name, second_order=second_order))(tasks)
    for weight, grad in gradient(losses.mean(), model).items():
        is_idle = weight.startswith("convs") and weight.endswith("bias")
        assert (grad.abs().max() > 0) != is_idle, weight


@pytest.mark.parametrize("name", NAMES)
def test_answers_leave_the_network_as_it_is(name: MethodName, model: Conv4, tasks: Tasks) -> None:
    before = {n: w.clone() for n, w in model.named_parameters()}
    inner = replace(FIRST_ORDER, method=name)
    logits = METHODS[name].answer(model, tasks.support, tasks.query, inner)
    assert logits.shape == (NUM_TASKS, 5, 5)
    for n, weight in model.named_parameters():
        assert torch.equal(weight, before[n])
        assert weight.grad is None


@pytest.mark.parametrize("name", NAMES)
def test_with_the_support_s_statistics_each_query_is_answered_on_its_own(
    name: MethodName, model: Conv4, tasks: Tasks
) -> None:
    inner = replace(FIRST_ORDER, method=name, norm="support")
    answer = METHODS[name].answer
    whole = answer(model, tasks.support, tasks.query, inner)
    for place in range(5):
        alone = answer(model, tasks.support, tasks.query[:, place : place + 1], inner)
        assert torch.allclose(alone[:, 0], whole[:, place], atol=1e-5)
