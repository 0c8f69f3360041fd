"""Gymnasium's LunarLander, played by action lists or by a policy; numpy only, no torch.

An episode ends by itself (terminated: at rest +100, crash or out of view -100) or after
``MAX_STEPS`` (truncated). The judge's episodes are consecutive resets after ONE seeding, so where
an episode begins depends on how long those before it took.
"""

import functools
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import MachineError
from mlspring.homeworks.hw12_lander.lean import lean_class

NAME = "LunarLander-v3"
NUM_OBSERVED, NUM_ACTIONS = 8, 4
ACTIONS = ("nothing", "left engine", "main engine", "right engine")
MAX_STEPS = 1000
AT_REST = 100.0  # the last reward of a landing; of a crash its negative
JUDGE_SEED, JUDGE_EPISODES = 543, 5

Floats = NDArray[np.float32]
Actions = NDArray[np.int64]
Actor = Callable[[Floats], Actions]  # observations (n, 8) -> actions (n,)
# rewards, whether each step terminated its episode, and whether it truncated it
Outcome = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]


@functools.cache
def lander_class() -> Callable[..., Any]:
    """Return Gymnasium's class of the environment, with a faster step beside its own.

    Its file is loaded alone: the package around it also loads pygame, which only pictures need.

    Raises:
        MachineError: Gymnasium or Box2D is not installed.
    """
    name = "mlspring_lunar_lander"
    try:
        package = importlib.util.find_spec("gymnasium.envs.box2d")
        (folder,) = package.submodule_search_locations  # type: ignore[union-attr,misc]
        spec = importlib.util.spec_from_file_location(name, Path(folder) / "lunar_lander.py")
        module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        sys.modules[name] = module
        with warnings.catch_warnings():  # where warnings are errors, Box2D's at import would crash
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)  # type: ignore[union-attr]
    except (ImportError, AttributeError, TypeError, OSError) as error:
        sys.modules.pop(name, None)
        fix = 'pip install "gymnasium[box2d]"'
        if sys.version_info >= (3, 14):
            fix += "; Box2D has no build for this Python, but for Python 3.13"
        raise MachineError(f"{NAME} cannot be loaded ({error})", fix=fix) from error
    made: Callable[..., Any] = lean_class(module)
    return made


def versions() -> dict[str, str]:
    """Return the versions that an episode depends on, with the environment's own name."""
    found = {"environment": NAME}
    for package in ("gymnasium", "Box2D"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


class Landers:
    """Environments side by side in one process, each at its own moment of its own episode.

    Args:
        num: how many; more do not make a step cheaper, but share the network's cost.
        max_steps: after so many steps an episode is truncated.
    """

    def __init__(self, num: int, max_steps: int = MAX_STEPS) -> None:
        made = lander_class()
        self.environments = [made() for _ in range(num)]
        self.max_steps = max_steps
        self.observations: Floats = np.zeros((num, NUM_OBSERVED), np.float32)
        self.num_steps = np.zeros(num, np.int64)

    def __len__(self) -> int:
        return len(self.environments)

    def begin(self, index: int, seed: int | None = None) -> None:
        """Begin an episode; without ``seed`` the environment's own stream goes on."""
        self.observations[index], _ = self.environments[index].reset(seed=seed)
        self.num_steps[index] = 0

    def act(self, index: int, action: int) -> tuple[float, bool, bool]:
        """Take one step; return its reward and whether it terminated or truncated the episode."""
        observed, reward, terminated = self.environments[index].advance(action)
        self.observations[index] = observed
        self.num_steps[index] += 1
        return reward, terminated, not terminated and bool(self.num_steps[index] >= self.max_steps)

    def act_all(self, active: Sequence[int], actions: Actions) -> Outcome:
        """Take one step in each environment of ``active`` (n,); return what ``act`` does, (n,)."""
        environments = self.environments
        steps = [environments[i].advance(a) for i, a in zip(active, actions.tolist(), strict=True)]
        observed, rewards, ends = zip(*steps, strict=True)
        terminated = np.array(ends)
        self.observations[active] = observed
        self.num_steps[active] += 1
        truncated = ~terminated & (self.num_steps[active] >= self.max_steps)
        return np.array(rewards), terminated, truncated


@dataclass(frozen=True, kw_only=True)
class Episode:
    """What happened in one episode of T steps.

    Args:
        actions: int64 (T,).
        rewards: float64 (T,).
        observations: float32 (T + 1, 8), the last one after the last step.
        terminated: whether it ended by itself, not by the limit of steps.
    """

    actions: NDArray[np.int64]
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
    actor: Actor, seed: int, num_episodes: int, max_steps: int = MAX_STEPS
) -> list[Episode]:
    """Return the episodes of consecutive resets after one seeding, as the judge plays them."""
    landers = Landers(1, max_steps)
    episodes = []
    for number in range(num_episodes):
        landers.begin(0, seed if number == 0 else None)
        episodes.append(_one(landers, actor))
    return episodes


def _one(landers: Landers, actor: Actor) -> Episode:
    actions, rewards, seen = [], [], [landers.observations[0].copy()]
    terminated = truncated = False
    while not (terminated or truncated):
        actions.append(int(actor(landers.observations)[0]))
        reward, terminated, truncated = landers.act(0, actions[-1])
        rewards.append(reward)
        seen.append(landers.observations[0].copy())
    return Episode(
        actions=np.array(actions),
        rewards=np.array(rewards),
        observations=np.stack(seen),
        terminated=terminated,
    )


def play_seeded(
    actor: Actor, seeds: Sequence[int], max_steps: int = MAX_STEPS, batch: int = 64
) -> NDArray[np.float64]:
    """Return the total reward of one episode a seed, float64 (n, 2), beside the last reward.

    Up to ``batch`` episodes go on at once; an environment that is done begins the next seed's.
    """
    outcome = np.zeros((len(seeds), 2))
    landers = Landers(min(batch, len(seeds)), max_steps)
    waiting = iter(enumerate(seeds))
    place = [_begin_next(landers, index, waiting) for index in range(len(landers))]
    while active := [index for index, number in enumerate(place) if number is not None]:
        actions = actor(landers.observations[active])
        rewards, terminated, truncated = landers.act_all(active, actions)
        outcome[[place[index] for index in active], 0] += rewards
        for position in np.flatnonzero(terminated | truncated).tolist():
            index = active[position]
            outcome[place[index], 1] = rewards[position]
            place[index] = _begin_next(landers, index, waiting)
    return outcome


def _begin_next(landers: Landers, index: int, waiting: Iterator[tuple[int, int]]) -> int | None:
    number, seed = next(waiting, (None, 0))
    if number is not None:
        landers.begin(index, seed)
    return number


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What became of an action list.

    Args:
        total: reward of the steps that were taken.
        num_steps: steps until the episode was done, or the list's length.
        done: whether the episode was done at the last of these.
    """

    total: float
    num_steps: int
    done: bool


def replay_consecutive(
    lists: Sequence[NDArray[np.int64]], seed: int, max_steps: int = MAX_STEPS
) -> list[Replay]:
    """Return what each list does in the judge's episodes; stops after one that does not fit."""
    landers = Landers(1, max_steps)
    replays = []
    for number, actions in enumerate(lists):
        landers.begin(0, seed if number == 0 else None)
        replays.append(_replay(landers, actions))
        if not replays[-1].done or replays[-1].num_steps < len(actions):
            break
    return replays


def replay_seeded(
    lists: Sequence[NDArray[np.int64]], seeds: Sequence[int], max_steps: int = MAX_STEPS
) -> NDArray[np.float64]:
    """Return the total rewards (n,) of lists played blindly, in turn, one in each seed's episode.

    A list that ends too early is followed by doing nothing.
    """
    landers = Landers(1, max_steps)
    idle = np.zeros(max_steps, np.int64)
    totals = []
    for number, seed in enumerate(seeds):
        landers.begin(0, seed)
        actions = np.concatenate((lists[number % len(lists)], idle))
        totals.append(_replay(landers, actions).total)
    return np.array(totals)


def _replay(landers: Landers, actions: NDArray[np.int64]) -> Replay:
    total, done, taken = 0.0, False, 0
    for taken, action in enumerate(actions.tolist(), start=1):  # noqa: B007
        reward, terminated, truncated = landers.act(0, action)
        total += reward
        done = terminated or truncated
        if done:
            break
    return Replay(total=total, num_steps=taken, done=done)
