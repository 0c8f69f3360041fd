"""Training that diverged is told at once, with the knob to turn."""

import math

from mlspring.core.errors import RecipeError


def check_finite(step: int, learning_rate: float, **losses: float) -> None:
    """Raise where a loss is no finite number: all that training goes on to make would be none.

    Args:
        step: updates so far.
        learning_rate: the recipe's.
        losses: by name, written as for ``Run.log``: ``train__loss``.

    Raises:
        RecipeError: names loss and step, and what to change.
    """
    for name, value in losses.items():
        if not math.isfinite(value):
            raise RecipeError(
                f"training diverged: {name.replace('__', '/')} is {value} at step {step}",
                fix=f"start a run with a lower rate, e.g. --set train.learning_rate="
                f"{learning_rate / 10:g}, or with --precision fp32",
            )
