"""Losses of the policy gradients: against finite differences, and by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from mlspring.homeworks.hw12_lander import models
from mlspring.homeworks.hw12_lander.methods import a2c, ppo, reinforce
from mlspring.homeworks.hw12_lander.methods.ppo import Batch
from mlspring.homeworks.hw12_lander.models import PolicyNetwork
from mlspring.homeworks.hw12_lander.recipe import Recipe
from tests.homeworks.hw12.cases import LEVELS, network, recipe, slopes, steps

ALONE = ("method.value_weight=0.0", "method.entropy_weight=0.0")  # the policy's loss


def loss_of(model: models.Network, batch: Batch, made: Recipe) -> Tensor:
    """Return the loss of a policy-gradient method."""
    if isinstance(model, PolicyNetwork):
        logits = model(batch.observations)
        return reinforce.loss_of(logits, batch.actions, batch.advantages, made.method)[0]
    logits, values = model(batch.observations)
    if made.method.name == "ppo":
        return ppo.loss_of(logits, values, batch, made.method)[0]
    given = (batch.actions, batch.advantages, batch.targets)
    return a2c.loss_of(logits, values, *given, made.method)[0]


@pytest.mark.parametrize("name", LEVELS)
def test_policy_gradients_are_those_of_the_loss(name: str) -> None:
    made = recipe(name, "method.entropy_weight=0.1")
    model, batch = network(made), steps()
    by_gradient, by_difference = slopes(model, lambda: loss_of(model, batch, made))
    assert any(by_gradient)
    assert by_difference == pytest.approx(by_gradient, rel=1e-4, abs=1e-7)


def test_reinforce_by_hand() -> None:
    """Equal logits: every action has probability 1/4, the loss is ln 4 times the mean A."""
    made = recipe("simple")
    model, batch = network(made), steps()
    assert isinstance(model, PolicyNetwork)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
    logits = model(batch.observations)
    loss, entropy = reinforce.loss_of(logits, batch.actions, batch.advantages, made.method)
    assert loss.item() == pytest.approx(np.log(4) * batch.advantages.mean().item())
    assert entropy.item() == pytest.approx(np.log(4))
    loss.backward()
    for action in range(4):
        gradient = batch.advantages * (0.25 - (batch.actions == action).double())
        assert model.head.bias.grad[action].item() == pytest.approx(gradient.mean().item())


def test_the_parts_of_a_loss_have_their_weights() -> None:
    made = recipe("medium", "method.value_weight=3.0", "method.entropy_weight=0.5")
    model, batch = network(made), steps()
    logits, values = model(batch.observations)
    given = (batch.actions, batch.advantages, batch.targets)
    loss, value_loss, entropy = a2c.loss_of(logits, values, *given, made.method)
    every = logits.log_softmax(1)
    assert entropy.item() == pytest.approx(-(every.exp() * every).sum(1).mean().item())
    assert value_loss.item() == pytest.approx(((values - batch.targets) ** 2).mean().item())
    chosen = every[torch.arange(12), batch.actions]
    policy_loss = -(chosen * batch.advantages).mean()
    expected = policy_loss + 3.0 * value_loss - 0.5 * entropy
    assert loss.item() == pytest.approx(expected.item())


def test_ppo_begins_as_the_policy_gradient() -> None:
    """Where nothing moved yet every ratio is 1, and so is the factor of each gradient."""
    plain, clipped = recipe("medium", *ALONE), recipe("boss", *ALONE)
    model, batch = network(plain), steps()
    with torch.no_grad():
        every = torch.log_softmax(model(batch.observations)[0], 1)
    batch = replace(batch, log_probs=every.gather(1, batch.actions[:, None]).squeeze(1))
    grads = []
    for made in (plain, clipped):
        model.zero_grad()
        loss_of(model, batch, made).backward()
        grads.append(torch.cat([p.grad.flatten() for p in model.body.parameters()]))
    assert grads[0].abs().sum() > 0
    assert torch.allclose(*grads, rtol=1e-6)


@pytest.mark.parametrize(
    ("shift", "advantage", "moves"),
    [(0.5, 1.0, False), (0.5, -1.0, True), (-0.5, 1.0, True), (-0.5, -1.0, False)],
)
def test_ppo_stops_at_the_clip_only_where_it_would_gain(
    shift: float, advantage: float, moves: bool
) -> None:
    """A probability e^shift times the old one: good actions stop above, bad ones below."""
    made = recipe("boss", *ALONE)
    model, batch = network(made), steps(num=1)
    with torch.no_grad():
        every = torch.log_softmax(model(batch.observations)[0], 1)
    now = every.gather(1, batch.actions[:, None]).squeeze(1)
    batch = replace(batch, log_probs=now - shift, advantages=torch.tensor([advantage]).double())
    loss_of(model, batch, made).backward()
    assert bool(model.head.weight.grad.abs().sum() > 0) is moves
    model.zero_grad()
    wider = recipe("boss", *ALONE, "method.clip_ratio=0.7")  # e^0.5 = 1.65, e^-0.5 = 0.61
    loss_of(model, batch, wider).backward()
    assert model.head.weight.grad.abs().sum() > 0
