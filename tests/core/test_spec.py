from pathlib import Path

import pytest

from mlspring.core.spec import Limits, Metric, Points, Spec

ACCURACY = Metric(name="accuracy", higher_is_better=True, unit="share", digits=5)
ERROR = Metric(name="mean squared error", higher_is_better=False, unit="points", digits=3)

RISING = """
[world]
origin = "measured"
public = { simple = 0.5, medium = 0.6, strong = 0.7, boss = 0.8 }
private = { simple = 0.55, boss = 0.85 }

[official]
origin = "slides"
public = { simple = 0.50099, medium = 0.73207, strong = 0.81872, boss = 0.88446 }
"""
FALLING = """
[world]
origin = "measured"
public = { simple = 2.0, medium = 1.5, strong = 1.0, boss = 0.8 }
"""


def spec(folder: Path, metric: Metric, baselines: str | None, points: float = 0.5) -> Spec:
    if baselines is not None:
        (folder / "baselines.toml").write_text(baselines)
    return Spec(
        id="hw03",
        folder=folder,
        title="",
        title_zh="",
        topic="",
        summary="",
        metric=metric,
        submission="table",
        submission_name="submission.csv",
        limits=Limits(max_bytes=1, max_rows=1),
        points=Points(public=points, private=2 * points),
    )


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (None, None),
        (float("nan"), None),
        (0.49999, None),
        (0.5, "simple"),
        (0.5999999, "simple"),
        (0.6, "medium"),
        (0.75, "strong"),
        (0.8, "boss"),
        (1.0, "boss"),
    ],
)
def test_the_level_of_a_score_where_more_is_better(
    tmp_path: Path, score: float | None, level: str | None
) -> None:
    homework = spec(tmp_path, ACCURACY, RISING)
    assert homework.level_reached(score, "world") == level


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (2.00001, None),
        (2.0, "simple"),
        (1.5, "medium"),
        (1.00001, "medium"),
        (1.0, "strong"),
        (0.8, "boss"),
        (0.0, "boss"),
    ],
)
def test_the_level_of_a_score_where_less_is_better(
    tmp_path: Path, score: float, level: str | None
) -> None:
    homework = spec(tmp_path, ERROR, FALLING, points=1.0)
    assert homework.level_reached(score, "world") == level


def test_a_level_without_a_line_cannot_be_reached(tmp_path: Path) -> None:
    homework = spec(tmp_path, ACCURACY, RISING)
    assert homework.level_reached(0.8, "world", "private") == "simple"
    assert homework.level_reached(0.85, "world", "private") == "boss"
    # The course never published private baselines of hw03.
    assert homework.level_reached(1.0, "official", "private") is None


def test_no_lines_or_another_source_reach_nothing(tmp_path: Path) -> None:
    assert spec(tmp_path, ACCURACY, None).baselines == {}
    assert spec(tmp_path, ACCURACY, None).level_reached(1.0, "world") is None
    homework = spec(tmp_path, ACCURACY, RISING)
    assert homework.level_reached(1.0, "elsewhere") is None
    assert homework.baselines["official"].origin == "slides"


def test_the_direction_is_declared() -> None:
    assert ACCURACY.better(0.6, 0.5) and not ACCURACY.better(0.5, 0.5)
    assert ERROR.better(0.5, 0.6) and not ERROR.better(0.6, 0.5)
    assert ACCURACY.reaches(0.5, 0.5) and ERROR.reaches(0.5, 0.5)


def test_scores_are_shown_with_their_digits() -> None:
    assert ACCURACY.show(0.734567) == "0.73457"
    assert ERROR.show(1.0) == "1.000"
    assert ERROR.show(None) == "-"


def test_the_island_is_its_folder(tmp_path: Path) -> None:
    assert spec(tmp_path, ERROR, None).island == tmp_path.name
