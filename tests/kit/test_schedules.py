"""Schedules at the steps where their value is known."""

import math

import pytest

from mlspring.kit.schedules import lr_scale


def test_warm_up_is_linear_and_ends_at_one() -> None:
    rises = [lr_scale("constant", step, 100, 4) for step in range(5)]
    assert rises == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_cosine_ends_at_zero_and_halves_in_the_middle() -> None:
    assert lr_scale("cosine", 0, 100) == 1.0
    assert lr_scale("cosine", 60, 110, 10) == pytest.approx(0.5)
    assert lr_scale("cosine", 100, 100) == pytest.approx(0.0, abs=1e-12)
    assert lr_scale("cosine", 99, 100) < lr_scale("cosine", 98, 100)


def test_step_divides_by_ten() -> None:
    assert [lr_scale("step", step, 100) for step in (0, 49, 50, 74, 75)] == [
        1.0,
        1.0,
        0.1,
        0.1,
        0.01,
    ]


def test_inverse_square_root_meets_the_warm_up() -> None:
    assert lr_scale("inverse_sqrt", 3, 100, 4) == 1.0
    assert lr_scale("inverse_sqrt", 15, 100, 4) == pytest.approx(math.sqrt(4 / 16))
