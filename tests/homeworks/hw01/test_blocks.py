"""Splits by time of homework 1, and the proof that a random split leaks."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError
from mlspring.core.source import Source, official
from mlspring.homeworks.hw01_regression import blocks, references
from mlspring.homeworks.hw01_regression import data as island
from mlspring.homeworks.hw01_regression.data import Data
from mlspring.worlds import epidemic
from tests.tiny.survey import SIMPLE

SIZE = epidemic.Size(
    num_states=12, train_days=82, gap_days=8, test_windows=6, train_rows=900, test_rows=70
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    public, private = (tmp_path_factory.mktemp(name) for name in ("public", "private"))
    epidemic.write([epidemic.make(0, 0, SIZE)], public, private)
    return island.load(Source(kind="world", folder=public), SIMPLE)


def state_days(data: Data, rows: np.ndarray) -> set[tuple[int, float]]:
    """Return state and positive tests of every day in ``rows``: what names a day here."""
    values = np.concatenate(
        [data.train_survey[:, island.LAGS], data.train_targets[:, None]], axis=1
    )
    states = np.repeat(data.train_states[rows], 5).tolist()
    return set(zip(states, values[rows].ravel().tolist(), strict=True))


def test_runs_are_found_again_from_the_rows(data: Data) -> None:
    """Rows of a run belong to one state; where one starts a day later, it repeats four days."""
    for run in range(data.train_runs.max() + 1):
        rows = np.flatnonzero(data.train_runs == run)
        assert len(np.unique(data.train_states[rows])) == 1
        assert data.train_places[rows].min() == 0
        for former, row in itertools.pairwise(rows):
            step = data.train_places[row] - data.train_places[former]
            assert 1 <= step <= 4
            assert data.train_survey[row, 15] == data.train_survey[former, 16 * step + 15]


def made_windows(first_days: list[int]) -> np.ndarray:
    return np.stack([np.arange(i, i + 5.0)[:, None] + np.zeros(16) for i in first_days])


def test_a_hole_of_days_ends_a_run_and_a_lost_window_does_not() -> None:
    first_days = [0, 1, 2, 4, 5, 10, 11]  # window 3 is lost; 6 to 9 are, too: no day is shared
    runs, places = blocks.find_runs(np.zeros(7, np.int64), made_windows(first_days))
    assert runs.tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert places.tolist() == [0, 1, 2, 4, 5, 0, 1]


def test_runs_do_not_depend_on_the_order_of_rows() -> None:
    runs, places = blocks.find_runs(np.zeros(4, np.int64), made_windows([8, 1, 0, 7]))
    assert runs.tolist() == [1, 0, 0, 1]
    assert places.tolist() == [1, 1, 0, 0]


def test_days_that_all_look_alike_do_not_hang() -> None:
    runs, places = blocks.find_runs(np.zeros(3, np.int64), np.ones((3, 5, 16)))
    assert runs.tolist() == [0, 0, 0]
    assert places.tolist() == [0, 0, 0]


def test_two_states_may_tell_the_same_values() -> None:
    runs, _ = blocks.find_runs(np.array([3, 8, 8, 3]), made_windows([0, 0, 1, 1]))
    assert runs.tolist() == [0, 1, 1, 0]


def test_the_last_days_share_no_day_with_training(data: Data) -> None:
    train, held_out = blocks.last_days(data.train_runs, data.train_places, 0.2)
    assert len(held_out) == pytest.approx(0.2 * len(data.train_targets), rel=0.1)
    assert not state_days(data, train) & state_days(data, held_out)
    for run in np.unique(data.train_runs[held_out]):
        inside = data.train_runs[train] == run
        if inside.any():
            first = data.train_places[held_out][data.train_runs[held_out] == run].min()
            assert data.train_places[train][inside].max() == first - blocks.GAP - 1


def test_folds_hold_out_every_row_once_and_share_no_day(data: Data) -> None:
    folds = blocks.time_folds(data.train_runs, data.train_places, 5)
    everything = np.concatenate([held_out for _, held_out in folds])
    assert sorted(everything.tolist()) == list(range(len(data.train_targets)))
    for train, held_out in folds:
        assert len(train) > 0.5 * len(data.train_targets)
        assert not state_days(data, train) & state_days(data, held_out)


def test_random_rows_do_share_days(data: Data) -> None:
    train, held_out = blocks.random_rows(len(data.train_targets), 0.2, seed=0)
    assert not set(train) & set(held_out)
    assert len(train) + len(held_out) == len(data.train_targets)
    shared = state_days(data, train) & state_days(data, held_out)
    assert len(shared) > 0.9 * len(state_days(data, held_out))


def test_too_few_rows_say_what_to_do() -> None:
    runs, places = np.zeros(4, np.int64), np.arange(4)
    with pytest.raises(DataError, match=r"(?s)4 training rows split into 0 and 1.*held_out"):
        blocks.parts(runs, places, SIMPLE.data, seed=0)


def leak(data: Data, method: str) -> float:
    """Return how much better ``method`` looks on random rows than on later days.

    Both are measured in errors of repeating day 4 on the same rows, so that later days being
    harder for everybody counts for nothing.
    """
    errors = references.split_errors(data, 0.2, seed=0)
    naive = errors["persistence"]
    seen = {split: errors[method][split] / naive[split] for split in ("random", "time")}
    return seen["time"] / seen["random"]


def test_a_random_split_leaks(data: Data) -> None:
    assert leak(data, "nearest neighbour") > 3
    assert leak(data, "random forest") > 1.2


def test_a_random_split_leaks_in_the_course_s_files(real_data: Path) -> None:
    if not (real_data / "hw01" / "covid.train.csv").exists():
        pytest.skip("no hw01 files here")
    data = island.load(official(real_data / "hw01"), SIMPLE)
    assert leak(data, "nearest neighbour") > 2
    assert leak(data, "random forest") > 1.2


def test_references_know_what_they_should(data: Data) -> None:
    rows = references.references(data)
    assert {"persistence", "linear regression", "lasso", "gradient boosting"} == set(rows)
    np.testing.assert_array_equal(rows["persistence"], data.test_survey[:, 63])
    assert all(row.shape == (len(data.test_ids),) for row in rows.values())


def test_a_day_that_follows_itself_ends_its_run() -> None:
    """A survey that stands still from its second day on: the run must not go on for ever."""
    windows = np.zeros((2, 5, 16))
    windows[0] = np.array([5, 6, 6, 6, 6])[:, None]
    windows[1] = np.array([0, 1, 2, 3, 4])[:, None]
    runs, places = blocks.find_runs(np.array([0, 0]), windows)
    assert sorted(runs.tolist()) == [0, 1]
    assert places.tolist() == [0, 0]
