"""What tests of homework 12 share: recipes, networks, rollouts and files that are made up."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw12_lander import models
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.methods.ppo import Batch
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import (
    Rollout,
    VectorEnv,
    empty,
)
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.kit import device
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.worlds.lander.fast_env import NAME
from mlspring.worlds.lander.policy import Policy
from tests.tiny.landings import SMALL, policy

WORLD = SPEC.folder / "recipes" / "world"
HARDWARE = device.choose("cpu", "fp32", work="dense")
LEVELS = ("simple", "medium", "strong", "boss")
RULES = Data(environment=NAME, seed=543, episodes=2, max_steps=1000)


def recipe(name: str, *overrides: str) -> Recipe:
    return load_recipe(Recipe, WORLD / f"{name}.toml", ("model.hidden=[6, 5]", *overrides))


def small_recipe(name: str, *overrides: str) -> Recipe:
    """Return a recipe of a few steps."""
    return load_recipe(Recipe, WORLD / f"{name}.toml", (*SMALL, *overrides))


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


def slopes(model: nn.Module, loss: Callable[[], Tensor]) -> tuple[list[float], list[float]]:
    """Return the slopes along five directions by the gradient, and by central differences."""
    model.zero_grad()
    loss().backward()
    parameters = [p for p in model.parameters() if p.grad is not None]
    by_gradient, by_difference = [], []
    for seed in range(5):
        stream = torch.Generator().manual_seed(seed)
        ways = [torch.randn(p.shape, generator=stream, dtype=p.dtype) for p in parameters]
        by_gradient.append(
            sum((p.grad * w).sum().item() for p, w in zip(parameters, ways, strict=True))
        )
        sides = []
        for sign in (1, -2):
            with torch.no_grad():
                for p, w in zip(parameters, ways, strict=True):
                    p.add_(w, alpha=sign * 1e-6)
                sides.append(loss().item())
        with torch.no_grad():
            for p, w in zip(parameters, ways, strict=True):
                p.add_(w, alpha=1e-6)
        by_difference.append((sides[0] - sides[1]) / 2e-6)
    return by_gradient, by_difference


def random_rollout(seed: int = 0, num_steps: int = 6, num_envs: int = 2) -> Rollout:
    rng = np.random.default_rng(seed)
    rollout = empty(num_steps, num_envs)
    rollout.observations[:] = rng.normal(size=rollout.observations.shape)
    rollout.next_observations[:-1] = rollout.observations[1:]
    rollout.next_observations[-1] = rng.normal(size=rollout.next_observations[-1].shape)
    rollout.rewards[:] = rng.normal(size=rollout.rewards.shape)
    rollout.actions[:] = rng.integers(0, 4, rollout.actions.shape)
    rollout.valid[:] = True
    return rollout


def begun(seed: int, num_envs: int, max_steps: int = 1000, ranks: Ranks = ALONE) -> VectorEnv:
    """Return environments in their first episodes."""
    envs = VectorEnv(seed, num_envs, ranks, max_steps)
    envs.load_state_dict(None)
    return envs


def greedy(observations: np.ndarray, step: int) -> np.ndarray:
    return policy().greedy(observations)


def fixed_policy(logits: list[float]) -> Policy:
    """Return a policy with the same logits everywhere."""
    weights = [np.zeros((4, 8), np.float32)]
    return Policy(weights=weights, biases=[np.array(logits, np.float32)], activation="tanh")


def npy_header(rest: str) -> bytes:
    return (b"\x93NUMPY\x01\x00v\x00{" + rest.encode() + b", }").ljust(127) + b"\n"


OBJECTS = npy_header("'descr': '|O', 'fortran_order': False, 'shape': (5,)")


def objects(rows: list[object]) -> np.ndarray:
    """Return an object array of these elements, whatever they are."""
    array = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        array[place] = row
    return array
