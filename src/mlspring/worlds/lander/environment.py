"""Gymnasium's LunarLander, many of them side by side; numpy only, no torch.

An episode ends by itself (terminated: at rest +100, crash or out of view -100) or after
``MAX_STEPS`` (truncated).
"""

from collections.abc import Sequence
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.lander.fast_env import NAME, lander_class

NUM_OBSERVED, NUM_ACTIONS = 8, 4
ACTIONS = ("nothing", "left engine", "main engine", "right engine")
MAX_STEPS = 1000
AT_REST = 100.0  # the last reward of a landing; of a crash its negative

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Actions = NDArray[np.int64]


def versions() -> dict[str, str]:
    """Return the versions that an episode depends on, with the environment's own name."""
    packages = {"environment": NAME}
    for package in ("gymnasium", "Box2D"):
        try:
            packages[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return packages


class Landers:
    """Environments side by side in one process, each at its own step of its own episode.

    Args:
        num: how many; more do not make a step cheaper, but share the network's cost.
        max_steps: after so many steps an episode is truncated.

    Attributes:
        observations: float32 (num, 8), the present ones.
        num_steps: int64 (num,), steps since each one's reset.
    """

    def __init__(self, num: int, max_steps: int = MAX_STEPS) -> None:
        make = lander_class()
        self.environments = [make() for _ in range(num)]
        self.max_steps = max_steps
        self.observations: Floats = np.zeros((num, NUM_OBSERVED), np.float32)
        self.num_steps = np.zeros(num, np.int64)

    def __len__(self) -> int:
        return len(self.environments)

    def reset(self, index: int, seed: int | None = None) -> None:
        """Begin an episode; without ``seed`` the environment's own random stream goes on."""
        self.observations[index], _ = self.environments[index].reset(seed=seed)
        self.num_steps[index] = 0

    def step(self, index: int, action: int) -> tuple[float, bool, bool]:
        """Take one step; return its reward and whether it terminated or truncated the episode."""
        observation, reward, terminated = self.environments[index].step(action)
        self.observations[index] = observation
        self.num_steps[index] += 1
        return reward, terminated, not terminated and bool(self.num_steps[index] >= self.max_steps)

    def step_all(
        self, active: Sequence[int], actions: Actions
    ) -> tuple[NDArray[np.float64], Bools, Bools]:
        """Take one step in each environment of ``active`` (n,); return what ``step`` does, (n,)."""
        environments = self.environments
        steps = [environments[i].step(a) for i, a in zip(active, actions.tolist(), strict=True)]
        observations, rewards, ends = zip(*steps, strict=True)
        terminated = np.array(ends)
        self.observations[active] = observations
        self.num_steps[active] += 1
        truncated = ~terminated & (self.num_steps[active] >= self.max_steps)
        return np.array(rewards), terminated, truncated
