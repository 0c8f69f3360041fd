"""What the contract needs of each homework: a tiny official folder and a recipe of a few steps."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.tiny import domains, food, survey


@dataclass(frozen=True)
class Tiny:
    """One homework in a second or two.

    Args:
        write_data: makes a folder in the official layout and returns it.
        write_answers: makes the answers to its test part and returns the file.
        small: overrides that shrink any of the homework's recipes to a few steps.
        loss: key of the log that training must lower.
    """

    write_data: Callable[[Path], Path]
    write_answers: Callable[[Path], Path]
    small: tuple[str, ...]
    loss: str = "train/loss"


TINY = {
    "hw01": Tiny(survey.write_survey, survey.write_answers, survey.SMALL),
    "hw03": Tiny(food.write_food11, food.write_answers, food.SMALL),
    "hw11": Tiny(domains.write_domains, domains.write_answers, domains.SMALL),
}
