"""What ``make bench`` measures of each homework."""

from dataclasses import dataclass
from typing import Literal

Compared = Literal["score", "training", "play"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured of one homework.

    Args:
        levels: recipes of the world, a row each; of homework 14 methods.
        step_level: the one whose step is timed, once a homework.
        num_steps: steps of one timing.
        work: kind of arithmetic.
        compared: ``score``: the notebook way trains until it has ours; ``training``: as many
            updates; ``play``: equally many steps of an environment.
        by_training: levels whose whole training is compared all the same, as several networks have
            a score only when the last of them is trained.
        spared: overrides that leave out of our training what no score needs.
    """

    levels: tuple[str, ...] = ("simple", "medium", "strong", "boss")
    step_level: str
    num_steps: int
    work: Literal["conv", "dense", "wide"]
    compared: Compared = "score"
    by_training: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()

    def compares(self, level: str) -> Compared:
        """Return what is compared at a level."""
        return "training" if level in self.by_training else self.compared


PLANS = {
    "hw01": Plan(step_level="strong", num_steps=400, work="dense", by_training=("boss",)),
    "hw02": Plan(step_level="medium", num_steps=100, work="wide"),
    "hw03": Plan(step_level="medium", num_steps=40, work="conv", by_training=("boss",)),
    "hw04": Plan(step_level="simple", num_steps=100, work="dense"),
    "hw05": Plan(step_level="strong", num_steps=40, work="wide"),
    "hw07": Plan(step_level="simple", num_steps=40, work="dense", by_training=("boss",)),
    "hw08": Plan(step_level="medium", num_steps=40, work="conv"),
    # the last batch's pictures are attacked last; simple and medium take seconds either way
    "hw10": Plan(
        levels=("strong", "boss"),
        step_level="boss",
        num_steps=2,
        work="conv",
        compared="training",
    ),
    # accuracy on photos says nothing of drawings
    "hw11": Plan(step_level="simple", num_steps=100, work="conv", compared="training"),
    # a score is a matter of luck
    "hw12": Plan(step_level="simple", num_steps=10, work="dense", compared="play"),
    "hw13": Plan(
        step_level="simple",
        num_steps=40,
        work="conv",
        spared=("compress.finetune_steps=2", "compress.pictures=50", "compress.repeats=1"),
    ),
    "hw14": Plan(  # the score falls with every task
        levels=("ewc", "mas", "replay"),
        step_level="mas",
        num_steps=100,
        work="wide",
        compared="training",
    ),
    "hw15": Plan(step_level="strong", num_steps=10, work="conv"),
}
