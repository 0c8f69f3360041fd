"""Phrases and the pronouns that stand for them later."""

from collections.abc import Callable
from dataclasses import dataclass

from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.entries import Noun
from mlspring.worlds.translation.target import Text


@dataclass(frozen=True, slots=True)
class Pronoun:
    """What stands for a phrase: "he", "him", "his" and 他."""

    en: str
    object: str
    possessive: str
    zh: str


ME, YOU = Pronoun("I", "me", "my", "我"), Pronoun("you", "you", "your", "你")
WE = Pronoun("we", "us", "our", "我們")
HE, SHE = Pronoun("he", "him", "his", "他"), Pronoun("she", "her", "her", "她")
IT, IT_ALIVE = Pronoun("it", "it", "its", "它"), Pronoun("it", "it", "its", "牠")
THEY = Pronoun("they", "them", "their", "他們")
THEY_WOMEN = Pronoun("they", "them", "their", "她們")
THEY_THINGS = Pronoun("they", "them", "their", "它們")
A_PAIR = Pronoun("they", "them", "their", "它")  # 那條褲子 is one
THEY_ALIVE = Pronoun("they", "them", "their", "牠們")
PRONOUNS = (ME, YOU, HE, SHE, WE, THEY)
ALIVE = ("animal", "bird", "fish", "insect")
HUMAN = ("role", "kin")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase.

    Args:
        en: English as a subject.
        zh: Chinese.
        pronoun: what stands for it later.
        plural: the English verb agrees with a plural.
        definite: the hearer knows which one is meant.
        every: it speaks of all of them, so Chinese adds 都.
        noun: its noun; None for names and pronouns.
        related: it ends in a relative clause.
    """

    en: str
    zh: Text
    pronoun: Pronoun
    plural: bool = False
    definite: bool = True
    every: bool = False
    noun: Noun | None = None
    related: bool = False

    @property
    def object(self) -> str:
        """Return the English form after a verb or preposition."""
        return self.pronoun.object if self.en == self.pronoun.en else self.en

    @property
    def is_pronoun(self) -> bool:
        """Return whether the phrase is a pronoun."""
        return self.en == self.pronoun.en


@dataclass(frozen=True, slots=True)
class Relative:
    """A relative clause: "that Tom bought" and 湯姆買 with 的."""

    en: str
    zh: Text


Relate = Callable[[Dice, Noun], Relative | None]


def of_pronoun(one: Pronoun) -> Phrase:
    """Return a pronoun as a phrase."""
    return Phrase(one.en, [one.zh], one, plural=one.en in ("you", "we", "they"))


def no_relative(dice: Dice, noun: Noun) -> Relative | None:
    """Return no relative clause."""
    return None


def pronoun_of(dice: Dice, noun: Noun, plural: bool) -> Pronoun:
    """Return the pronoun for a noun; a person of either sex is "he" or "she" by chance."""
    if noun.noun_class in HUMAN:
        if plural:
            return THEY_WOMEN if noun.gender == "f" else THEY
        return {"m": HE, "f": SHE}.get(noun.gender) or dice.one((HE, SHE))
    if noun.noun_class in ALIVE:
        return THEY_ALIVE if plural else IT_ALIVE
    return THEY_THINGS if plural else IT
