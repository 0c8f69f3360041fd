"""Baselines between levels: where they lie, what overlaps, how the file keeps the rest."""

import tomllib
from pathlib import Path

import pytest

from mlspring.core.errors import DataError
from mlspring.core.spec import Metric
from mlspring.verbs.calibration.baselines import (
    find_baselines,
    overlaps,
    replace_world,
    world_table,
)
from mlspring.verbs.calibration.results import numbers, show_mean

ACCURACY = Metric(name="accuracy", higher_is_better=True, unit="share", digits=3)
ERROR = Metric(name="mean squared error", higher_is_better=False, unit="squared", digits=3)

OFFICIAL = """# Thresholds of the course, by hand
[official]
origin = \"\"\"Slide 12,
[not a header] "quoted"\"\"\"

[official.public]
simple = 0.50099   # as printed
"""


def test_lines_lie_midway_where_higher_is_better() -> None:
    scores = {"simple": [0.5, 0.54], "medium": [0.6, 0.7], "strong": [0.8, 0.9]}
    baselines = find_baselines(ACCURACY, ("simple", "medium", "strong"), scores)
    assert baselines == {"simple": 0.46, "medium": 0.57, "strong": 0.75}


def test_lines_lie_midway_where_lower_is_better() -> None:
    scores = {"simple": [5.0, 4.6], "medium": [4.0, 3.0], "strong": [2.0, 1.0]}
    baselines = find_baselines(ERROR, ("simple", "medium", "strong"), scores)
    assert baselines == {"simple": 5.4, "medium": 4.3, "strong": 2.5}


@pytest.mark.parametrize("metric", [ACCURACY, ERROR])
def test_every_seed_meets_its_line_and_misses_the_next_even_below_the_displayed_digits(
    metric: Metric,
) -> None:
    close = {"simple": [0.50001, 0.50002], "medium": [0.50005, 0.50006]}
    if not metric.higher_is_better:
        close = {"simple": close["medium"], "medium": close["simple"]}
    baselines = find_baselines(metric, ("simple", "medium"), close)
    assert all(metric.reaches(score, baselines["medium"]) for score in close["medium"])
    assert not any(metric.reaches(score, baselines["medium"]) for score in close["simple"])
    assert all(metric.reaches(score, baselines["simple"]) for score in close["simple"])


def test_equal_seeds_still_leave_the_lowest_line_a_margin() -> None:
    baselines = find_baselines(
        ACCURACY, ("simple", "medium"), {"simple": [0.5] * 2, "medium": [0.6] * 2}
    )
    assert baselines["simple"] == 0.498


def test_the_lowest_line_keeps_the_larger_spread_of_the_two_parts() -> None:
    public, private = [0.676, 0.675, 0.677], [0.664, 0.654, 0.665]  # a spread of 0.002, of 0.011
    scores = {"simple": public, "medium": [0.8] * 3}
    baselines = find_baselines(
        ACCURACY, ("simple", "medium"), scores, shake=max(private) - min(private)
    )
    assert baselines["simple"] == pytest.approx(0.675 - 0.011)
    assert find_baselines(ACCURACY, ("simple", "medium"), scores)["simple"] == 0.673


def test_an_overlap_names_levels_scores_and_seeds() -> None:
    scores = {"simple": [0.5, 0.6], "medium": [0.7, 0.55]}
    (sentence,) = overlaps(ACCURACY, ("simple", "medium"), scores, "private")
    assert "medium does not beat simple in seed 1 on the private part" in sentence
    assert "0.550" in sentence
    assert "0.600" in sentence
    crossed = {"simple": [0.5, 0.3], "medium": [0.6, 0.4]}
    (sentence,) = overlaps(ACCURACY, ("simple", "medium"), crossed, "public")
    assert "across seeds" in sentence
    assert len(overlaps(ERROR, ("simple", "medium"), crossed, "public")) == 1
    fine = {"simple": [0.6, 0.5], "medium": [0.4, 0.3]}
    assert overlaps(ERROR, ("simple", "medium"), fine, "public") == []


# ---- the file of baselines


@pytest.mark.parametrize(
    "before",
    [
        OFFICIAL,
        "# head\n" + world_table("old", {"simple": 1.0}, {}) + "\n" + OFFICIAL,
        OFFICIAL + "\n" + world_table("old", {"simple": 1.0}, {"simple": 2.0}),
        OFFICIAL.replace("\n", "\r\n"),
    ],
)
def test_the_official_part_of_lines_toml_keeps_every_byte(before: str) -> None:
    world = world_table('by "hand"', {"simple": 0.4, "medium": 0.5}, {"simple": 0.3})
    after = replace_world(before, world, Path("baselines.toml"))
    assert (OFFICIAL in after) or (OFFICIAL.replace("\n", "\r\n") in after)
    table = tomllib.loads(after)
    assert table["world"]["origin"] == 'by "hand"'
    assert table["world"]["public"] == {"simple": 0.4, "medium": 0.5}
    assert after.count("[world]") == 1
    assert replace_world(after, world, Path("baselines.toml")) == after


def test_a_world_in_another_form_is_refused_rather_than_damaged() -> None:
    with pytest.raises(DataError, match="cannot be replaced"):
        replace_world('world = {origin = "x"}\n', world_table("y", {}, {}), Path("baselines.toml"))


# ---- numbers


def test_where_a_seed_lacks_a_value_there_is_no_mean() -> None:
    assert numbers([1.0, 2.0, 4.5]) == {"mean": 2.5, "spread": 3.5, "seeds": [1.0, 2.0, 4.5]}
    assert numbers([1.0, None]) == {"mean": None, "spread": None, "seeds": [1.0, None]}


@pytest.mark.parametrize(
    ("mean", "spread", "shown"),
    [
        (0.55123, 0.0123, "0.551 ± 0.012"),
        (0.55123, 0.01, "0.551 ± 0.010"),
        (0.55123, 0.2, "0.55 ± 0.20"),
        (123.456, 25.1, "123 ± 25"),
        (0.55123, 0.00001, "0.551 ± 0.000"),
        (0.55123, 0.0, "0.551 ± 0"),
        (0.55123, None, "0.551"),
        (None, None, "-"),
    ],
)
def test_numbers_are_shown_as_far_as_the_spread_lets_them(
    mean: float | None, spread: float | None, shown: str
) -> None:
    assert show_mean(ACCURACY, mean, spread) == shown
