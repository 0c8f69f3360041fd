"""Losses: gradients against finite differences, and what each method promises."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw12_lander import models
from mlspring.homeworks.hw12_lander.methods import a2c, dqn, ppo, reinforce
from mlspring.homeworks.hw12_lander.methods.advantages import advantages_and_targets, next_values
from mlspring.homeworks.hw12_lander.methods.dqn import ReplayBuffer, Transitions
from mlspring.homeworks.hw12_lander.methods.ppo import Batch
from mlspring.homeworks.hw12_lander.models import ActorCritic, DuelingQNetwork, PolicyNetwork
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import Rollout, empty
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.kit import device

WORLD = SPEC.folder / "recipes" / "world"
HARDWARE = device.choose("cpu", "fp32", work="dense")
LEVELS = ("simple", "medium", "strong", "boss")


def recipe(name: str, *overrides: str) -> Recipe:
    return load_recipe(Recipe, WORLD / f"{name}.toml", ("model.hidden=[6, 5]", *overrides))


def network(made: Recipe, seed: int = 0) -> models.Network:
    """Return a network in float64 whose last layer is not small."""
    torch.manual_seed(seed)
    model = models.build(made.method.name, made.model).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def steps(num: int = 12, seed: int = 0) -> Batch:
    stream = torch.Generator().manual_seed(seed)
    log_probs = torch.log(torch.rand(num, generator=stream, dtype=torch.float64).clamp(0.05))
    return Batch(
        observations=torch.randn(num, 8, generator=stream, dtype=torch.float64),
        actions=torch.randint(4, (num,), generator=stream),
        advantages=torch.randn(num, generator=stream, dtype=torch.float64),
        targets=torch.randn(num, generator=stream, dtype=torch.float64),
        log_probs=log_probs,
    )


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


def check_gradient(model: nn.Module, loss: Callable[[], Tensor]) -> None:
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


@pytest.mark.parametrize("name", LEVELS)
def test_policy_gradients_are_those_of_the_loss(name: str) -> None:
    made = recipe(name, "method.entropy_weight=0.1")
    model, batch = network(made), steps()
    check_gradient(model, lambda: loss_of(model, batch, made))


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
    made = recipe("strong", "method.value_weight=3.0", "method.entropy_weight=0.5")
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
    alone = ("method.value_weight=0.0", "method.entropy_weight=0.0")
    plain, clipped = recipe("strong", *alone), recipe("boss", *alone)
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
    made = recipe("boss", "method.entropy_weight=0.0", "method.value_weight=0.0")
    model, batch = network(made), steps(num=1)
    with torch.no_grad():
        every = torch.log_softmax(model(batch.observations)[0], 1)
    now = every.gather(1, batch.actions[:, None]).squeeze(1)
    batch = replace(batch, log_probs=now - shift, advantages=torch.tensor([advantage]).double())
    loss_of(model, batch, made).backward()
    assert bool(model.head.weight.grad.abs().sum() > 0) is moves


# ---- rollouts, and what is learnt from them


def played(seed: int = 0, num_steps: int = 6, num_envs: int = 2) -> Rollout:
    rng = np.random.default_rng(seed)
    rollout = empty(num_steps, num_envs)
    rollout.observations[:] = rng.normal(size=rollout.observations.shape)
    rollout.next_observations[:-1] = rollout.observations[1:]
    rollout.next_observations[-1] = rng.normal(size=rollout.next_observations[-1].shape)
    rollout.rewards[:] = rng.normal(size=rollout.rewards.shape)
    rollout.actions[:] = rng.integers(0, 4, rollout.actions.shape)
    rollout.valid[:] = True
    return rollout


def test_the_critic_is_asked_about_what_was_cut_off() -> None:
    """At the limit of steps: the last observation of the episode, not the next one's first."""
    model, rollout = network(recipe("strong")).float(), played()
    assert isinstance(model, ActorCritic)
    rollout.truncated[2, 0] = True
    rollout.next_observations[2, 0] = 7.0
    rollout.terminated[-1, 1] = True
    with torch.no_grad():
        values = model.values(torch.from_numpy(rollout.observations).flatten(0, 1))
        values = values.reshape(6, 2).numpy()
        cut = model.values(torch.full((1, 8), 7.0)).item()
        last = model.values(torch.from_numpy(rollout.next_observations[-1])).numpy()
    found = next_values(rollout, values, model.values, torch.device("cpu"))
    assert found[2, 0] == pytest.approx(cut)
    assert found[-1, 0] == pytest.approx(last[0])
    assert (found[:2] == values[1:3]).all()
    assert (found[3:5] == values[4:]).all()


def by_definition(rollout: Rollout, model: ActorCritic, made: Recipe) -> tuple[np.ndarray, ...]:
    """Return raw advantages and targets of the valid steps, each a sum over its own future."""

    def value(observation: np.ndarray) -> float:
        with torch.no_grad():
            return model.values(torch.from_numpy(observation)[None]).item()

    num_steps, num_envs = rollout.valid.shape
    knobs, advantages, targets = made.method, [], []
    for t in range(num_steps):
        for env in range(num_envs):
            if not rollout.valid[t, env]:
                continue
            advantage, weight = 0.0, 1.0
            for later in range(t, num_steps):
                stays = not rollout.terminated[later, env]
                delta = rollout.rewards[later, env] * knobs.reward_scale
                delta += knobs.gamma * value(rollout.next_observations[later, env]) * stays
                advantage += weight * (delta - value(rollout.observations[later, env]))
                if rollout.dones[later, env]:
                    break
                weight *= knobs.gamma * knobs.gae_lambda
            advantages.append(advantage)
            targets.append(advantage + value(rollout.observations[t, env]))
    return np.array(advantages), np.array(targets)


def test_advantages_and_targets_are_less_and_more_the_critic_s_values() -> None:
    """Against the sum of each step's own future; without the critic's values both would differ."""
    made = recipe("strong", "method.gamma=0.9", "method.gae_lambda=0.7", "method.reward_scale=0.5")
    model, rollout = network(made).float(), played(num_steps=9)
    assert isinstance(model, ActorCritic)
    rollout.terminated[3, 0] = rollout.truncated[5, 1] = True
    rollout.terminated[7, 0] = True
    rollout.valid[8, 0] = False
    raw, expected = by_definition(rollout, model, made)
    observations, _ = rollout.tensors(torch.device("cpu"))
    with torch.no_grad():
        values = model.values(observations)
    advantages, targets = advantages_and_targets(rollout, values, model.values, made.method)
    assert len(advantages) == len(targets) == 17
    assert targets.numpy() == pytest.approx(expected, abs=1e-5)
    assert advantages.numpy() == pytest.approx((raw - raw.mean()) / raw.std(), abs=1e-4)


def test_a_batch_of_ppo_is_what_actor_and_critic_said() -> None:
    made = recipe("boss")
    model, rollout = network(made).float(), played(num_steps=9)
    assert isinstance(model, ActorCritic)
    batch = ppo.to_batch(rollout, model, made.method, HARDWARE)
    observations, actions = rollout.tensors(torch.device("cpu"))
    with torch.no_grad():
        logits, values = model(observations)
    assert torch.equal(batch.observations, observations) and torch.equal(batch.actions, actions)
    expected = torch.distributions.Categorical(logits=logits).log_prob(actions)
    assert torch.allclose(batch.log_probs, expected, atol=1e-6)
    both = advantages_and_targets(rollout, values, model.values, made.method)
    assert torch.equal(batch.advantages, both[0]) and torch.equal(batch.targets, both[1])
    assert not any(getattr(batch, name).requires_grad for name in ("log_probs", "advantages"))


# ---- dqn


def transitions(num: int = 10, seed: int = 0) -> Transitions:
    stream = torch.Generator().manual_seed(seed)
    return Transitions(
        observations=torch.randn(num, 8, generator=stream, dtype=torch.float64),
        next_observations=torch.randn(num, 8, generator=stream, dtype=torch.float64),
        actions=torch.randint(4, (num,), generator=stream),
        rewards=torch.randn(num, generator=stream, dtype=torch.float64),
        terminated=(torch.rand(num, generator=stream) < 0.3).double(),
    )


def q_networks() -> tuple[DuelingQNetwork, DuelingQNetwork]:
    model, target_network = network(recipe("dqn")), network(recipe("dqn"), seed=1)
    assert isinstance(model, DuelingQNetwork) and isinstance(target_network, DuelingQNetwork)
    return model, target_network


def test_gradients_of_dqn_are_those_of_the_loss() -> None:
    """The choice of the next action and the target have no gradient."""
    (model, target_network), batch = q_networks(), transitions()
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    fixed, _ = q_networks()
    fixed.load_state_dict(kept)
    with torch.no_grad():
        q_next = target_network(batch.next_observations)
        best = q_next.gather(1, fixed(batch.next_observations).argmax(1, keepdim=True)).squeeze(1)
        targets = batch.rewards + 0.9 * (1 - batch.terminated) * best

    def against_fixed_targets() -> Tensor:
        q_values = model(batch.observations).gather(1, batch.actions[:, None]).squeeze(1)
        return nn.functional.smooth_l1_loss(q_values, targets)

    check_gradient(model, against_fixed_targets)
    model.load_state_dict(kept)
    expected = torch.autograd.grad(against_fixed_targets(), list(model.parameters()))
    loss = dqn.loss_of(model, target_network, batch, 0.9)
    found = torch.autograd.grad(loss, list(model.parameters()))
    assert all(torch.allclose(a, b) for a, b in zip(found, expected, strict=True))
    assert all(p.grad is None for p in target_network.parameters())


def test_the_target_of_dqn_by_hand() -> None:
    (model, target_network), batch = q_networks(), transitions(num=40)
    with torch.no_grad():
        now, later = model(batch.observations), target_network(batch.next_observations)
        own = model(batch.next_observations)
        assert (own.argmax(1) != later.argmax(1)).any(), "else the two could not be told apart"
        errors = []
        for i in range(40):
            best = later[i, own[i].argmax()]
            target = batch.rewards[i] + (0.9 * best if batch.terminated[i] == 0 else 0)
            error = (now[i, batch.actions[i]] - target).abs().item()
            errors.append(0.5 * error**2 if error < 1 else error - 0.5)
        found = dqn.loss_of(model, target_network, batch, 0.9).item()
    assert found == pytest.approx(np.mean(errors), rel=1e-5)


def test_a_dueling_network_s_values_have_the_state_s_mean() -> None:
    model, _ = q_networks()
    seen = torch.randn(5, 8, dtype=torch.float64)
    q_values, values = model(seen), model.value(model.body(seen))
    assert torch.allclose(q_values.mean(1, keepdim=True), values)
    plain = models.policy_of(model)
    assert (plain.greedy(seen.float().numpy()) == q_values.argmax(1).numpy()).all()


@pytest.mark.parametrize("name", [*LEVELS, "dqn"])
def test_the_policy_handed_in_is_the_network(name: str) -> None:
    model = network(recipe(name)).float()
    seen = torch.randn(20, 8)
    policy = models.policy_of(model)
    ours, outputs = policy.logits(seen.numpy()), model(seen)
    theirs = (outputs[0] if isinstance(outputs, tuple) else outputs).detach().numpy()
    assert ours - ours.mean(1, keepdims=True) == pytest.approx(
        theirs - theirs.mean(1, keepdims=True), abs=1e-5
    )
    policy.check()
    before = policy.logits(seen.numpy()).copy()
    with torch.no_grad():
        model.head.bias.add_(1.0)
    assert (policy.logits(seen.numpy()) == before).all(), "a copy, which updates do not change"


def test_the_sample_s_network_has_its_484_parameters() -> None:
    made = load_recipe(Recipe, WORLD / "simple.toml")
    model = models.build(made.method.name, made.model)
    assert sum(p.numel() for p in model.parameters()) == 484


def test_the_replay_buffer_forgets_the_oldest() -> None:
    replay_buffer = ReplayBuffer(10)
    rollout = played(num_steps=3, num_envs=2)
    for number in range(4):
        rollout.rewards[:] = number
        replay_buffer.add(rollout, 0.5)
        assert len(replay_buffer) == min(6 * (number + 1), 10)
    assert sorted(replay_buffer.rewards.tolist()) == [1.0] * 4 + [1.5] * 6
    batch = replay_buffer.sample(500, torch.Generator().manual_seed(0))
    assert set(batch.rewards.tolist()) == {1.0, 1.5}
    assert int(replay_buffer.num_added) == 24


def test_a_rollout_larger_than_the_replay_buffer_leaves_its_last_steps() -> None:
    replay_buffer, rollout = ReplayBuffer(4), played(num_steps=3, num_envs=2)
    rollout.rewards[:] = np.arange(6).reshape(3, 2)
    replay_buffer.add(rollout, 1.0)
    assert replay_buffer.rewards.tolist() == [2.0, 3.0, 4.0, 5.0]
    observations, actions = rollout.tensors(torch.device("cpu"))
    assert torch.equal(replay_buffer.observations, observations[2:])
    assert torch.equal(replay_buffer.actions, actions[2:])
    assert len(replay_buffer) == int(replay_buffer.num_added) == 4
    replay_buffer.add(played(num_steps=1, num_envs=1), 1.0)
    assert replay_buffer.rewards.tolist()[1:] == [3.0, 4.0, 5.0], "the oldest is overwritten"


def test_a_truncated_episode_goes_on_in_the_replay_buffer() -> None:
    rollout = played(num_steps=1, num_envs=2)
    rollout.truncated[0, 0] = rollout.terminated[0, 1] = True
    replay_buffer = ReplayBuffer(2)
    replay_buffer.add(rollout, 1.0)
    assert replay_buffer.terminated.tolist() == [0.0, 1.0]


def test_epsilon_falls_linearly() -> None:
    found = [dqn.epsilon(step, end=0.1, num_steps=100) for step in (0, 50, 100, 1000)]
    assert found == pytest.approx([1.0, 0.55, 0.1, 0.1])
