"""Which rows train and which validate, so that no day is on both sides.

Neighbouring windows share four of five days. A random split puts nearly every held-out window
between two training windows of the same state and measures memory; the splits by time here keep a
gap of four windows. A random split is offered to see the difference.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.homeworks.hw01_regression.recipe import DataKnobs

Ints = NDArray[np.int64]

GAP = 4  # windows of five days on both sides of a cut that share a day with the other side


def find_runs(states: Ints, windows: NDArray[np.float64]) -> tuple[Ints, Ints]:
    """Return the run of days that every row belongs to, and where in it the row starts; (n,) each.

    Found from the rows alone, in whatever order they stand: a day follows another where it does so
    in some window of its state. Rows of different runs share no day.

    Args:
        states: state of each row, (n,).
        windows: the rows' five days with all columns, target included, (n, 5, 16).
    """
    days = [
        [(state, day.tobytes()) for day in window]
        for state, window in zip(states.tolist(), windows, strict=True)
    ]
    follows = dict(pair for window in days for pair in itertools.pairwise(window))
    starts = dict.fromkeys(window[0] for window in days)  # in the order of the rows
    for later in follows.values():
        starts.pop(later, None)
    found: dict[tuple[int, bytes], tuple[int, int]] = {}  # run of a day, and its index there
    for run, start in enumerate(starts):
        day: tuple[int, bytes] | None = start
        index = 0
        while day is not None and day not in found:  # a day may follow itself
            found[day] = (run, index)
            day, index = follows.get(day), index + 1
    runs_places = [found.get(window[0], (len(starts), 0)) for window in days]
    runs, places = np.array(runs_places, dtype=np.int64).T
    return runs, places


def parts(runs: Ints, places: Ints, knobs: DataKnobs, seed: int) -> list[tuple[Ints, Ints]]:
    """Return training rows and held-out rows of each member of a recipe.

    Args:
        runs: contiguous run of each row, (n,).
        places: first day of the row in its run, (n,).
        knobs: kind of split, share held out, folds.
        seed: of the random split.

    Raises:
        DataError: a member would have no row to train on, or none to validate on.
    """
    if knobs.folds:
        members = time_folds(runs, places, knobs.folds)
    elif knobs.split == "time":
        members = [last_days(runs, places, knobs.held_out)]
    else:
        members = [random_rows(len(runs), knobs.held_out, seed)]
    for train, held_out in members:
        if not len(train) or not len(held_out):
            raise DataError(
                f"{len(runs)} training rows split into {len(train)} and {len(held_out)}",
                expected="rows on both sides, in longer runs of days",
                fix="give more rows, fewer data.folds or another data.held_out",
            )
    return members


def last_days(runs: Ints, places: Ints, share: float) -> tuple[Ints, Ints]:
    """Return training rows and held-out rows: the last ``share`` of each run is held out."""
    lengths = _lengths(runs, places)
    held_out = places >= lengths - np.round(share * lengths)
    return _apart(runs, places, held_out), np.flatnonzero(held_out)


def time_folds(runs: Ints, places: Ints, num_folds: int) -> list[tuple[Ints, Ints]]:
    """Return training rows and held-out rows: fold i holds out the i-th block of each run."""
    fold = places * num_folds // _lengths(runs, places)
    return [(_apart(runs, places, fold == i), np.flatnonzero(fold == i)) for i in range(num_folds)]


def random_rows(num_rows: int, share: float, seed: int) -> tuple[Ints, Ints]:
    """Return training rows and held-out rows drawn at random, as the sample code does: it leaks."""
    order = np.random.default_rng(seed).permutation(num_rows)
    num_held_out = round(share * num_rows)
    return np.sort(order[num_held_out:]), np.sort(order[:num_held_out])


def _lengths(runs: Ints, places: Ints) -> Ints:
    """Return the number of windows that each row's run has room for, (n,)."""
    last = np.zeros(runs.max() + 1, dtype=np.int64)
    np.maximum.at(last, runs, places)
    return last[runs] + 1


def _apart(runs: Ints, places: Ints, held_out: NDArray[np.bool_]) -> Ints:
    """Return the rows that share no day with a held-out row."""
    length = int(places.max()) + 1 + 2 * GAP
    taken = np.zeros((int(runs.max()) + 1, length), dtype=bool)
    for shift in range(2 * GAP + 1):  # each held-out window spoils four places on either side
        taken[runs[held_out], places[held_out] + shift] = True
    return np.flatnonzero(~taken[runs, places + GAP])
