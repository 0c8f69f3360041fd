"""Advantages of whole rollouts: where the critic is asked, and what it should have said."""

import numpy as np
import pytest
import torch

from mlspring.homeworks.hw12_lander import agent
from mlspring.homeworks.hw12_lander.methods.advantages import (
    advantages_and_targets,
    discounted_returns,
    next_values,
    standardised,
)
from mlspring.homeworks.hw12_lander.models import ActorCritic
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import Rollout
from tests.homeworks.hw12.cases import (
    HARDWARE,
    begun,
    greedy,
    network,
    random_rollout,
    recipe,
    small_recipe,
)


def test_the_critic_is_asked_about_what_was_cut_off() -> None:
    """At the limit of steps: the last observation of the episode, not the next one's first."""
    model, rollout = network(recipe("medium")).float(), random_rollout()
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
    made = recipe("medium", "method.gamma=0.9", "method.gae_lambda=0.7", "method.reward_scale=0.5")
    model, rollout = network(made).float(), random_rollout(num_steps=9)
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


def test_whole_episodes_make_the_critic_a_baseline_alone() -> None:
    """All rewards until the episode's end count, as in REINFORCE, less what the critic expected."""
    made = small_recipe("medium", "method.gae_lambda=1.0", "collect.horizon=0")
    model = agent.new_state(ActorCritic, made, 0, HARDWARE).model
    given = begun(0, 4).rollout(greedy, made.collect.horizon)
    assert not given.truncated.any()
    observations, _ = given.tensors(torch.device("cpu"))
    with torch.no_grad():
        values = model.values(observations)
    advantages, targets = advantages_and_targets(given, values, model.values, made.method)
    rewards = given.rewards * np.float32(made.method.reward_scale)
    returns = discounted_returns(rewards, given.dones, made.method.gamma)[given.valid]
    assert advantages.numpy() == pytest.approx(standardised(returns - values.numpy()), abs=1e-4)
    assert targets.numpy() == pytest.approx(returns, abs=1e-4)
