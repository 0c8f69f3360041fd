"""Playing while learning: rounds of steps, in environments that a stopped run finds again.

An episode is told by its number, which seeds it, and by the actions taken in it, so a state needs
no more than these: a resumed run plays them again and stands where it stood, to the last bit.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.homeworks.hw12_lander.environment import NUM_OBSERVED, Actions, Floats, Landers
from mlspring.kit.distributed import Ranks
from mlspring.kit.seeding import derive_seed

Chooser = Callable[[Floats, int], Actions]  # observations (n, 8), step -> actions (n,)


@dataclass(frozen=True, kw_only=True)
class Round:
    """What was played: T steps in each of N environments.

    Args:
        observations: before each step, float32 (T, N, 8).
        actions: int64 (T, N).
        rewards: float32 (T, N).
        following: observations after each step, before any new episode, float32 (T, N, 8).
        terminated: bool (T, N), the episode ended by itself.
        truncated: bool (T, N), it was cut by the limit of steps.
        taken: bool (T, N); where whole episodes are played, shorter ones leave steps untaken.
    """

    observations: Floats
    actions: Actions
    rewards: Floats
    following: Floats
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    taken: NDArray[np.bool_]

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Where an episode was over, for either reason: bool (T, N)."""
        return self.terminated | self.truncated

    def ended_at(self, step: int) -> NDArray[np.bool_]:
        """Return where an episode was over at ``step``: bool (N,)."""
        over: NDArray[np.bool_] = self.terminated[step] | self.truncated[step]
        return over

    @property
    def num_steps(self) -> int:
        """Steps taken."""
        return int(self.taken.sum())


def blank(num_steps: int, num_envs: int) -> Round:
    """Return a round in which nothing is taken yet."""
    shape = (num_steps, num_envs)
    return Round(
        observations=np.zeros((*shape, NUM_OBSERVED), np.float32),
        actions=np.zeros(shape, np.int64),
        rewards=np.zeros(shape, np.float32),
        following=np.zeros((*shape, NUM_OBSERVED), np.float32),
        terminated=np.zeros(shape, bool),
        truncated=np.zeros(shape, bool),
        taken=np.zeros(shape, bool),
    )


class Players:
    """N environments, of which this process plays its share, and the story of all.

    Args:
        seed: of the run.
        num_envs: N, over all processes.
        max_steps: limit of an episode.
        ranks: the processes.
    """

    def __init__(self, seed: int, num_envs: int, max_steps: int, ranks: Ranks) -> None:
        self.seed, self.num_envs, self.ranks = seed, num_envs, ranks
        self.share = ranks.shard(num_envs)
        self.landers = Landers(self.share.stop - self.share.start, max_steps)
        self.num_rounds = 0
        self.episodes = [0] * num_envs  # number of each environment's present episode
        self.played: list[list[int]] = [[] for _ in range(num_envs)]  # its actions so far
        self.totals = [0.0] * num_envs  # and the rewards of these
        self.finished: list[tuple[float, float]] = []  # total, last reward; of the last round

    def story(self) -> dict[str, Any]:
        """Return what ``go_on`` needs, as JSON values."""
        names = {"rounds": self.num_rounds, "episodes": self.episodes, "played": self.played}
        return {**names, "totals": self.totals}

    def go_on(self, story: dict[str, Any] | None) -> None:
        """Begin the first episodes, or stand again where a story ends."""
        if story is not None:
            self.num_rounds = story["rounds"]
            self.episodes, self.played = list(story["episodes"]), [*map(list, story["played"])]
            self.totals = list(story["totals"])
        for index, env in enumerate(range(self.share.start, self.share.stop)):
            self._begin(index, env, self.episodes[env])
            for action in self.played[env]:
                self.landers.act(index, action)

    def play(self, choose: Chooser, horizon: int) -> Round:
        """Return ``horizon`` steps of every environment; 0: a whole new episode of each."""
        mine = self._play_whole(choose) if horizon == 0 else self._play_on(choose, horizon)
        whole = _together(mine, self.ranks)
        self._remember(whole, horizon)
        self.num_rounds += 1
        return whole

    def _begin(self, index: int, env: int, number: int) -> None:
        self.landers.begin(index, derive_seed(self.seed, "episode", env, number))

    def _play_on(self, choose: Chooser, horizon: int) -> Round:
        landers, numbers = self.landers, self.episodes[self.share]
        made = blank(horizon, len(landers))
        made.taken[:] = True
        everyone = list(range(len(landers)))
        for step in range(horizon):
            actions = choose(landers.observations, step)
            self._act(made, step, everyone, actions)
            for index in np.flatnonzero(made.ended_at(step)).tolist():
                numbers[index] += 1
                self._begin(index, self.share.start + index, numbers[index])
        return made

    def _play_whole(self, choose: Chooser) -> Round:
        landers = self.landers
        for index in range(len(landers)):
            env = self.share.start + index
            self._begin(index, env, self.episodes[env])
        made = blank(landers.max_steps, len(landers))
        active = list(range(len(landers)))
        step = 0
        while active:
            actions = choose(landers.observations, step)[active]
            self._act(made, step, active, actions)
            made.taken[step, active] = True
            over = made.ended_at(step)
            active = [index for index in active if not over[index]]
            step += 1
        return Round(**{f.name: getattr(made, f.name)[:step] for f in fields(Round)})

    def _act(self, made: Round, step: int, active: list[int], actions: Actions) -> None:
        landers = self.landers
        made.observations[step, active] = landers.observations[active]
        made.actions[step, active] = actions
        rewards, terminated, truncated = landers.act_all(active, actions)
        made.rewards[step, active] = rewards
        made.terminated[step, active], made.truncated[step, active] = terminated, truncated
        made.following[step, active] = landers.observations[active]

    def _remember(self, made: Round, horizon: int) -> None:
        """Bring the story of all environments to the end of a round."""
        self.finished = []
        for env in range(self.num_envs):
            rewards = made.rewards[:, env].astype(np.float64)
            first = 0
            for last in np.flatnonzero(made.ended[:, env]).tolist():
                total = self.totals[env] + float(rewards[first : last + 1].sum())
                self.finished.append((total, float(rewards[last])))
                self.episodes[env] += 1
                self.totals[env], self.played[env], first = 0.0, [], last + 1
            if horizon:
                self.totals[env] += float(rewards[first:].sum())
                self.played[env] += made.actions[first:, env].tolist()


def _together(mine: Round, ranks: Ranks) -> Round:
    """Return the rounds of all processes side by side, in the order of the environments."""
    if ranks.size == 1:
        return mine
    num_steps = int(ranks.gather(torch.tensor([len(mine.taken)])).max())
    padded = blank(num_steps, mine.taken.shape[1])
    whole = {}
    for name in (f.name for f in fields(Round)):
        part = getattr(padded, name)
        part[: len(mine.taken)] = getattr(mine, name)
        joined = ranks.gather(torch.from_numpy(part).transpose(0, 1).contiguous())
        whole[name] = joined.transpose(0, 1).contiguous().numpy()
    return Round(**whole)
