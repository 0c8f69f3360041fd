"""What all methods do alike: begin with fresh weights, validate, keep the best weights."""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mlspring.core.runs import Run
from mlspring.homeworks.hw12_lander.models import policy_of
from mlspring.homeworks.hw12_lander.recipe import ModelKnobs, Recipe
from mlspring.homeworks.hw12_lander.rollout import VectorEnv
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import derive_seed, seed_everything
from mlspring.kit.state import TrainState
from mlspring.kit.training import Bookkeeper
from mlspring.worlds.lander import episodes
from mlspring.worlds.lander.environment import AT_REST
from mlspring.worlds.lander.policy import Policy

M = TypeVar("M", bound=nn.Module)
NUMBER = 0  # a run trains one network


def new_state(
    network: Callable[[ModelKnobs], M], recipe: Recipe, seed: int, hardware: Hardware
) -> TrainState[M]:
    """Return a network with fresh weights, which depend on the seed alone, and its optimizer.

    ``others["best"]`` is for the weights that do best on the held-out episodes; these predict.
    Source of the optimizer: Kingma & Ba 2015 (Adam, arXiv:1412.6980).
    """
    seed_everything(seed, "weights", NUMBER)
    model = hardware.to_device(network(recipe.model)).train()
    optimizer = torch.optim.Adam(model.parameters(), recipe.train.learning_rate, fused=True)
    return TrainState(model=model, optimizer=optimizer, others={"best": copy.deepcopy(model)})


@contextmanager
def learning(
    state: TrainState[Any], recipe: Recipe, run: Run, ranks: Ranks
) -> Iterator[tuple[Bookkeeper, VectorEnv]]:
    """Yield books and environments, as the last saved state left them; save the best weights."""
    envs = VectorEnv(run.request.seed, recipe.collect.num_envs, ranks)
    knobs = recipe.train
    with Bookkeeper(run, NUMBER, state, knobs, knobs.steps, ranks, "train") as books:
        envs.load_state_dict(books.extra.get("envs"))
        yield books, envs
        if ranks.is_main:
            best = {"reward": books.extra["best"]}
            checkpoint.save_weights(weights_path(run, NUMBER), state.others["best"], best)
        books.finish()


def validate(
    state: TrainState[Any], books: Bookkeeper, envs: VectorEnv, held_out: int, **values: float
) -> None:
    """Log the reward of ``held_out`` episodes and ``values``; keep the weights that did best."""
    measured = measure(held_out_rewards(policy_of(state.model), held_out, books.ranks))
    if measured["valid__reward"] > books.extra.get("best", -math.inf):
        books.extra["best"] = measured["valid__reward"]
        state.others["best"].load_state_dict(state.model.state_dict())
    books.log(**envs.statistics(), **measured, **values)


def save_if_due(books: Bookkeeper, envs: VectorEnv) -> None:
    """Save a state from which a stopped run goes on, if the last one is old enough."""
    if books.due():
        books.extra["envs"] = envs.state_dict()
        books.save()


def held_out_seeds(num: int) -> list[int]:
    """Return the held-out episodes' seeds: neither the judge's nor any of training.

    They are the same for every run, so that methods and seeds are compared on the same episodes.
    """
    return [derive_seed("lander", "held out", number) for number in range(num)]


def held_out_rewards(policy: Policy, num: int, ranks: Ranks = ALONE) -> NDArray[np.float64]:
    """Return total and last reward of the greedy policy in each held-out episode, (num, 2)."""
    rows = episodes.play_seeded(policy.greedy, held_out_seeds(num)[ranks.shard(num)])
    return ranks.gather(torch.from_numpy(rows)).numpy()


def measure(rows: NDArray[np.float64]) -> dict[str, float]:
    """Return mean and spread of the total rewards, and the share of landings, of rows (n, 2)."""
    totals, last = rows.T
    return {
        "valid__reward": round(float(totals.mean()), 5),
        "valid__spread": round(float(totals.std()), 5),
        "valid__landed": round(float((last == AT_REST).mean()), 5),
    }
