"""What needs no network: rows of the score table to compare the levels with."""

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LassoCV, LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mlspring.homeworks.hw01_regression import blocks, features
from mlspring.homeworks.hw01_regression.data import LAGS, Data
from mlspring.homeworks.hw01_regression.recipe import DataKnobs

NUM_BLOCKS = 5  # of time, for the choice of lasso's penalty


def references(data: Data) -> dict[str, NDArray[np.float64]]:
    """Return predictions of the test rows, float64 (n,), by method.

    ``persistence`` repeats day 4. ``linear regression`` and ``gradient boosting`` read all 116
    columns, ``lasso`` the 24 of illness and positive tests.
    """
    folds = blocks.time_folds(data.train_runs, data.train_places, NUM_BLOCKS)
    lasso = LassoCV(cv=folds, max_iter=100_000, tol=1e-3)
    with threadpool_limits(1):  # two threads on a busy machine wait for each other, tree by tree
        return {
            "persistence": data.test_survey[:, LAGS[-1]].copy(),
            "linear regression": _fit_predict(LinearRegression(), data, ALL),
            "lasso": _fit_predict(make_pipeline(StandardScaler(), lasso), data, ILL),
            "gradient boosting": _fit_predict(
                HistGradientBoostingRegressor(random_state=0), data, ALL
            ),
        }


def split_errors(data: Data, share: float, seed: int) -> dict[str, dict[str, float]]:
    """Return the validation MSE by method and by split: ``random`` and ``time``.

    Args:
        data: its training rows alone are read.
        share: of the rows to hold out.
        seed: of the random split.
    """
    parts = {
        "random": blocks.random_rows(len(data.train_targets), share, seed),
        "time": blocks.last_days(data.train_runs, data.train_places, share),
    }
    table, targets = features.build(data.train_states, data.train_survey, ALL), data.train_targets
    methods = {
        "linear regression": LinearRegression(),
        "random forest": RandomForestRegressor(20, max_features=0.2, random_state=seed),
        "nearest neighbour": make_pipeline(StandardScaler(), KNeighborsRegressor(1)),
    }
    errors: dict[str, dict[str, float]] = {"persistence": {}}
    for split, (train, held_out) in parts.items():
        lag = data.train_survey[held_out, LAGS[-1]]
        errors["persistence"][split] = float(np.mean((lag - targets[held_out]) ** 2))
        for name, method in methods.items():
            predicted = method.fit(table[train], targets[train]).predict(table[held_out])
            error = float(np.mean((predicted - targets[held_out]) ** 2))
            errors.setdefault(name, {})[split] = error
    return errors


def _columns(*, states: bool, habits: bool) -> DataKnobs:
    return DataKnobs(
        states=states,
        habits=habits,
        changes=False,
        select=0,
        standardise=False,
        target="value",
        split="time",
        held_out=0.2,
        folds=0,
    )


ALL = _columns(states=True, habits=True)
ILL = _columns(states=False, habits=False)


def _fit_predict(method: RegressorMixin, data: Data, knobs: DataKnobs) -> NDArray[np.float64]:
    """Return predictions of the test rows, (n,), from all training rows."""
    table = features.build(data.train_states, data.train_survey, knobs)
    method.fit(table, data.train_targets)
    predicted: NDArray[np.float64] = method.predict(
        features.build(data.test_states, data.test_survey, knobs)
    )
    return predicted
