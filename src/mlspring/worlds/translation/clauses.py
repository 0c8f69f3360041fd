"""Clauses: somebody does something, when, where and how, in the order of each language."""

from dataclasses import dataclass

from mlspring.worlds.translation.adjuncts import Adjunct
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.doings import (
    EXPERIENCE,
    NOW,
    PERFECT,
    THEN,
    Doing,
    chinese,
    denied,
    finite,
)
from mlspring.worlds.translation.pronouns import HUMAN, Phrase
from mlspring.worlds.translation.target import Text, either, text


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """A clause before it is written out.

    Args:
        subject: who.
        doing: what.
        tense: one of the tenses of ``doings``.
        negated: whether it is denied.
        time: when.
        place: where.
        manner: how.
        often: an adverb before the verb in both languages.
        closed: a Chinese word between subject and verb, e.g. 就 of a consequence.
        fronted: English says the time first, as it must where a relative clause ends the sentence.
    """

    subject: Phrase
    doing: Doing
    tense: str
    negated: bool = False
    time: Adjunct | None = None
    place: Adjunct | None = None
    manner: Adjunct | None = None
    often: Adjunct | None = None
    closed: str = ""
    fronted: bool = False

    @property
    def personal(self) -> bool:
        """Return whether the subject is a person, who can plan."""
        return self.subject.noun is None or self.subject.noun.noun_class in HUMAN


def statement(dice: Dice, clause: Clause) -> str:
    """Return the English words, in the order of a statement."""
    auxiliary, main = finite(clause.doing, clause.tense, clause.subject, clause.negated)
    if clause.tense == EXPERIENCE and clause.negated:
        auxiliary += " never"
    elif clause.negated:
        auxiliary = denied(dice, auxiliary)
    elif clause.tense == PERFECT:
        auxiliary += " already"
    often = clause.often.en if clause.often else ""
    first = f"{clause.time.en}," if clause.time and clause.fronted else ""
    return joined(first, clause.subject.en, auxiliary, often, main, *ending(clause))


def question(dice: Dice, clause: Clause) -> str:
    """Return the English words, in the order of a question: "did Tom buy a book"."""
    auxiliary, main = finite(clause.doing, clause.tense, clause.subject, True)
    often = clause.often.en if clause.often else ""
    ever = "ever" if clause.tense == EXPERIENCE else ""
    last = [word for word in ending(clause) if not (ever and word == "before")]
    return joined(auxiliary, clause.subject.en, often, ever, main, *last)


def ending(clause: Clause) -> list[str]:
    """Return what follows the English verb: object, manner, place, time."""
    before = "before" if clause.tense == EXPERIENCE and not clause.negated else ""
    yet = "yet" if clause.tense == PERFECT and clause.negated else ""
    adjuncts = (clause.manner, clause.place, None if clause.fronted else clause.time)
    return [clause.doing.after, *(one.en if one else "" for one in adjuncts), before, yet]


def joined(*words: str) -> str:
    """Return the words that are there, with single spaces."""
    return " ".join(word for word in words if word)


def spoken(clause: Clause, *, subject: bool = True) -> Text:
    """Return the Chinese words: subject, time, all (都), 會/沒有/正在, place, manner, verb.

    Args:
        clause: what to say.
        subject: whether the subject is said; where it is, the time may also stand before it.
    """
    return text(topic(clause, subject), clause.closed, comment(clause))


def topic(clause: Clause, subject: bool = True) -> Text:
    """Return subject and time in their two orders."""
    time = clause.time.zh if clause.time else text()
    if not subject:
        return time
    zh = clause.subject.zh
    return either(text(zh, time), text(time, zh)) if time else zh


def comment(clause: Clause) -> Text:
    """Return everything after subject and time."""
    before, verb = chinese(clause.doing, clause.tense, clause.negated, person=clause.personal)
    place = clause.place.zh if clause.place else text()
    if place and clause.tense in (NOW, THEN) and not clause.negated and clause.doing.kind != "wear":
        before = either("正", "")  # 正在圖書館看書: 在 is said once
    manner = clause.manner.zh if clause.manner else text()
    often = clause.often.zh if clause.often else text()
    every = "都" if clause.subject.every else ""
    return text(every, often, before, place, manner, verb)
