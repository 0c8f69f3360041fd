"""The area under the ROC curve, with the interval that other pictures would have given.

    AUC = P(score of an anomaly > score of a normal picture) + P(equal) / 2

It is computed from ranks (Mann and Whitney 1947), ties counting one half. Source: HW08 slides.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from mlspring.core import answers as answer_table
from mlspring.core.errors import DataError
from mlspring.core.score import Score

HEADER = ("ID", "Anomaly")
DRAWS = 500  # of the bootstrap
SHARES = (0.025, 0.975)  # of the draws below the ends of a 95 % interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What only the judge has, in the order of the test.

    Args:
        ids: what a submission must name.
        wrong: whether each picture is an anomaly, bool (n,).
        is_public: which count on the public board, bool (n,).
    """

    ids: list[str]
    wrong: Flags
    is_public: Flags


def read_answers(path: Path) -> Answers:
    """Return the answers, a table ``ID,Anomaly,Usage``; 1 is an anomaly.

    Raises:
        DataError: no such table, or a part of the board without anomalies or without others.
    """
    key = answer_table.read_answers(path, header=HEADER)
    wrong = key.table.integers(1, 0, 1) == 1
    for name, part in (("public", key.is_public), ("private", ~key.is_public)):
        if wrong[part].all() or not wrong[part].any():
            raise DataError(f"the {name} rows are all of one kind", file=path, expected="0 and 1")
    return Answers(ids=key.ids, wrong=wrong, is_public=key.is_public)


def score(values: Floats, answers: Answers) -> Score:
    """Return the area on both parts; pure. ``details`` holds the ends of their 95 % intervals."""
    areas, details = [], {}
    for name, part in (("", answers.is_public), ("private_", ~answers.is_public)):
        scores, wrong = values[part], answers.wrong[part]
        areas.append(roc_auc(scores, wrong))
        details[f"{name}low"], details[f"{name}high"] = interval(scores, wrong)
    public, private = areas
    return Score(public=public, private=private, details=details)


def roc_auc(scores: Floats, wrong: Flags) -> float:
    """Return the area under the ROC curve of ``scores`` (n,), ``wrong`` (n,) being the positives.

    With R the sum of the positives' ranks: (R - p (p + 1) / 2) / (p q) for p positives, q others.
    """
    num_wrong = int(wrong.sum())
    rank_sum = float(rankdata(scores)[wrong].sum())
    others = len(scores) - num_wrong
    return (rank_sum - num_wrong * (num_wrong + 1) / 2) / (num_wrong * others)


def interval(scores: Floats, wrong: Flags, draws: int = DRAWS) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the area: pictures drawn anew with replacement.

    Anomalies and others are drawn apart, so that there are always as many of each. The draws are
    the same for the same number of pictures.
    """
    rng = np.random.default_rng([len(scores), int(wrong.sum())])
    positives, negatives = np.sort(scores[wrong]), np.sort(scores[~wrong])
    # Share of the others below each positive; a draw only weighs rows and columns of this table.
    grid = np.searchsorted(negatives, positives, side="left")
    upto = np.searchsorted(negatives, positives, side="right")
    areas = []
    for _ in range(draws):
        chosen = rng.integers(len(positives), size=len(positives))
        times = np.bincount(rng.integers(len(negatives), size=len(negatives)),
                            minlength=len(negatives))  # fmt: skip
        below = np.concatenate(([0], np.cumsum(times)))
        wins = below[grid[chosen]] + below[upto[chosen]]
        areas.append(wins.mean() / (2 * len(negatives)))
    low, high = np.quantile(areas, SHARES)
    return float(low), float(high)
