"""A loss that is no number ends training with a sentence."""

import sys

import pytest

from mlspring.core.errors import RecipeError
from mlspring.kit.divergence import check_finite


def test_the_largest_number_passes_and_what_lies_beyond_does_not() -> None:
    largest = sys.float_info.max
    check_finite(3, 0.1, train__loss=largest, valid__loss=0.0)
    with pytest.raises(RecipeError, match=r"train/loss is inf at step 3"):
        check_finite(3, 0.1, train__loss=10 * largest, valid__loss=0.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_anything_else_names_the_loss_the_step_and_the_fix(value: float) -> None:
    with pytest.raises(RecipeError) as caught:
        check_finite(40, 0.3, train__loss=1.0, valid__loss=value)
    found, fix = str(caught.value).split("\n")
    assert found == f"training diverged: valid/loss is {value} at step 40"
    assert "--set train.learning_rate=0.03, or with --precision fp32" in fix
