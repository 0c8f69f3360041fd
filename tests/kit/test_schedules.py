"""Schedules at the steps where their value is known."""

import math

import pytest
import torch

from mlspring.kit.schedules import lr_scale, set_learning_rate


def test_warm_up_is_linear_and_ends_at_one() -> None:
    rises = [lr_scale("constant", step, 100, 4) for step in range(5)]
    assert rises == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_cosine_ends_at_zero_and_halves_in_the_middle() -> None:
    assert lr_scale("cosine", 0, 100) == 1.0
    assert lr_scale("cosine", 60, 110, 10) == pytest.approx(0.5)
    assert lr_scale("cosine", 100, 100) == pytest.approx(0.0, abs=1e-12)
    assert lr_scale("cosine", 99, 100) < lr_scale("cosine", 98, 100)


def test_a_warm_up_as_long_as_the_training_ends_at_the_full_rate() -> None:
    assert [lr_scale("cosine", step, 4, 4) for step in (3, 4)] == [1.0, 1.0]


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


def test_a_line_falls_evenly_to_zero_after_its_rise() -> None:
    rates = [lr_scale("linear", step, 12, 2) for step in range(12)]
    assert rates[:2] == [0.5, 1.0]
    assert rates[2:] == pytest.approx([1 - k / 10 for k in range(10)])
    assert [lr_scale("linear", step, 12, 2) for step in (12, 20)] == pytest.approx([0, 0])


def test_the_cosine_does_not_rise_again_behind_its_end() -> None:
    assert [lr_scale("cosine", step, 100) for step in (100, 150, 200)] == pytest.approx([0, 0, 0])


def test_the_inverse_root_needs_no_warm_up() -> None:
    rates = [lr_scale("inverse_sqrt", step, 100) for step in (0, 3, 99)]
    assert rates == pytest.approx([1.0, 0.5, 0.1])


def test_every_group_gets_the_rate_of_the_step() -> None:
    class Knobs:
        learning_rate, schedule, steps = 0.2, "step", 100

    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": [w]} for w in weights], 9.0)
    rates = [set_learning_rate(optimizer, Knobs, step, 4) for step in (1, 4, 5, 60)]
    assert rates == pytest.approx([0.05, 0.2, 0.2, 0.02])
    assert [group["lr"] for group in optimizer.param_groups] == [rates[-1]] * 2
