"""What ``make bench`` measures of each homework, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """What is measured of one homework.

    Args:
        level: recipe of the world, the same for both ways.
        epochs: how long the notebook way trains.
        overrides: what gives ours the same number of updates at the notebook's constant rate.
        num_steps: steps of one timing of the loader.
        work: kind of arithmetic.
        to_the_end: both ways' whole training is compared, for a score that falls with every task.
        equal_work: seconds for equally many steps of an environment are compared, not for a score.
    """

    level: str
    epochs: int
    overrides: tuple[str, ...]
    num_steps: int
    work: str
    to_the_end: bool = False
    equal_work: bool = False


PLANS = {
    "hw01": Plan(
        level="strong",
        epochs=200,
        overrides=("train.schedule=constant", "train.warmup_steps=0", "train.steps=1600"),
        num_steps=400,
        work="dense",
    ),
    "hw02": Plan(
        level="medium",
        epochs=2,
        overrides=("train.steps=1850", "train.validate_every=462", "train.schedule=constant"),
        num_steps=100,
        work="dense",
    ),
    "hw03": Plan(
        level="medium",
        epochs=5,
        overrides=("train.steps=540", "train.validate_every=108", "train.schedule=constant"),
        num_steps=40,
        work="conv",
    ),
    "hw04": Plan(
        level="simple",
        epochs=4,
        overrides=("train.steps=504", "train.validate_every=126", "train.schedule=constant"),
        num_steps=100,
        work="dense",
    ),
    "hw11": Plan(
        level="simple",
        epochs=4,
        overrides=("train.steps=448", "train.validate_every=112"),
        num_steps=100,
        work="conv",
    ),
    "hw12": Plan(
        level="simple",
        epochs=60,
        overrides=("train.steps=60", "train.validate_every=60", "collect.held_out=1"),
        num_steps=10,
        work="dense",
        equal_work=True,
    ),
    "hw13": Plan(
        level="simple",  # the notebook way has no teacher of ours
        epochs=5,
        overrides=("train.steps=535", "train.validate_every=107", "train.schedule=constant"),
        num_steps=40,
        work="conv",
    ),
    "hw14": Plan(
        level="mas",
        epochs=5,
        overrides=(),
        num_steps=100,
        work="wide",
        to_the_end=True,
    ),
    "hw15": Plan(
        level="strong",
        epochs=6,
        overrides=("train.steps=48", "train.validate_every=8", "train.schedule=constant"),
        num_steps=10,
        work="conv",
    ),
}
