"""Losses: gradients against finite differences, and what each method promises."""

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from mlspring.homeworks.hw12_lander.methods.action_values import Memory, Transitions
from mlspring.homeworks.hw12_lander.methods.policy_gradient import Items
from torch import Tensor

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw12_lander import models
from mlspring.homeworks.hw12_lander.methods import action_values, policy_gradient
from mlspring.homeworks.hw12_lander.models import Agent
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import Round, blank
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.kit import device

WORLD = SPEC.folder / "recipes" / "world"
HARDWARE = device.choose("cpu", "fp32", work="dense")
NAMES = ("simple", "medium", "strong", "boss")


def recipe(name: str, *overrides: str) -> Recipe:
    return load_recipe(Recipe, WORLD / f"{name}.toml", ("model.hidden=[6, 5]", *overrides))


def agent(made: Recipe, seed: int = 0) -> Agent:
    """Return a network in float64 whose last layer is not small."""
    torch.manual_seed(seed)
    model = models.build(made.model).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def items(seed: int = 0, num: int = 12) -> Items:
    stream = torch.Generator().manual_seed(seed)
    log_probs = torch.log(torch.rand(num, generator=stream, dtype=torch.float64).clamp(0.05))
    return Items(
        observations=torch.randn(num, 8, generator=stream, dtype=torch.float64),
        actions=torch.randint(4, (num,), generator=stream),
        advantages=torch.randn(num, generator=stream, dtype=torch.float64),
        returns=torch.randn(num, generator=stream, dtype=torch.float64),
        log_probs=log_probs,
    )


def check_gradient(model: Agent, loss: Callable[[], Tensor]) -> None:
    """Compare the gradient along five directions with central differences."""
    model.zero_grad()
    loss().backward()
    parameters = [p for p in model.parameters() if p.grad is not None]
    assert parameters
    for seed in range(5):
        stream = torch.Generator().manual_seed(seed)
        ways = [torch.randn(p.shape, generator=stream, dtype=p.dtype) for p in parameters]
        slope = sum((p.grad * w).sum().item() for p, w in zip(parameters, ways, strict=True))
        sides = []
        for sign in (1, -2):
            with torch.no_grad():
                for p, w in zip(parameters, ways, strict=True):
                    p.add_(w, alpha=sign * 1e-6)
                sides.append(loss().item())
        with torch.no_grad():
            for p, w in zip(parameters, ways, strict=True):
                p.add_(w, alpha=1e-6)
        assert (sides[0] - sides[1]) / 2e-6 == pytest.approx(slope, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("critic", ["shared", "separate"])
def test_policy_gradients_are_those_of_the_loss(name: str, critic: str) -> None:
    more = (f"model.critic={critic}",) if name in ("strong", "boss") else ()
    made = recipe(name, "method.entropy=0.1", *more)
    model, given = agent(made), items()
    check_gradient(model, lambda: policy_gradient.loss(model, given, made.method).total)


def test_reinforce_by_hand() -> None:
    """Equal preferences: every action has probability 1/4, the loss is ln 4 times the mean A."""
    made = recipe("simple")
    model, given = agent(made), items()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
    losses = policy_gradient.loss(model, given, made.method)
    assert losses.policy.item() == pytest.approx(np.log(4) * given.advantages.mean().item())
    assert losses.entropy.item() == pytest.approx(np.log(4))
    losses.total.backward()
    for action in range(4):
        praise = given.advantages * (0.25 - (given.actions == action).double())
        assert model.head.bias.grad[action].item() == pytest.approx(praise.mean().item())


def test_ppo_begins_as_the_policy_gradient() -> None:
    """Where nothing moved yet every ratio is 1, and so is the factor of each gradient."""
    plain, clipped = recipe("strong"), recipe("boss")
    model, given = agent(plain), items()
    with torch.no_grad():
        every = torch.log_softmax(model(given.observations)[0].double(), 1)
    given = replace(given, log_probs=every.gather(1, given.actions[:, None]).squeeze(1))
    grads = []
    for made in (plain, clipped):
        model.zero_grad()
        policy_gradient.loss(model, given, made.method).policy.backward()
        grads.append(torch.cat([p.grad.flatten() for p in model.body.parameters()]))
    assert torch.allclose(*grads, rtol=1e-6)


@pytest.mark.parametrize(
    ("shift", "advantage", "moves"),
    [(0.5, 1.0, False), (0.5, -1.0, True), (-0.5, 1.0, True), (-0.5, -1.0, False)],
)
def test_ppo_stops_at_the_clip_only_where_it_would_gain(
    shift: float, advantage: float, moves: bool
) -> None:
    """A probability e^shift times the old one: good actions stop above, bad ones below."""
    made = recipe("boss", "method.entropy=0.0", "method.value_weight=0.0")
    model, given = agent(made), items(num=1)
    with torch.no_grad():
        every = torch.log_softmax(model(given.observations)[0].double(), 1)
    now = every.gather(1, given.actions[:, None]).squeeze(1)
    given = replace(given, log_probs=now - shift, advantages=torch.tensor([advantage]).double())
    policy_gradient.loss(model, given, made.method).total.backward()
    assert bool(model.head.weight.grad.abs().sum() > 0) is moves


def played(seed: int = 0, num_steps: int = 6, num_envs: int = 2) -> Round:
    rng = np.random.default_rng(seed)
    made = blank(num_steps, num_envs)
    made.observations[:] = rng.normal(size=made.observations.shape)
    made.following[:-1] = made.observations[1:]
    made.following[-1] = rng.normal(size=made.following[-1].shape)
    made.rewards[:] = rng.normal(size=made.rewards.shape)
    made.actions[:] = rng.integers(0, 4, made.actions.shape)
    made.taken[:] = True
    return made


def test_the_critic_is_asked_about_what_was_cut_off() -> None:
    """At the limit of steps: the last observation of the episode, not the next one's first."""
    made = recipe("strong")
    model, given = agent(made).float(), played()
    given.truncated[2, 0] = True
    given.following[2, 0] = 7.0
    given.terminated[-1, 1] = True
    values = np.zeros((6, 2), np.float32)
    with torch.no_grad():
        values[:] = model(torch.from_numpy(given.observations).flatten(0, 1))[1].reshape(6, 2)
        cut = model(torch.full((1, 8), 7.0))[1].item()
        last = model(torch.from_numpy(given.following[-1]))[1].numpy()
    found = policy_gradient.following_values(given, values, model, HARDWARE)
    assert found[2, 0] == pytest.approx(cut)
    assert found[-1, 0] == pytest.approx(last[0])
    assert (found[:2] == values[1:3]).all()
    assert (found[3:5] == values[4:]).all()


def test_prepared_items_are_the_taken_steps() -> None:
    made = recipe("medium", "method.normalise=false", "method.gamma=0.5")
    model, given = agent(made).float(), played()
    given.terminated[3, 0] = given.terminated[5, 1] = True
    given.taken[4:, 0] = False
    given.rewards[4:, 0] = 0
    found = policy_gradient.prepare(given, model, made.method, HARDWARE)
    assert len(found) == 10
    first = sum(0.5**t * given.rewards[t, 0] for t in range(4))
    assert found.advantages[0].item() == pytest.approx(first)
    assert found.actions.tolist() == given.actions[given.taken].tolist()
    again = policy_gradient.loss(model, found, made.method)
    assert again.policy.item() == pytest.approx(-(found.log_probs * found.advantages).mean().item())


# ---- dqn


def transitions(num: int = 10, seed: int = 0) -> Transitions:
    stream = torch.Generator().manual_seed(seed)
    return Transitions(
        observations=torch.randn(num, 8, generator=stream, dtype=torch.float64),
        following=torch.randn(num, 8, generator=stream, dtype=torch.float64),
        actions=torch.randint(4, (num,), generator=stream),
        rewards=torch.randn(num, generator=stream, dtype=torch.float64),
        terminated=(torch.rand(num, generator=stream) < 0.3).double(),
    )


@pytest.mark.parametrize("double", ["true", "false"])
@pytest.mark.parametrize("dueling", ["true", "false"])
def test_gradients_of_dqn_are_those_of_the_loss(double: str, dueling: str) -> None:
    made = recipe("dqn", f"replay.double={double}", f"model.dueling={dueling}")
    model, target, drawn = agent(made), agent(made, seed=1), transitions()
    if double == "true":  # the choice of the next action has no gradient
        chosen = copy.deepcopy(model)
        best = chosen(drawn.following)[0].argmax(1)
        check_gradient(
            model, lambda: action_values.loss(model, target, drawn, made.method, made.replay)
        )
        assert (model(drawn.following)[0].argmax(1) == best).all()
    else:
        check_gradient(
            model, lambda: action_values.loss(model, target, drawn, made.method, made.replay)
        )
    assert all(p.grad is None for p in target.parameters())


@pytest.mark.parametrize("double", [True, False])
def test_the_target_of_dqn_by_hand(double: bool) -> None:
    made = recipe("dqn", f"replay.double={str(double).lower()}", "method.gamma=0.9")
    model, target, drawn = agent(made), agent(made, seed=1), transitions(num=40)
    with torch.no_grad():
        now, later = model(drawn.observations)[0], target(drawn.following)[0]
        own = model(drawn.following)[0]
        assert (own.argmax(1) != later.argmax(1)).any(), "else the two could not be told apart"
        errors = []
        for i in range(40):
            best = later[i, own[i].argmax()] if double else later[i].max()
            wanted = drawn.rewards[i] + (0.9 * best if drawn.terminated[i] == 0 else 0)
            error = (now[i, drawn.actions[i]] - wanted).abs().item()
            errors.append(0.5 * error**2 if error < 1 else error - 0.5)
        found = action_values.loss(model, target, drawn, made.method, made.replay).item()
    assert found == pytest.approx(np.mean(errors), rel=1e-5)


def test_a_dueling_network_s_values_have_the_state_s_mean() -> None:
    made = recipe("dqn")
    model = agent(made)
    seen = torch.randn(5, 8, dtype=torch.float64)
    preferences, values = model(seen)
    assert torch.allclose(preferences.mean(1), values)
    plain = model.policy()
    assert (plain.greedy(seen.float().numpy()) == preferences.argmax(1).numpy()).all()


@pytest.mark.parametrize("name", [*NAMES, "dqn"])
def test_the_policy_handed_in_is_the_network(name: str) -> None:
    model = agent(recipe(name)).float()
    seen = torch.randn(20, 8)
    ours = model.policy().preferences(seen.numpy())
    theirs = model(seen)[0].detach().numpy()
    assert ours - ours.mean(1, keepdims=True) == pytest.approx(
        theirs - theirs.mean(1, keepdims=True), abs=1e-5
    )
    model.policy().check()


def test_the_sample_s_network_has_its_484_parameters() -> None:
    made = load_recipe(Recipe, WORLD / "simple.toml")
    assert sum(p.numel() for p in models.build(made.model).parameters()) == 484


def test_the_memory_forgets_the_oldest() -> None:
    memory = Memory(10)
    given = played(num_steps=3, num_envs=2)
    for number in range(4):
        given.rewards[:] = number
        memory.add(given, 0.5)
        assert len(memory) == min(6 * (number + 1), 10)
    assert sorted(memory.rewards.tolist()) == [1.0] * 4 + [1.5] * 6
    drawn = memory.draw(500, torch.Generator().manual_seed(0))
    assert set(drawn.rewards.tolist()) == {1.0, 1.5}
    assert int(memory.seen) == 24


def test_a_cut_episode_goes_on_in_the_memory() -> None:
    given = played(num_steps=1, num_envs=2)
    given.truncated[0, 0] = given.terminated[0, 1] = True
    memory = Memory(2)
    memory.add(given, 1.0)
    assert memory.terminated.tolist() == [0.0, 1.0]


def test_exploration_falls_on_a_line() -> None:
    replay = recipe("dqn", "replay.epsilon_end=0.1", "replay.epsilon_steps=100").replay
    found = [action_values.epsilon(step, replay) for step in (0, 50, 100, 1000)]
    assert found == pytest.approx([1.0, 0.55, 0.1, 0.1])
