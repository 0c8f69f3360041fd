"""Whole episodes, played by a policy or by action lists, as the judge plays them; no torch.

The judge's episodes are consecutive resets after ONE seeding, so where an episode begins depends on
how long those before it took.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.lander.environment import MAX_STEPS, Actions, Floats, Landers

PolicyFn = Callable[[Floats], Actions]  # observations (n, 8) -> actions (n,)


@dataclass(frozen=True, kw_only=True)
class Episode:
    """What happened in one episode of T steps.

    Args:
        actions: int64 (T,).
        rewards: float64 (T,).
        observations: float32 (T + 1, 8), the last one after the last step.
        terminated: whether it ended by itself, not by the limit of steps.
    """

    actions: Actions
    rewards: NDArray[np.float64]
    observations: Floats
    terminated: bool

    @property
    def total(self) -> float:
        """The total reward."""
        return float(sum(self.rewards.tolist()))  # in order, as a replay adds them

    @property
    def landed(self) -> bool:
        """Whether the lander came to rest."""
        return self.terminated and bool(self.rewards[-1] > 0)


def play_consecutive(
    policy: PolicyFn, seed: int, num_episodes: int, max_steps: int = MAX_STEPS
) -> list[Episode]:
    """Return the episodes of consecutive resets after one seeding, as the judge plays them."""
    landers = Landers(1, max_steps)
    episodes = []
    for number in range(num_episodes):
        landers.reset(0, seed if number == 0 else None)
        episodes.append(_play_one(landers, policy))
    return episodes


def _play_one(landers: Landers, policy: PolicyFn) -> Episode:
    actions, rewards, observations = [], [], [landers.observations[0].copy()]
    terminated = truncated = False
    while not (terminated or truncated):
        actions.append(int(policy(landers.observations)[0]))
        reward, terminated, truncated = landers.step(0, actions[-1])
        rewards.append(reward)
        observations.append(landers.observations[0].copy())
    return Episode(
        actions=np.array(actions),
        rewards=np.array(rewards),
        observations=np.stack(observations),
        terminated=terminated,
    )


def play_seeded(
    policy: PolicyFn, seeds: Sequence[int], max_steps: int = MAX_STEPS, num_envs: int = 64
) -> NDArray[np.float64]:
    """Return total and last reward of one episode for each seed, float64 (n, 2).

    Up to ``num_envs`` episodes go on at once; an environment that is done begins the next seed's.
    """
    rewards_of = np.zeros((len(seeds), 2))
    landers = Landers(min(num_envs, len(seeds)), max_steps)
    waiting = iter(enumerate(seeds))
    episode_of = [_begin_next(landers, index, waiting) for index in range(len(landers))]
    while active := [index for index, number in enumerate(episode_of) if number >= 0]:
        actions = policy(landers.observations[active])
        rewards, terminated, truncated = landers.step_all(active, actions)
        rewards_of[[episode_of[index] for index in active], 0] += rewards
        for position in np.flatnonzero(terminated | truncated).tolist():
            index = active[position]
            rewards_of[episode_of[index], 1] = rewards[position]
            episode_of[index] = _begin_next(landers, index, waiting)
    return rewards_of


def _begin_next(landers: Landers, index: int, waiting: Iterator[tuple[int, int]]) -> int:
    """Begin the next waiting episode and return its number, -1 where none is left."""
    number, seed = next(waiting, (-1, 0))
    if number >= 0:
        landers.reset(index, seed)
    return number


def replay_consecutive(lists: Sequence[Actions], seed: int) -> list[Episode]:
    """Return the judge's episodes as action lists play them.

    Raises:
        ValueError: a list is over before its episode is done, or goes on after it.
    """
    landers = Landers(1)
    played = []
    for number, actions in enumerate(lists):
        landers.reset(0, seed if number == 0 else None)
        episode = _play_list(landers, actions)
        if episode is None:
            raise ValueError(
                f"list {number + 1} is over at step {len(actions)}, before its episode is done"
            )
        if len(episode.actions) < len(actions):
            raise ValueError(
                f"list {number + 1} has {len(actions)} actions, its episode took "
                f"{len(episode.actions)}"
            )
        played.append(episode)
    return played


def replay_seeded(lists: Sequence[Actions], seeds: Sequence[int]) -> NDArray[np.float64]:
    """Return the total rewards (n,) of lists played blindly, in turn, one in each seed's episode.

    After a list that ends too early nothing is done until the episode ends.
    """
    landers, idle = Landers(1), np.zeros(MAX_STEPS, np.int64)
    totals = []
    for number, seed in enumerate(seeds):
        landers.reset(0, seed)
        episode = _play_list(landers, np.concatenate((lists[number % len(lists)], idle)))
        totals.append(episode.total if episode else math.nan)
    return np.array(totals)


def _play_list(landers: Landers, actions: Actions) -> Episode | None:
    """Return the episode, None where the list is over before it is."""
    waiting = iter(actions)
    try:
        return _play_one(landers, lambda _: np.array([next(waiting)]))
    except StopIteration:
        return None
