"""The area: closed forms, the slides' example, an independent reference, and its interval."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mlspring.core.errors import DataError
from mlspring.homeworks.hw08_anomaly.score import (
    Answers,
    interval,
    read_answers,
    roc_auc,
    score,
)


def test_the_slides_example() -> None:
    scores = np.array([11383.0, 256676, 862365, 152435, 848171])
    wrong = np.array([False, True, True, False, False])
    assert roc_auc(scores, wrong) == pytest.approx(5 / 6)


def test_order_alone_counts_and_the_inverse_is_the_complement() -> None:
    draw = np.random.default_rng(0)
    scores, wrong = draw.normal(size=200), draw.random(200) < 0.3
    area = roc_auc(scores, wrong)
    assert roc_auc(np.exp(3 * scores), wrong) == area
    assert roc_auc(-scores, wrong) == pytest.approx(1 - area)


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_ties_count_one_half_as_scikit_learn_has_it(levels: int) -> None:
    draw = np.random.default_rng(levels)
    scores, wrong = draw.integers(levels, size=300).astype(float), draw.random(300) < 0.5
    assert roc_auc(scores, wrong) == pytest.approx(roc_auc_score(wrong, scores))
    assert roc_auc(np.zeros(300), wrong) == 0.5


def test_the_interval_is_the_same_each_time_and_holds_the_area() -> None:
    draw = np.random.default_rng(1)
    wrong = np.arange(400) < 200
    scores = draw.normal(size=400) + wrong
    low, high = interval(scores, wrong)
    assert (low, high) == interval(scores, wrong)
    assert low < roc_auc(scores, wrong) < high
    assert interval(wrong.astype(float), wrong) == (1.0, 1.0)


def test_the_interval_is_as_wide_as_the_area_spreads() -> None:
    """Against areas of sets of pictures that are drawn anew, not from one another."""
    draw = np.random.default_rng(2)
    wrong = np.arange(300) < 150
    sets = [draw.normal(size=300) + 0.8 * wrong for _ in range(60)]
    spread = np.std([roc_auc(scores, wrong) for scores in sets])
    widths = [np.diff(interval(scores, wrong, draws=200))[0] for scores in sets[:20]]
    assert np.mean(widths) == pytest.approx(2 * 1.96 * spread, rel=0.3)


def test_equal_scores_are_worth_one_half_in_every_draw() -> None:
    assert interval(np.ones(50), np.arange(50) < 20) == (0.5, 0.5)


def test_public_and_private_are_scored_apart() -> None:
    wrong = np.array([True, False, True, False])
    public = np.array([True, True, False, False])
    answers = Answers(ids=["0", "1", "2", "3"], wrong=wrong, is_public=public)
    scored = score(np.array([2.0, 1.0, 0.0, 5.0]), answers)
    assert (scored.public, scored.private) == (1.0, 0.0)
    assert scored.details["private_high"] == 0.0 and scored.details["low"] == 1.0


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("0,1,Public\n1,1,Public\n2,0,Private\n3,1,Private\n", "public rows are all of one kind"),
        ("0,1,Public\n1,0,Public\n2,0,Private\n", "private rows are all of one kind"),
        ("0,2,Public\n1,0,Private\n", "row 2"),
    ],
)
def test_answers_that_cannot_judge_are_told(rows: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(f"ID,Anomaly,Usage\n{rows}", encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_answers(path)
