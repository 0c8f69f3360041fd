"""All families of sentences, and how often each is drawn."""

from collections.abc import Callable

from mlspring.worlds.translation import (
    families_far,
    families_joined,
    families_named,
    families_placed,
    families_plain,
    families_reported,
    families_verbal,
)
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.families_plain import Pair
from mlspring.worlds.translation.target import count

FAMILIES: dict[str, tuple[float, Callable[[Dice], Pair]]] = {
    "statement": (0.12, families_plain.plain),
    "relative": (0.24, families_plain.relative),
    "question": (0.065, families_plain.asked),
    "negation": (0.07, families_verbal.negation),
    "aspect": (0.08, families_verbal.aspect),
    "modal": (0.08, families_verbal.modal),
    "command": (0.015, families_verbal.command),
    "passive": (0.06, families_verbal.passive),
    "disposal": (0.06, families_placed.disposal),
    "existence": (0.015, families_placed.existence),
    "number": (0.02, families_named.numbers),
    "naming": (0.01, families_named.naming),
    "comparison": (0.03, families_reported.comparison),
    "conditional": (0.07, families_joined.conditional),
    "reported": (0.1, families_reported.reported),
    "pronoun": (0.055, families_far.bound),
    "meaning": (0.015, families_far.two_meanings),
}
LONGEST = 36  # English words; a longer sentence is drawn again
MOST_WAYS = 128  # translations; likewise


def sentence(dice: Dice) -> tuple[str, Pair]:
    """Return a sentence of any family, and which one."""
    draw = dice.number() * sum(share for share, _ in FAMILIES.values())
    for family, (share, _) in FAMILIES.items():
        draw -= share
        if draw < 0:
            return family, of_family(dice, family)
    return "statement", of_family(dice, "statement")


def of_family(dice: Dice, family: str) -> Pair:
    """Return a sentence of one family, neither too long nor with too many translations."""
    make = FAMILIES[family][1]
    while True:
        pair = make(dice)
        if pair.en.count(" ") < LONGEST and count(pair.zh) <= MOST_WAYS:
            return pair
