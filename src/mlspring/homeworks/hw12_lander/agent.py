"""What all methods do alike: begin with fresh weights, validate, keep the best weights."""

import copy
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mlspring.homeworks.hw12_lander.models import policy_of
from mlspring.homeworks.hw12_lander.recipe import ModelKnobs, Recipe
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


def validate(state: TrainState[Any], books: Bookkeeper, num_episodes: int) -> dict[str, float]:
    """Return the log values of the held-out episodes; keep the weights that did best so far."""
    measured = measure(held_out_rewards(policy_of(state.model), num_episodes, books.ranks))
    if measured["valid__reward"] > books.extra.get("best", -math.inf):
        books.extra["best"] = measured["valid__reward"]
        state.others["best"].load_state_dict(state.model.state_dict())
    return measured


def finish(state: TrainState[Any], books: Bookkeeper) -> None:
    """Save the best weights with their mean reward; the run is trained."""
    if books.ranks.is_main:
        best = {"reward": books.extra["best"]}
        checkpoint.save_weights(weights_path(books.run, NUMBER), state.others["best"], best)
    books.finish()


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
