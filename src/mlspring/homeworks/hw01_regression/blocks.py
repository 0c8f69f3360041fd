"""Which rows train and which validate, so that no day is on both sides.

Neighbouring windows share four of five days. A random split puts nearly every held-out window
between two training windows of the same state and measures memory; the splits by time here keep a
gap of four windows. A random split is offered to see the difference.
"""

import numpy as np
from numpy.typing import NDArray

from mlspring.homeworks.hw01_regression.recipe import DataKnobs

Ints = NDArray[np.int64]

GAP = 4  # windows of five days on both sides of a cut that share a day with the other side


def find_runs(states: Ints, days: NDArray[np.float64]) -> tuple[Ints, Ints]:
    """Return the contiguous run of every row and its place in it, both (n,), from the rows alone.

    A row continues the run of a former row of its state whose days 2 to 5 are its days 1 to 4.

    Args:
        states: state of each row, (n,).
        days: the rows' five days with all columns, target included, (n, 5, 16).
    """
    runs, places = np.empty(len(days), np.int64), np.empty(len(days), np.int64)
    last: dict[tuple[int, bytes], tuple[int, int]] = {}  # state and last four days -> run, place
    num_runs = 0
    for row, (state, window) in enumerate(zip(states.tolist(), days, strict=True)):
        found = last.pop((state, window[:4].tobytes()), None)
        if found is None:
            found = (num_runs, -1)
            num_runs += 1
        runs[row], places[row] = found[0], found[1] + 1
        last[state, window[1:].tobytes()] = (runs[row].item(), places[row].item())
    return runs, places


def parts(runs: Ints, places: Ints, knobs: DataKnobs, seed: int) -> list[tuple[Ints, Ints]]:
    """Return training rows and held-out rows of each member of a recipe.

    Args:
        runs: contiguous run of each row, (n,).
        places: the row's place in its run, (n,).
        knobs: kind of split, share held out, folds, repeats.
        seed: of the random split.
    """
    if knobs.folds:
        return time_folds(runs, places, knobs.folds) * knobs.repeats
    if knobs.split == "time":
        return [last_days(runs, places, knobs.held_out)] * knobs.repeats
    return [random_rows(len(runs), knobs.held_out, seed)] * knobs.repeats


def last_days(runs: Ints, places: Ints, share: float) -> tuple[Ints, Ints]:
    """Return training rows and held-out rows: the last ``share`` of each run is held out."""
    lengths = np.bincount(runs)[runs]
    held_out = places >= lengths - np.round(share * lengths)
    return _apart(runs, places, held_out), np.flatnonzero(held_out)


def time_folds(runs: Ints, places: Ints, num_folds: int) -> list[tuple[Ints, Ints]]:
    """Return training rows and held-out rows: fold i holds out the i-th block of each run."""
    fold = places * num_folds // np.bincount(runs)[runs]
    return [(_apart(runs, places, fold == i), np.flatnonzero(fold == i)) for i in range(num_folds)]


def random_rows(num_rows: int, share: float, seed: int) -> tuple[Ints, Ints]:
    """Return training rows and held-out rows drawn at random, as the sample code does: it leaks."""
    order = np.random.default_rng(seed).permutation(num_rows)
    num_held_out = round(share * num_rows)
    return np.sort(order[num_held_out:]), np.sort(order[:num_held_out])


def _apart(runs: Ints, places: Ints, held_out: NDArray[np.bool_]) -> Ints:
    """Return the rows that share no day with a held-out row."""
    length = int(places.max()) + 1 + 2 * GAP
    taken = np.zeros((int(runs.max()) + 1, length), dtype=bool)
    for shift in range(2 * GAP + 1):  # each held-out window spoils four places on either side
        taken[runs[held_out], places[held_out] + shift] = True
    return np.flatnonzero(~taken[runs, places + GAP])
