"""Landings: nothing to learn from, only the rules of the game and the judge's secret episodes.

The environment itself makes the data. ``environment.json`` tells which episodes are judged in the
open, the course's five; the answers name the seeds of others that nobody trains on, because five
known episodes can be learnt by heart.
"""

from functools import partial
from pathlib import Path

import numpy as np

from mlspring.core.files import write_json
from mlspring.core.tables import write_table
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World

NAME, FILE = "LunarLander-v3", "environment.json"
SEED, NUM_EPISODES, MAX_STEPS = 543, 5, 1000
NUM_HIDDEN = 100
HEADER = ("id", "seed", "Usage")


def make(seed: int, shard: int, num_hidden: int = NUM_HIDDEN) -> Shard:
    """Return ``seeds``, int64 (num_hidden,), no two alike: those of the secret episodes."""
    rng = np.random.default_rng([12, seed, shard])
    return {"seeds": rng.choice(2**31 - 1, num_hidden, replace=False)}


def write(shards: list[Shard], public: Path, private: Path) -> None:
    """Write the rules, and the seeds of all judged episodes."""
    write_rules(public)
    rows = [(str(number), SEED, "Public") for number in range(1, NUM_EPISODES + 1)]
    hidden = np.concatenate([shard["seeds"] for shard in shards]).tolist()
    rows += [(f"h{number:03d}", seed, "Private") for number, seed in enumerate(hidden, start=1)]
    write_table(private / "answers.csv", HEADER, rows)


def write_rules(folder: Path) -> Path:
    """Write the rules of the course into ``folder`` and return the file."""
    rules = {
        "environment": NAME,
        "seed": SEED,
        "episodes": NUM_EPISODES,
        "max_steps": MAX_STEPS,
    }
    write_json(folder / FILE, rules)
    return folder / FILE


def landings_world(num_hidden: int = NUM_HIDDEN, name: str = "landings") -> World:
    """Return the world; another number of secret episodes needs another ``name``."""
    return World(
        name=name,
        title="landings on the moon",
        description="Five known episodes of LunarLander and a hundred that only the judge knows.",
        version=1,
        seed=0,
        num_shards=1,
        make=partial(make, num_hidden=num_hidden),
        write=write,
        unit="sets",
    )
