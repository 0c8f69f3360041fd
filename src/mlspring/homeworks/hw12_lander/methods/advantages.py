"""How good an action was: estimators over rollouts (T, N), plain numpy.

The course's names: v0 the immediate reward, v1 the sum of later ones, v2 the discounted sum, v3 the
same against a constant baseline, v3.5 against a critic, v4 one step and the critic. After an
episode that terminated there is no further reward. An episode that is truncated by the limit of
steps, or by the end of the rollout, would go on: what is missing is estimated by the critic
(bootstrapping).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.homeworks.hw12_lander.recipe import MethodKnobs
from mlspring.homeworks.hw12_lander.rollout import Rollout
from mlspring.worlds.lander.environment import Bools

Array = NDArray[np.floating[Any]]
ValueFn = Callable[[Tensor], Tensor]  # observations (n, 8) -> values (n,)


def discounted_returns(rewards: Array, dones: Bools, gamma: float) -> Array:
    """Return G_t = r_t + gamma G_{t+1} inside each episode, (T, N).

    Args:
        rewards: (T, N).
        dones: (T, N), where an episode was over; the sum begins anew after it.
        gamma: discount; 1: the plain sum of v1; 0: v0.
    """
    returns: Array = np.empty_like(rewards)
    later: Array = np.zeros(rewards.shape[1], rewards.dtype)
    for step in range(len(rewards) - 1, -1, -1):
        later = rewards[step] + gamma * np.where(dones[step], 0, later)
        returns[step] = later
    return returns


def generalised_advantages(
    rewards: Array,
    values: Array,
    next_values: Array,
    terminated: Bools,
    dones: Bools,
    gamma: float,
    gae_lambda: float,
) -> Array:
    """Return generalised advantages A_t = delta_t + gamma lambda A_{t+1}, (T, N).

    delta_t = r_t + gamma V(s_{t+1}) - V(s_t), without V(s_{t+1}) where the episode terminated.
    lambda = 0 is v4; lambda = 1 over whole episodes is v3.5.
    Source: Schulman et al. 2016 (arXiv:1506.02438), eqs. 11 and 16.

    Args:
        rewards: (T, N).
        values: V of the observation before each step, (T, N).
        next_values: V of the observation after it, also where an episode was cut, (T, N).
        terminated: (T, N), the episode ended by itself.
        dones: (T, N), terminated or truncated.
        gamma: worth of a reward one step later.
        gae_lambda: how far real rewards count before the critic is believed.
    """
    deltas: Array = rewards + gamma * np.where(terminated, 0, next_values) - values
    advantages: Array = np.empty_like(deltas)
    later: Array = np.zeros(rewards.shape[1], deltas.dtype)
    for step in range(len(deltas) - 1, -1, -1):
        later = deltas[step] + gamma * gae_lambda * np.where(dones[step], 0, later)
        advantages[step] = later
    return advantages


def standardised(values: Array, epsilon: float = 1e-9) -> Array:
    """Return values of mean 0 and deviation 1; the notebook's (R - mean) / (std + 1e-9)."""
    centred = values - values.mean()
    return centred / (centred.std() + epsilon)


def advantages_and_targets(
    rollout: Rollout, values: Tensor, value_fn: ValueFn, knobs: MethodKnobs
) -> tuple[Tensor, Tensor]:
    """Return standardised advantages and the critic's targets A + V of the n valid steps, (n,).

    Args:
        rollout: the steps; its rewards are scaled by ``knobs.reward_scale``.
        values: V of the observation before each valid step, float32 (n,).
        value_fn: the critic, asked again where an episode was cut.
        knobs: gamma and lambda.
    """
    before = np.zeros(rollout.valid.shape, np.float32)
    before[rollout.valid] = values.cpu().numpy()
    advantages = generalised_advantages(
        rollout.rewards * np.float32(knobs.reward_scale),
        before,
        next_values(rollout, before, value_fn, values.device),
        rollout.terminated,
        rollout.dones,
        knobs.gamma,
        knobs.gae_lambda,
    )
    targets = torch.from_numpy((advantages + before)[rollout.valid])
    scaled = torch.from_numpy(standardised(advantages[rollout.valid]))
    return scaled.to(values.device), targets.to(values.device)


@torch.no_grad()
def next_values(rollout: Rollout, values: Array, value_fn: ValueFn, device: torch.device) -> Array:
    """Return V of the observation after each step, (T, N).

    Inside an episode that is the next step's value; the critic is asked again only where the limit
    of steps or the end of the rollout cut an episode.
    """
    after = np.empty_like(values)
    after[:-1] = values[1:]
    cut = rollout.truncated.copy()
    cut[-1] |= ~rollout.terminated[-1]
    if cut.any():
        observations = torch.from_numpy(rollout.next_observations[cut]).to(device)
        after[cut] = value_fn(observations).cpu().numpy()
    return after
