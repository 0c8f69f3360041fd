"""What an action is praised for: estimators over rounds (T, N), plain numpy.

The course's names: v0 the immediate reward, v1 the sum of later ones, v2 the discounted sum, v3 the
same against a constant baseline, v3.5 against a critic, v4 one step and the critic. An episode that
terminated is worth nothing after its end; one that was cut by the limit of steps, or by the end of
the round, goes on in truth, so the critic tells what was cut off.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def discounted(rewards: Array, ended: NDArray[np.bool_], gamma: float) -> Array:
    """Return G_t = r_t + gamma G_{t+1} inside each episode, (T, N).

    Args:
        rewards: (T, N).
        ended: (T, N), where an episode was over; the sum begins anew behind it.
        gamma: worth of a reward one step later; 1: the plain sum of v1.
    """
    sums = np.empty_like(rewards)
    after = np.zeros(rewards.shape[1], rewards.dtype)
    for step in range(len(rewards) - 1, -1, -1):
        after = rewards[step] + gamma * np.where(ended[step], 0, after)
        sums[step] = after
    return sums


def generalised(
    rewards: Array,
    values: Array,
    following: Array,
    terminated: NDArray[np.bool_],
    ended: NDArray[np.bool_],
    gamma: float,
    lam: float,
) -> Array:
    """Return generalised advantages A_t = delta_t + gamma lam A_{t+1}, (T, N).

    delta_t = r_t + gamma V(s_{t+1}) - V(s_t), without V(s_{t+1}) where the episode terminated.
    lam = 0 is v4, lam = 1 is v3.5. Source: Schulman et al. 2016 (arXiv:1506.02438), eqs. 11 and 16.

    Args:
        rewards: (T, N).
        values: V of the observation before each step, (T, N).
        following: V of the observation after it, also where an episode was cut, (T, N).
        terminated: (T, N), the episode ended by itself.
        ended: (T, N), terminated or cut.
        gamma: worth of a reward one step later.
        lam: how far real rewards count before the critic is believed.
    """
    deltas = rewards + gamma * np.where(terminated, 0, following) - values
    advantages = np.empty_like(deltas)
    after = np.zeros(rewards.shape[1], deltas.dtype)
    for step in range(len(deltas) - 1, -1, -1):
        after = deltas[step] + gamma * lam * np.where(ended[step], 0, after)
        advantages[step] = after
    return advantages


def standardised(values: Array, epsilon: float = 1e-9) -> Array:
    """Return values of mean 0 and deviation 1; the notebook's (R - mean) / (std + 1e-9)."""
    centred = values - values.mean()
    result: Array = centred / (centred.std() + epsilon)
    return result
