"""Survey epidemic: two waves in 37 states, told by sixteen survey columns in windows of five days.

The latent epidemic is a stochastic SEIR model in each state. The first wave gives the training
windows, the second and higher one the test windows, as in the course's files, whose layout the
public files copy: ``covid.train.csv`` (id, one-hot state, five days of sixteen columns) and
``covid.test.csv`` (the same without the last value).
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.files import write_json
from mlspring.core.tables import write_table
from mlspring.worlds.shards import Shard
from mlspring.worlds.survey import COLUMNS, STATES, Floats, noise_floor, observe, walk
from mlspring.worlds.world import World

NUM_DAYS = 5
TRAIN_HEADER = ("id", *STATES, *(COLUMNS * NUM_DAYS))
TEST_HEADER = TRAIN_HEADER[:-1]
ANSWERS_HEADER = ("id", "tested_positive", "Usage")

BURN_IN = 60  # days before the survey starts, so that the start is forgotten
FIRST_WAVE, SECOND_WAVE = 45, 195  # days after the survey's start at which transmission peaks


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is told.

    Args:
        num_states: states that take part, the first ones of ``STATES``.
        train_days: days of the training period.
        gap_days: days between the last training day and the first test day.
        test_windows: disjoint windows a state in the test period.
        train_rows: windows kept for training, the latest ones; one of them is then lost.
        test_rows: windows kept for the test, a random draw.
    """

    num_states: int
    train_days: int
    gap_days: int
    test_windows: int
    train_rows: int
    test_rows: int

    @property
    def num_days(self) -> int:
        """Days from the first training day to the last test day."""
        return self.train_days + self.gap_days + self.test_windows * NUM_DAYS


FULL = Size(
    num_states=37, train_days=82, gap_days=8, test_windows=30, train_rows=2700, test_rows=1078
)


def simulate(size: Size, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return daily onsets and prevalence, shares of the population, (BURN_IN + days, states).

    SEIR with an incubation of three days and an illness of five (Kermack & McKendrick 1927, with
    an exposed stage). Transmission follows two national waves, shifted and scaled in each state,
    and a walk of each state's own; people who see illness around them avoid contacts, which
    keeps the waves finite.
    """
    num_days, num_states = BURN_IN + size.num_days, size.num_states
    day = np.arange(num_days)[:, None] - BURN_IN - rng.normal(0, 9, num_states)
    strength = np.exp(rng.normal(0, 0.2, num_states))
    first = 0.30 * np.exp(-0.5 * ((day - FIRST_WAVE) / 22) ** 2)
    second = 0.80 * np.exp(-0.5 * ((day - SECOND_WAVE) / 40) ** 2)
    national = walk((num_days, 1), 30.0, 0.10, rng)
    local = walk((num_days, num_states), 5.0, 0.40, rng)
    reproduction = np.exp(0.11 + strength * (first + second) + national + local)
    caution = 0.009 * np.exp(rng.normal(0, 0.2, num_states))  # prevalence that halves contacts
    luck = np.exp(rng.normal(0, 0.35, (num_days, num_states)))
    susceptible = np.full(num_states, 0.9)
    exposed, ill = np.full(num_states, 0.002), np.full(num_states, 0.003)
    onset, prevalence = np.empty((num_days, num_states)), np.empty((num_days, num_states))
    for t in range(num_days):
        contacts = reproduction[t] / (1 + ill / caution)
        infected = contacts * luck[t] * (susceptible / 0.9) * ill / 5
        onset[t] = exposed / 3
        susceptible = susceptible - infected + 0.002 * (0.95 - susceptible)  # immunity wanes
        exposed = exposed + infected - onset[t]
        ill = ill + onset[t] - ill / 5
        prevalence[t] = ill
    return onset, prevalence


def make(seed: int, shard: int, size: Size = FULL) -> Shard:
    """Return the windows of the whole epidemic: ``train``, ``test``, ``answers``, ``floor``."""
    rng = np.random.default_rng([seed, shard])
    onset, prevalence = simulate(size, rng)
    survey = observe(onset, prevalence, rng)
    train_days, train_states = _train_windows(size, rng)
    test_days, test_states = _test_windows(size, rng)
    test = _rows(survey.values, test_days, test_states)
    return {
        "train": _rows(survey.values, train_days, train_states),
        "test": test[:, :-1],
        "answers": test[:, -1],
        "private": rng.permutation(len(test)) < len(test) // 2,
        "floor": noise_floor(survey, test_days, test_states),
    }


def write(shards: list[Shard], public: Path, private: Path) -> None:
    """Write the two tables, the answers, and the floor that no predictor can pass."""
    (epidemic,) = shards
    num_train = len(epidemic["train"])
    ids = np.delete(np.arange(num_train + 1), (num_train + 1) * 5 // 6)  # one id is missing
    write_table(public / "covid.train.csv", TRAIN_HEADER, _cells(ids, epidemic["train"]))
    test_ids = np.arange(len(epidemic["test"]))
    write_table(public / "covid.test.csv", TEST_HEADER, _cells(test_ids, epidemic["test"]))
    usage = np.where(epidemic["private"], "Private", "Public")
    answers = [
        (i, f"{value:.7f}", part)
        for i, value, part in zip(test_ids, epidemic["answers"], usage, strict=True)
    ]
    write_table(private / "answers.csv", ANSWERS_HEADER, answers)
    variance, forecast = epidemic["floor"].T
    oracle = float(np.mean((forecast - epidemic["answers"]) ** 2))
    summary = {"noise_floor": round(float(variance.mean()), 5), "oracle": round(oracle, 5)}
    write_json(public / "facts.json", summary)


def _train_windows(
    size: Size, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return fifth day and state of every training window, in the order of time.

    Windows start on every day; some states have a hole of a few days, where too few people
    answered, and the first windows are dropped until ``train_rows`` are left.
    """
    pairs = []
    for state in range(size.num_states):
        hole = rng.integers(0, 4 * size.train_days)  # beyond the period for most states
        for day in range(BURN_IN + NUM_DAYS - 1, BURN_IN + size.train_days):
            if not hole <= day - BURN_IN < hole + 7:
                pairs.append((day, rng.random(), state))
    pairs = sorted(pairs)[-size.train_rows :]
    windows = np.array([(day, state) for day, _, state in pairs], dtype=np.int64)
    windows = np.delete(windows, size.train_rows * 5 // 6, axis=0)  # as in the course's file
    return windows[:, 0], windows[:, 1]


def _test_windows(
    size: Size, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return fifth day and state of the test windows: no two share a day, order shuffled."""
    first = BURN_IN + size.train_days + size.gap_days
    days = first + NUM_DAYS * np.arange(size.test_windows) + NUM_DAYS - 1
    grid = np.stack(np.meshgrid(days, np.arange(size.num_states)), axis=2).reshape(-1, 2)
    windows = rng.permutation(grid)[: size.test_rows]
    return windows[:, 0], windows[:, 1]


def _rows(values: Floats, days: NDArray[np.int64], states: NDArray[np.int64]) -> Floats:
    """Return rows of the table without ids: one-hot state and five days; (N, 37 + 80)."""
    one_hot = np.eye(len(STATES))[states]
    window = values[days[:, None] + np.arange(1 - NUM_DAYS, 1), states[:, None]]  # (N, 5, 16)
    rows: Floats = np.concatenate([one_hot, window.reshape(len(days), -1)], axis=1)
    return rows


def _cells(ids: NDArray[np.int64], rows: Floats) -> list[list[str]]:
    num_states = len(STATES)
    return [
        [str(i), *(f"{v:.0f}" for v in row[:num_states]), *(f"{v:.7f}" for v in row[num_states:])]
        for i, row in zip(ids, rows, strict=True)
    ]


def epidemic_world(size: Size = FULL, name: str = "epidemic") -> World:
    """Return the world; another ``size`` needs another ``name``."""
    return World(
        name=name,
        title="survey epidemic",
        description="Two waves of an epidemic, told day by day by a survey of 16 columns.",
        version=1,
        seed=0,
        num_shards=1,
        make=partial(make, size=size),
        write=write,
        unit="stories",
    )
