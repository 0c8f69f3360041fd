"""Survey windows: the epidemic world or a folder with the course's two tables.

    DIR/covid.train.csv   id, 37 one-hot states, 5 days x 16 columns; the last is the target
    DIR/covid.test.csv    the same without the target

The 16 names of a day stand five times in the header, so columns are addressed by position.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.source import Source
from mlspring.core.tables import Table, read_table
from mlspring.homeworks.hw01_regression import blocks
from mlspring.homeworks.hw01_regression.recipe import Recipe
from mlspring.worlds.epidemic import (
    NUM_DAYS,
    TEST_HEADER,
    TRAIN_HEADER,
    epidemic_world,
)
from mlspring.worlds.survey import COLUMNS, STATES
from mlspring.worlds.world import World

TRAIN_FILE, TEST_FILE = "covid.train.csv", "covid.test.csv"
NUM_INPUTS = NUM_DAYS * len(COLUMNS) - 1  # 79: everything but the target
LAGS = [len(COLUMNS) * day + len(COLUMNS) - 1 for day in range(NUM_DAYS - 1)]  # positive tests
MAX_BYTES, MAX_ROWS = 100_000_000, 200_000


@dataclass(frozen=True, kw_only=True)
class Data:
    """All windows of one source; n training rows, m test rows, percentages throughout.

    Args:
        train_states: int64 (n,), index into ``STATES``; likewise test (m,).
        train_survey: float64 (n, 79), five days of 16 columns without the target; test (m, 79).
        train_targets: float64 (n,), positive tests on day 5.
        train_runs: int64 (n,), the unbroken run of days that a row belongs to.
        train_places: int64 (n,), first day of the row in its run, from 0.
        test_ids: ids of the test rows, in the order of ``test_survey``.
        best_possible: for a world, the mean squared error on the test rows of a forecaster who
            knows the true epidemic, as expected and as drawn; None where nobody knows.
    """

    train_states: NDArray[np.int64]
    train_survey: NDArray[np.float64]
    train_targets: NDArray[np.float64]
    train_runs: NDArray[np.int64]
    train_places: NDArray[np.int64]
    test_states: NDArray[np.int64]
    test_survey: NDArray[np.float64]
    test_ids: list[str]
    best_possible: tuple[float, float] | None


def world() -> World:
    """Return the built-in data set of the homework."""
    return epidemic_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the windows of ``source``.

    Raises:
        DataError: a file is missing or not in the layout; names file, row and column.
    """
    train = _read(source.folder / TRAIN_FILE, TRAIN_HEADER)
    test = _read(source.folder / TEST_FILE, TEST_HEADER)
    train_states, test_states = _states(train), _states(test)
    days = _percentages(train)
    windows = days.reshape(len(days), NUM_DAYS, len(COLUMNS))
    runs, places = blocks.find_runs(train_states, windows)
    summary = source.folder / "facts.json"
    known = json.loads(summary.read_text(encoding="utf-8")) if source.kind == "world" else None
    return Data(
        train_states=train_states,
        train_survey=days[:, :NUM_INPUTS],
        train_targets=days[:, NUM_INPUTS],
        train_runs=runs,
        train_places=places,
        test_states=test_states,
        test_survey=_percentages(test),
        test_ids=_ids(test),
        best_possible=(known["noise_floor"], known["oracle"]) if known else None,
    )


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order."""
    return _ids(_read(source.folder / TEST_FILE, TEST_HEADER))


def describe(data: Data) -> dict[str, str]:
    """Return the rows of the data card."""
    lags, targets = data.train_survey[:, LAGS], data.train_targets
    card = {
        "rows": f"{len(targets):,} training, {len(data.test_ids):,} test; "
        f"{len(STATES)} states, {NUM_DAYS} days of {len(COLUMNS)} columns each",
        "runs of days": f"{data.train_runs.max() + 1} in {len(np.unique(data.train_states))} "
        f"states, {np.bincount(data.train_runs).min()} to {np.bincount(data.train_runs).max()} "
        "windows long; neighbours share four days",
        "target": f"mean {targets.mean():.2f} %, deviation {targets.std():.2f}, "
        f"{targets.min():.2f} to {targets.max():.2f}",
        "shift": f"positive tests on day 4: mean {lags[:, -1].mean():.2f} % in training, "
        f"{data.test_survey[:, LAGS[-1]].mean():.2f} % in the test",
        "predicting the mean": f"MSE {targets.var():.3f} on the training rows",
        "repeating day 4": f"MSE {np.mean((targets - lags[:, -1]) ** 2):.3f} on the training rows",
    }
    if data.best_possible:
        expected, drawn = data.best_possible
        card["best possible"] = (
            f"MSE {drawn:.3f} on the test rows ({expected:.3f} expected): the sampling noise that "
            "even a forecaster who knows the true epidemic cannot foresee"
        )
    return card


def export(world_folder: Path, to: Path) -> None:
    """Write the world's two tables under ``to``; the answers stay with the judge."""
    to.mkdir(parents=True, exist_ok=True)
    for name in (TRAIN_FILE, TEST_FILE):
        shutil.copyfile(world_folder / "public" / name, to / name)


def _read(path: Path, header: tuple[str, ...]) -> Table:
    if not path.parent.joinpath(path.name).exists():
        raise DataError(
            "is missing",
            file=path,
            expected=f"a folder with {TRAIN_FILE} and {TEST_FILE}",
            fix="see: mlspring fetch hw01, or mlspring data hw01 --export DIR for an example",
        )
    return read_table(path, header=header, max_bytes=MAX_BYTES, max_rows=MAX_ROWS)


def _ids(table: Table) -> list[str]:
    """Return the ids as plain integers.

    Raises:
        DataError: an id is no whole number, or stands twice.
    """
    ids = [str(number) for number in table.integers(0, 0, 10**9).tolist()]
    seen: dict[str, int] = {}
    for line, number in zip(table.lines, ids, strict=True):
        if number in seen:
            found = f"id {number} stands in row {seen[number]} already"
            raise DataError(found, file=table.path, row=line, expected="each id once")
        seen[number] = line
    return ids


def _states(table: Table) -> NDArray[np.int64]:
    """Return the index of each row's state, (n,).

    Raises:
        DataError: a row whose 37 state columns are not one 1 and zeros.
    """
    _ids(table)
    flags = table.floats(range(1, 1 + len(STATES)))
    wrong = ~(((flags == 0) | (flags == 1)).all(axis=1) & (flags.sum(axis=1) == 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        named = [state for state, flag in zip(STATES, flags[row], strict=True) if flag]
        found = f"belongs to {len(named)} states" if len(named) != 1 else f"{named[0]} is not 1"
        raise DataError(
            found,
            file=table.path,
            row=table.lines[row],
            expected="exactly one 1 in columns 2 to 38, AL to WA, and zeros",
        )
    return flags.argmax(axis=1)


def _percentages(table: Table) -> NDArray[np.float64]:
    """Return the daily columns, (n, 80) or (n, 79).

    Raises:
        DataError: a cell is no number, or outside 0 to 100.
    """
    first = 1 + len(STATES)
    values = table.floats(range(first, len(table.header)))
    if ((values < 0) | (values > 100)).any():
        row, column = np.argwhere((values < 0) | (values > 100))[0].tolist()
        name = f"column {first + column + 1} {table.header[first + column]!r}"
        raise DataError(
            f"{name} is {values[row, column]:g}",
            file=table.path,
            row=table.lines[row],
            expected="a percentage from 0 to 100",
        )
    return values
