"""How well it plays: held-out episodes that choose the weights, and training's, in numbers."""

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.homeworks.hw12_lander import environment
from mlspring.homeworks.hw12_lander.policy import Policy
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import derive_seed


def seeds(num: int) -> list[int]:
    """Return the held-out episodes' seeds: neither the judge's nor any of training.

    They are the same for every run, so that methods and seeds are compared on the same episodes.
    """
    return [derive_seed("lander", "held out", number) for number in range(num)]


def rewards(
    policy: Policy, recipe: Recipe, max_steps: int, ranks: Ranks = ALONE
) -> NDArray[np.float64]:
    """Return total and last reward of the greedy policy in each held-out episode, (n, 2)."""
    every = seeds(recipe.collect.held_out)
    share = every[ranks.shard(len(every))]
    rows = environment.play_seeded(policy.greedy, share, max_steps)
    return ranks.gather(torch.from_numpy(rows)).numpy()


def measure(rows: NDArray[np.float64]) -> dict[str, float]:
    """Return mean and spread of the total rewards, and the share of landings, of rows (n, 2)."""
    totals, last = rows.T
    return {
        "valid__reward": round(float(totals.mean()), 5),
        "valid__spread": round(float(totals.std()), 5),
        "valid__landed": round(float((last == environment.AT_REST).mean()), 5),
    }


def playing(finished: list[tuple[float, float]]) -> dict[str, float]:
    """Return mean total and last reward of the episodes that ended since the last log, if any."""
    if not finished:
        return {}
    totals, last = zip(*finished, strict=True)
    return {
        "train__episodes": len(finished),
        "train__reward": round(sum(totals) / len(totals), 5),
        "train__last_reward": round(sum(last) / len(last), 5),
    }
