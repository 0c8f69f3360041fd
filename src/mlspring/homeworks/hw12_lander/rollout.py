"""Playing while learning: rollouts of many environments, which a stopped run finds again.

An episode is fixed by its number, which seeds it, and by the actions taken in it. So a state holds
no more than these: a resumed run takes the actions again, equal to the last bit.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlspring.kit.distributed import Ranks
from mlspring.kit.seeding import derive_seed, generator
from mlspring.worlds.lander import environment
from mlspring.worlds.lander.environment import MAX_STEPS, Actions, Bools, Floats, Landers
from mlspring.worlds.lander.policy import Policy

ActFn = Callable[[Floats, int], Actions]  # observations (n, 8), step -> actions (n,)
WHOLE_EPISODES = 0  # as a horizon
KEPT = ("num_rollouts", "num_steps", "episodes", "actions", "totals", "finished")  # in a state


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """What was played: T steps in each of N environments.

    Args:
        observations: before each step, float32 (T, N, 8).
        actions: int64 (T, N).
        rewards: float32 (T, N).
        next_observations: after each step, before any new episode, float32 (T, N, 8).
        terminated: bool (T, N), the episode ended by itself.
        truncated: bool (T, N), it was cut by the limit of steps.
        valid: bool (T, N), the step was taken; where whole episodes are played, shorter ones end
            before step T.
    """

    observations: Floats
    actions: Actions
    rewards: Floats
    next_observations: Floats
    terminated: Bools
    truncated: Bools
    valid: Bools

    @property
    def dones(self) -> Bools:
        """Where an episode was over, for either reason: bool (T, N)."""
        return self.terminated | self.truncated

    def tensors(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return observations (n, 8) and actions (n,) of the n valid steps, step by step."""
        valid = torch.from_numpy(self.valid)
        observations = torch.from_numpy(self.observations)[valid]
        return observations.to(device), torch.from_numpy(self.actions)[valid].to(device)


def empty(num_steps: int, num_envs: int) -> Rollout:
    """Return a rollout in which no step is taken yet."""
    shape = (num_steps, num_envs)
    return Rollout(
        observations=np.zeros((*shape, environment.NUM_OBSERVED), np.float32),
        actions=np.zeros(shape, np.int64),
        rewards=np.zeros(shape, np.float32),
        next_observations=np.zeros((*shape, environment.NUM_OBSERVED), np.float32),
        terminated=np.zeros(shape, bool),
        truncated=np.zeros(shape, bool),
        valid=np.zeros(shape, bool),
    )


def sampled(policy: Policy, uniform: Floats) -> ActFn:
    """Return actions drawn from softmax(logits), by ``uniform`` numbers (T, n, 4) in [0, 1).

    argmax(logits + g) has these probabilities where g is Gumbel noise -log(-log u) (Gumbel 1954).
    """
    noise = -np.log(-np.log(uniform.clip(1e-12, 1 - 1e-7)))
    return lambda observations, step: (policy.logits(observations) + noise[step]).argmax(1)


class VectorEnv:
    """N environments, of which this process plays its share; it knows the episodes of all.

    Args:
        seed: of the run.
        num_envs: N, over all processes.
        ranks: the processes.
        max_steps: limit of an episode.
    """

    def __init__(self, seed: int, num_envs: int, ranks: Ranks, max_steps: int = MAX_STEPS) -> None:
        self.seed, self.num_envs, self.ranks = seed, num_envs, ranks
        self.shard = ranks.shard(num_envs)
        self.landers = Landers(self.shard.stop - self.shard.start, max_steps)
        self.num_rollouts = self.num_steps = 0  # so far; steps of all environments
        self.num_played = 0  # steps since this process began
        self.episodes = [0] * num_envs  # number of each environment's present episode
        self.actions: list[list[int]] = [[] for _ in range(num_envs)]  # taken in it so far
        self.totals = [0.0] * num_envs  # and their rewards
        self.finished: list[list[float]] = []  # total and last reward of episodes since the log

    def state_dict(self) -> dict[str, Any]:
        """Return what ``load_state_dict`` needs, as JSON values."""
        return {name: getattr(self, name) for name in KEPT}

    def load_state_dict(self, state: dict[str, Any] | None) -> None:
        """Begin the first episodes, or stand again where a state was taken."""
        for name, value in copy.deepcopy(state or {}).items():
            setattr(self, name, value)
        for index, env in enumerate(range(self.shard.start, self.shard.stop)):
            self._reset(index, self.episodes[env])
            for action in self.actions[env]:
                self.landers.step(index, action)

    def uniform(self, horizon: int) -> Floats:
        """Return all random numbers of the next rollout, in [0, 1): float32 (T, n, 4).

        They depend on the seed and the rollout's number alone, not on the number of processes.
        """
        stream = generator(self.seed, "act", self.num_rollouts)
        num_steps = horizon or self.landers.max_steps
        shape = (num_steps, self.num_envs, environment.NUM_ACTIONS)
        return torch.rand(shape, generator=stream).numpy()[:, self.shard]

    def rollout(self, act: ActFn, horizon: int) -> Rollout:
        """Return ``horizon`` steps of every environment; 0: a whole new episode of each."""
        mine = self._play_steps(act, horizon) if horizon else self._play_episodes(act)
        everyone = _gather(mine, self.ranks)
        self._keep(everyone, horizon)
        return everyone

    def statistics(self) -> dict[str, float]:
        """Return log values: steps so far, and mean rewards of episodes since the last call."""
        values: dict[str, float] = {"env_steps": self.num_steps}
        if self.finished:
            totals, last = zip(*self.finished, strict=True)
            values["train__episodes"] = len(totals)
            values["train__reward"] = round(sum(totals) / len(totals), 5)
            values["train__last_reward"] = round(sum(last) / len(last), 5)
        self.finished = []
        return values

    def _reset(self, index: int, episode: int) -> None:
        env = self.shard.start + index
        self.landers.reset(index, derive_seed(self.seed, "episode", env, episode))

    def _play_steps(self, act: ActFn, horizon: int) -> Rollout:
        landers, episodes = self.landers, self.episodes[self.shard]
        rollout = empty(horizon, len(landers))
        everyone = list(range(len(landers)))
        for step in range(horizon):
            dones = self._step(rollout, step, everyone, act(landers.observations, step))
            for index in np.flatnonzero(dones).tolist():
                episodes[index] += 1
                self._reset(index, episodes[index])
        return rollout

    def _play_episodes(self, act: ActFn) -> Rollout:
        landers = self.landers
        for index, episode in enumerate(self.episodes[self.shard]):
            self._reset(index, episode)
        rollout = empty(landers.max_steps, len(landers))
        active, step = list(range(len(landers))), 0
        while active:
            actions = act(landers.observations, step)[active]
            dones = self._step(rollout, step, active, actions).tolist()
            active = [index for index, done in zip(active, dones, strict=True) if not done]
            step += 1
        return Rollout(**{f.name: getattr(rollout, f.name)[:step] for f in fields(Rollout)})

    def _step(self, rollout: Rollout, step: int, active: list[int], actions: Actions) -> Bools:
        """Take one step in each of ``active`` (n,), into ``rollout``; return the dones, (n,)."""
        landers = self.landers
        rollout.observations[step, active] = landers.observations[active]
        rollout.actions[step, active] = actions
        rewards, terminated, truncated = landers.step_all(active, actions)
        rollout.rewards[step, active], rollout.valid[step, active] = rewards, True
        rollout.terminated[step, active], rollout.truncated[step, active] = terminated, truncated
        rollout.next_observations[step, active] = landers.observations[active]
        return terminated | truncated

    def _keep(self, rollout: Rollout, horizon: int) -> None:
        """Bring the state of all environments to the end of a rollout."""
        self.num_rollouts += 1
        num_steps = int(rollout.valid.sum())
        self.num_steps, self.num_played = self.num_steps + num_steps, self.num_played + num_steps
        for env in range(self.num_envs):
            rewards, first = rollout.rewards[:, env].astype(np.float64), 0
            for last in np.flatnonzero(rollout.dones[:, env]).tolist():
                total = self.totals[env] + float(rewards[first : last + 1].sum())
                self.finished.append([total, float(rewards[last])])
                self.episodes[env] += 1
                self.totals[env], self.actions[env], first = 0.0, [], last + 1
            if horizon:
                self.totals[env] += float(rewards[first:].sum())
                self.actions[env] += rollout.actions[first:, env].tolist()


def _gather(mine: Rollout, ranks: Ranks) -> Rollout:
    """Return the rollouts of all processes side by side, in the order of the environments."""
    if ranks.size == 1:
        return mine
    num_steps = int(ranks.gather(torch.tensor([len(mine.valid)])).max())
    padded = empty(num_steps, mine.valid.shape[1])
    everyone = {}
    for name in (f.name for f in fields(Rollout)):
        part = getattr(padded, name)
        part[: len(mine.valid)] = getattr(mine, name)
        joined = ranks.gather(torch.from_numpy(part).transpose(0, 1).contiguous())
        everyone[name] = joined.transpose(0, 1).contiguous().numpy()
    return Rollout(**everyone)
