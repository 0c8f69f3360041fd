"""What the contract needs of each homework: a tiny official folder and a recipe of a few steps."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.tiny import (
    anomaly,
    attack,
    compression,
    digits,
    domains,
    explained,
    food,
    gan,
    glyphs,
    landings,
    phones,
    reading,
    survey,
    translation,
    voices,
)


def answers_as_table(answers: Path, path: Path) -> Path:
    """Write the submission that a table of answers asks for: all but its column ``Usage``."""
    with answers.open(newline="") as stream, path.open("w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(row[:-1] for row in csv.reader(stream))
    return path


def _none(path: Path) -> Path:
    raise AssertionError(f"this homework has no answers to write to {path}")


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """One homework in a second or two.

    Args:
        write_data: makes a folder in the official layout and returns it.
        small: overrides that shrink any of the homework's recipes to a few steps.
        write_answers: makes the answers to its test part and returns the file; a homework that
            hands nothing in needs none of this and the next two.
        write_perfect: makes the best submission from a file of answers and returns it.
        best: the score of that; None where nobody knows it, as with a mean reward.
        loss: key of the log that training must lower.
        held_out: key of the log whose values must agree on one process and on many ...
        tolerance: ... up to this relative difference, with the overrides in ``alike``.
        alike: turns off what is drawn a process, not a row.
        short: overrides that end training at once.
        drawn: recipe of the world in which the seed decides something; default: the first level.
        spared: overrides that leave out of the first level on the world what its score needs not.
        trained_by_one: numbers of networks that one of many processes trains alone, on a task of
            their own: their losses continue no other's.
    """

    write_data: Callable[[Path], Path]
    small: tuple[str, ...]
    write_answers: Callable[[Path], Path] = _none
    write_perfect: Callable[[Path, Path], Path] = answers_as_table
    best: float | None = None
    loss: str = "train/loss"
    held_out: str = "valid/loss"
    tolerance: float = 1e-4
    alike: tuple[str, ...] = ("model.dropout=0.0",)
    short: tuple[str, ...] = ("train.steps=1",)
    drawn: str = ""
    spared: tuple[str, ...] = ()
    trained_by_one: tuple[str, ...] = ()


TINY = {
    "hw01": Tiny(
        write_data=survey.write_survey,
        small=survey.SMALL,
        write_answers=survey.write_answers,
        best=0.0,
    ),
    "hw02": Tiny(
        write_data=phones.write_libriphone,
        small=phones.SMALL,
        write_answers=phones.write_answers,
        best=1.0,
    ),
    "hw03": Tiny(
        write_data=food.write_food11,
        small=food.SMALL,
        write_answers=food.write_answers,
        best=1.0,
        tolerance=0.1,  # batch norm takes its statistics from each process's share
    ),
    "hw04": Tiny(
        write_data=voices.write_voices,
        small=voices.SMALL,
        write_answers=voices.write_answers,
        best=1.0,
        # a process drops numbers, and takes batch norm's statistics, of its own share
        alike=("model.channels=[]", "model.kernel=0", "model.dropout=0.0"),
    ),
    "hw05": Tiny(
        write_data=translation.write_ted,
        small=translation.SMALL,
        write_answers=translation.write_answers,
        write_perfect=translation.write_perfect,
        best=100.0,
    ),
    "hw06": Tiny(
        write_data=gan.write_faces,
        small=gan.SMALL,
        write_answers=gan.write_answers,
        write_perfect=gan.write_perfect,
        held_out="valid/distance",
        tolerance=0.1,  # batch norm takes its statistics from each process's share
        alike=(),
    ),
    "hw07": Tiny(
        write_data=reading.write_reading,
        small=reading.SMALL,
        write_answers=reading.write_answers,
        best=1.0,
        held_out="valid/accuracy",
        alike=("encoder.dropout=0.0",),
    ),
    "hw08": Tiny(
        write_data=anomaly.write_faces,
        small=anomaly.SMALL,
        write_answers=anomaly.write_answers,
        write_perfect=anomaly.write_perfect,
        best=1.0,
        tolerance=0.1,  # batch norm takes its statistics from each process's share
        alike=(),
    ),
    "hw09": Tiny(
        write_data=food.write_food11,
        small=explained.SMALL,
        tolerance=0.1,  # batch norm takes its statistics from each process's share
        alike=(),
        spared=explained.SPARED,
        trained_by_one=("1",),  # the encoder
    ),
    "hw10": Tiny(
        write_data=attack.write_targets,
        small=attack.SMALL,
        write_answers=attack.write_answers,
        write_perfect=attack.write_benign,  # how many of them the judge knows nobody can say
        loss="train/accuracy",  # the loss rises
        held_out="valid/accuracy",
        alike=(),
        drawn="world/boss",  # below it nothing is drawn at random
    ),
    "hw11": Tiny(
        write_data=domains.write_domains,
        small=domains.SMALL,
        write_answers=domains.write_answers,
        best=1.0,
        tolerance=0.1,
        alike=(),
    ),
    "hw12": Tiny(
        write_data=landings.write_rules,
        small=landings.SMALL,
        write_answers=landings.write_answers,
        write_perfect=landings.write_played,
        loss="train/entropy",  # of a policy gradient the loss itself has no level
        held_out="valid/reward",
        alike=(),
    ),
    "hw13": Tiny(
        write_data=compression.write_food13,
        small=compression.SMALL,
        write_answers=compression.write_answers,
        write_perfect=compression.write_student,
        tolerance=0.1,
        alike=(),
        spared=compression.SPARED,
    ),
    "hw14": Tiny(
        write_data=digits.write_mnist,
        small=digits.SMALL,
        short=("train.steps_per_task=1",),
        tolerance=0.01,
        alike=(),
    ),
    "hw15": Tiny(
        write_data=glyphs.write_omniglot,
        small=glyphs.SMALL,
        write_answers=glyphs.write_answers,
        best=1.0,
        tolerance=0.1,  # fp32's last bit grows in a second order; hw15/test_inner is exact
        alike=(),
    ),
}
