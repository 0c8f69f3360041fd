"""How well a policy plays the held-out episodes, which choose the weights that are kept."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.homeworks.hw12_lander import episodes
from mlspring.homeworks.hw12_lander.environment import AT_REST
from mlspring.homeworks.hw12_lander.models import Network, policy_of
from mlspring.homeworks.hw12_lander.policy import Policy
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import derive_seed
from mlspring.kit.state import TrainState


def validate(
    state: TrainState[Any], extra: dict[str, Any], num: int, max_steps: int, ranks: Ranks
) -> dict[str, float]:
    """Return the log values of ``num`` held-out episodes; keep the weights that did best so far.

    ``state.others["best"]`` holds these weights, ``extra["best"]`` their mean total reward.
    """
    model: Network = state.model
    measured = measure(rewards(policy_of(model), num, max_steps, ranks))
    if measured["valid__reward"] > extra.get("best", -math.inf):
        extra["best"] = measured["valid__reward"]
        state.others["best"].load_state_dict(model.state_dict())
    return measured


def seeds(num: int) -> list[int]:
    """Return the held-out episodes' seeds: neither the judge's nor any of training.

    They are the same for every run, so that methods and seeds are compared on the same episodes.
    """
    return [derive_seed("lander", "held out", number) for number in range(num)]


def rewards(policy: Policy, num: int, max_steps: int, ranks: Ranks = ALONE) -> NDArray[np.float64]:
    """Return total and last reward of the greedy policy in each held-out episode, (num, 2)."""
    every = seeds(num)
    shard = every[ranks.shard(num)]
    rows = episodes.play_seeded(policy.greedy, shard, max_steps)
    return ranks.gather(torch.from_numpy(rows)).numpy()


def measure(rows: NDArray[np.float64]) -> dict[str, float]:
    """Return mean and spread of the total rewards, and the share of landings, of rows (n, 2)."""
    totals, last = rows.T
    return {
        "valid__reward": round(float(totals.mean()), 5),
        "valid__spread": round(float(totals.std()), 5),
        "valid__landed": round(float((last == AT_REST).mean()), 5),
    }
