"""DQN: its target, its replay buffer, its exploring."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw12_lander import models, train
from mlspring.homeworks.hw12_lander.methods import dqn
from mlspring.homeworks.hw12_lander.methods.dqn import ReplayBuffer, Transitions, epsilon_greedy
from mlspring.homeworks.hw12_lander.models import DuelingQNetwork
from mlspring.homeworks.hw12_lander.rollout import VectorEnv
from mlspring.kit.distributed import ALONE
from tests.homeworks.hw12.cases import (
    RULES,
    fixed_policy,
    network,
    random_rollout,
    recipe,
    slopes,
    small_recipe,
)


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

    by_gradient, by_difference = slopes(model, against_fixed_targets)
    assert any(by_gradient)
    assert by_difference == pytest.approx(by_gradient, rel=1e-4, abs=1e-7)
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


def test_the_replay_buffer_forgets_the_oldest() -> None:
    replay_buffer = ReplayBuffer(10)
    rollout = random_rollout(num_steps=3, num_envs=2)
    for number in range(4):
        rollout.rewards[:] = number
        replay_buffer.add(rollout, 0.5)
        assert len(replay_buffer) == min(6 * (number + 1), 10)
    assert sorted(replay_buffer.rewards.tolist()) == [1.0] * 4 + [1.5] * 6
    batch = replay_buffer.sample(500, torch.Generator().manual_seed(0))
    assert set(batch.rewards.tolist()) == {1.0, 1.5}
    assert int(replay_buffer.num_added) == 24


def test_a_rollout_larger_than_the_replay_buffer_leaves_its_last_steps() -> None:
    replay_buffer, rollout = ReplayBuffer(4), random_rollout(num_steps=3, num_envs=2)
    rollout.rewards[:] = np.arange(6).reshape(3, 2)
    replay_buffer.add(rollout, 1.0)
    assert replay_buffer.rewards.tolist() == [2.0, 3.0, 4.0, 5.0]
    observations, actions = rollout.tensors(torch.device("cpu"))
    assert torch.equal(replay_buffer.observations, observations[2:])
    assert torch.equal(replay_buffer.actions, actions[2:])
    assert len(replay_buffer) == int(replay_buffer.num_added) == 4
    replay_buffer.add(random_rollout(num_steps=1, num_envs=1), 1.0)
    assert replay_buffer.rewards.tolist()[1:] == [3.0, 4.0, 5.0], "the oldest is overwritten"


def test_a_truncated_episode_goes_on_in_the_replay_buffer() -> None:
    rollout = random_rollout(num_steps=1, num_envs=2)
    rollout.truncated[0, 0] = rollout.terminated[0, 1] = True
    replay_buffer = ReplayBuffer(2)
    replay_buffer.add(rollout, 1.0)
    assert replay_buffer.terminated.tolist() == [0.0, 1.0]


def test_epsilon_falls_linearly() -> None:
    found = [dqn.epsilon(step, end=0.1, num_steps=100) for step in (0, 50, 100, 1000)]
    assert found == pytest.approx([1.0, 0.55, 0.1, 0.1])


def test_exploring_takes_a_random_action_in_its_share() -> None:
    envs = VectorEnv(0, 1000, ALONE)
    act = epsilon_greedy(fixed_policy([0.0, 0.0, 9.0, 0.0]), envs.uniform(1), 0.4)
    actions = act(np.zeros((1000, 8), np.float32), 0)
    assert (actions == 2).mean() == pytest.approx(0.7, abs=0.06)  # 0.6 + 0.4 / 4
    for other in (0, 1, 3):
        assert (actions == other).mean() == pytest.approx(0.1, abs=0.04)


def test_the_target_network_follows_in_jumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every three updates it becomes the network that learns, and stays so until the next time."""
    weights, targets, original = [], [], dqn.loss_of

    def watched(model: nn.Module, target_network: nn.Module, *rest: object) -> torch.Tensor:
        weights.append(model.head.weight.detach().clone())
        targets.append(target_network.head.weight.clone())
        return original(model, target_network, *rest)

    monkeypatch.setattr(dqn, "loss_of", watched)
    monkeypatch.setattr(dqn, "TARGET_EVERY", 3)
    run = Run.create(tmp_path, Request(homework="hw12", recipe="dqn", device="cpu"), "")
    train.train(small_recipe("dqn", "train.steps=8", "train.validate_every=8"), RULES, run)
    run.close()
    assert len(weights) == 8
    assert not torch.equal(weights[0], weights[3])
    for update in range(8):  # weights[i] are those before update i
        assert torch.equal(targets[update], weights[update // 3 * 3])
