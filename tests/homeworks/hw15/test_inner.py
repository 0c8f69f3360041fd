"""The inner loop to read and the fast one give the same numbers, those of MAML's paper."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta import inner, methods
from mlspring.homeworks.hw15_meta.models import Conv4
from tests.homeworks.hw15.tools import FIRST_ORDER, INNER, drawn_tasks, gradient

STEPS, RATE = INNER.steps, INNER.rate


@pytest.fixture
def model() -> Conv4:
    torch.manual_seed(0)
    return Conv4(3, 5).double()


@pytest.mark.parametrize("second_order", [True, False])
def test_the_fast_inner_loop_gives_what_the_readable_one_gives(
    second_order: bool, model: Conv4
) -> None:
    tasks = drawn_tasks(3)
    losses, logits = methods.maml(model, tasks, INNER if second_order else FIRST_ORDER)
    expected = inner.maml_losses(model, tasks, STEPS, RATE, second_order)
    assert torch.allclose(losses, expected, rtol=0, atol=1e-10)
    assert logits.shape == (3, 5, 5)
    plain = gradient(expected.mean(), model)
    for name, grad in gradient(losses.mean(), model).items():
        assert torch.allclose(grad, plain[name], rtol=0, atol=1e-9), name
    assert max(grad.abs().max() for grad in plain.values()) > 1e-3


def test_the_second_order_is_another_gradient_than_the_first(model: Conv4) -> None:
    tasks = drawn_tasks(2)
    first, second = (
        gradient(inner.maml_losses(model, tasks, STEPS, RATE, order).mean(), model)["head.weight"]
        for order in (False, True)
    )
    assert (first - second).abs().max() > 1e-4


def test_the_first_order_takes_the_gradient_at_the_adapted_weights(model: Conv4) -> None:
    tasks = drawn_tasks(1)
    support, query, labels = tasks.support[0], tasks.query[0], tasks.labels[0]
    theta = inner.adapt(model, support, torch.arange(5), STEPS, RATE, second_order=False)
    adapted = Conv4(3, 5).double()
    adapted.load_state_dict(theta)
    at_theta = gradient(F.cross_entropy(adapted(query), labels), adapted)
    losses = inner.maml_losses(model, tasks, STEPS, RATE, second_order=False)
    for name, grad in gradient(losses.mean(), model).items():
        assert torch.allclose(grad, at_theta[name], atol=1e-12), name


def test_the_readable_inner_loop_is_torch_s_own_descent(model: Conv4) -> None:
    """The same steps by ``torch.optim.SGD`` on a copy of the network."""
    tasks = drawn_tasks(1)
    support = tasks.support[0]
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    theta = inner.adapt(model, support, torch.arange(5), STEPS, RATE, second_order=False)
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name]), "phi stays as it is"
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss: Tensor = F.cross_entropy(model(support), torch.arange(5))
        loss.backward()
        optimizer.step()
    for name, weight in model.named_parameters():
        assert torch.allclose(theta[name], weight, atol=1e-12), name
