"""The table that a network reads: chosen survey columns, and changes from day to day."""

import numpy as np
from numpy.typing import NDArray

from mlspring.homeworks.hw01_regression.data import LAGS, NUM_INPUTS
from mlspring.homeworks.hw01_regression.recipe import DataKnobs
from mlspring.worlds.survey import COLUMNS, ILLNESS, STATES

Floats = NDArray[np.float64]


def column_names(knobs: DataKnobs) -> list[str]:
    """Return the name of each column of ``build``: ``WA``, ``cli 5``, ``cli 5-4`` ..."""
    names = list(STATES) if knobs.states else []
    names += [_daily_name(position) for position in _daily(knobs)]
    if knobs.changes:
        names += [f"{_daily_name(late)}-{early // len(COLUMNS) + 1}" for early, late in _pairs()]
    return names


def build(states: NDArray[np.int64], survey: Floats, knobs: DataKnobs) -> Floats:
    """Return the inputs of a network, (n, d), for states (n,) and survey windows (n, 79).

    A change says at once what a network would have to find as a difference of two large numbers.
    """
    parts = [survey[:, _daily(knobs)]]
    if knobs.states:
        parts.insert(0, np.eye(len(STATES))[states])
    if knobs.changes:
        early, late = np.array(_pairs()).T
        parts.append(survey[:, late] - survey[:, early])
    return np.concatenate(parts, axis=1)


def starting_points(survey: Floats, knobs: DataKnobs) -> Floats:
    """Return what a network's output is added to, (n,): day 4, or nothing."""
    return survey[:, LAGS[-1]] if knobs.target == "change" else np.zeros(len(survey))


def _daily(knobs: DataKnobs) -> list[int]:
    """Return positions in the survey of the columns that the recipe gives as they are."""
    kept = (*ILLNESS, COLUMNS[-1])
    return [p for p in range(NUM_INPUTS) if knobs.habits or COLUMNS[p % len(COLUMNS)] in kept]


def _pairs() -> list[tuple[int, int]]:
    """Return positions of the same illness or test column on neighbouring days."""
    wide = len(COLUMNS)
    kept = (*ILLNESS, COLUMNS[-1])
    late = [p for p in range(wide, NUM_INPUTS) if COLUMNS[p % wide] in kept]
    return [(position - wide, position) for position in late]


def _daily_name(position: int) -> str:
    return f"{COLUMNS[position % len(COLUMNS)]} {position // len(COLUMNS) + 1}"
