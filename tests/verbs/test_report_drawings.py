"""The drawings of the page about a run: baselines of levels, curves of the log."""

import pytest

from mlspring.core.spec import Metric
from mlspring.verbs.report.drawings import baseline_axis, curves_in_words, panels

ACCURACY = Metric(name="accuracy", higher_is_better=True, unit="share of marbles", digits=3)
ERROR = Metric(name="error", higher_is_better=False, unit="squared", digits=3)


def test_better_is_to_the_right_in_both_directions() -> None:
    up = baseline_axis(ACCURACY, {"public": {"simple": 0.4, "boss": 0.8}}, {"public": 0.6})
    down = baseline_axis(ERROR, {"public": {"simple": 0.8, "boss": 0.4}}, {"public": 0.6})
    for drawing in (up, down):
        assert drawing is not None
        (track,) = drawing.tracks
        assert [tick.level for tick in track.ticks] == ["simple", "boss"]
        assert [tick.reached for tick in track.ticks] == [True, False]
        left, right = (tick.x for tick in track.ticks)
        assert track.x == pytest.approx((left + right) / 2)
        assert 0 < left < right < 100
        numbers = dict(drawing.numbers)
        assert numbers["0.6"] == pytest.approx(track.x)


def test_labels_that_would_touch_stand_in_rows() -> None:
    baselines = {"simple": 0.10, "medium": 0.85, "strong": 0.86, "boss": 0.87}
    drawing = baseline_axis(ACCURACY, {"public": baselines}, {"public": None})
    assert drawing is not None
    (track,) = drawing.tracks
    assert [tick.row for tick in track.ticks] == [0, 0, 1, 2]
    assert track.rows == 3
    assert track.x is None


def test_a_score_far_off_leaves_the_lines_apart() -> None:
    baselines = {"public": {"simple": 2.0, "boss": 1.0}}
    drawing = baseline_axis(ERROR, baselines, {"public": 1e9})
    assert drawing is not None
    (track,) = drawing.tracks
    assert track.x == 9.0
    assert "off the scale" in track.label
    assert track.anchor == "start"
    assert track.ticks[1].x - track.ticks[0].x > 30


@pytest.mark.parametrize("score", [None, float("nan"), float("inf"), 0.5])
def test_a_single_line_or_a_broken_score_can_be_drawn(score: float | None) -> None:
    drawing = baseline_axis(ACCURACY, {"public": {"simple": 0.5}, "private": {}}, {"public": score})
    assert drawing is not None
    assert [track.part for track in drawing.tracks] == ["public"]
    assert 0 <= drawing.tracks[0].ticks[0].x <= 100


def test_without_lines_there_is_no_drawing() -> None:
    assert baseline_axis(ACCURACY, {"public": {}, "private": {}}, {"public": 0.5}) is None


def test_curves_keep_networks_of_an_ensemble_apart() -> None:
    entries = [
        {"epoch": epoch, "member": member, "train/loss": 4.0 - epoch - member, "seconds": 1.0}
        for member in (0, 1)
        for epoch in (1, 2, 3)
    ]
    (panel,) = panels(entries)
    assert [curve.points for curve in panel.curves] == [
        "0.00,0.00 50.00,33.33 100.00,66.67",
        "0.00,33.33 50.00,66.67 100.00,100.00",
    ]
    assert (panel.name, panel.low, panel.high) == ("loss", "0", "3")
    assert (panel.first, panel.last, panel.unit) == ("1", "3", "epoch")


def test_a_log_with_nothing_to_draw_draws_nothing() -> None:
    entries = [{"step": 1, "train/loss": float("nan")}, {"step": 2, "note": "a word"}]
    assert panels(entries) == []
    assert curves_in_words(entries) == ""
