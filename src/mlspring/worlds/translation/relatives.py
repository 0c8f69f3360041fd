"""Relative clauses: after the noun in English, before it in Chinese."""

from dataclasses import replace

from mlspring.worlds.translation import adjuncts, doings, lexicon, phrases, scenes
from mlspring.worlds.translation.clauses import Clause, comment, joined, statement
from mlspring.worlds.translation.determiners import weighted
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.doings import doing
from mlspring.worlds.translation.entries import Noun
from mlspring.worlds.translation.pronouns import HE, HUMAN, Phrase, Relate, Relative, no_relative
from mlspring.worlds.translation.target import Text, either, text

PORTABLE = ("fruit", "text", "paper", "slip", "stationery", "kitchenware", "tool", "toy", "jewel")


def relative(dice: Dice, noun: Noun, inner: Relate = no_relative) -> Relative | None:
    """Return a clause about ``noun``: what was done to it, what it did, or where it is.

    Args:
        dice: the source of every choice.
        noun: the noun that the clause stands with.
        inner: draws clauses inside of this one.
    """
    if noun.kind not in ("count", "pair") or noun.noun_class == "kin":
        return None
    human = noun.noun_class in HUMAN
    draw = dice.number()
    if human and draw < 0.22:
        return _from_somewhere(dice)
    if human and draw < 0.6:
        return _doer(dice, noun, inner)
    if noun.noun_class in PORTABLE and draw < 0.08:
        return _lying(dice)
    return done_to(dice, noun, inner) or _doer(dice, noun, inner)


def sometimes(share: float, inner: Relate = no_relative) -> Relate:
    """Return a drawer of relative clauses that stand in ``share`` of the cases."""

    def relate(dice: Dice, noun: Noun) -> Relative | None:
        return relative(dice, noun, inner) if dice.chance(share) else None

    return relate


def nested(dice: Dice, noun: Noun) -> Relative | None:
    """Return a relative clause that sometimes holds another one."""
    return relative(dice, noun, sometimes(0.15))


def done_to(dice: Dice, noun: Noun, inner: Relate = no_relative) -> Relative | None:
    """Return "that Tom bought last week": the noun is the object. None where no verb fits."""
    table = scenes.verbs_of_object(noun)
    if not table.items:
        return None
    verb = dice.word(table)
    tense = doings.PAST
    if verb.kind == "state":
        tense = dice.one((doings.PRESENT, doings.PAST))
    elif verb.kind == "wear" or (verb.kind == "action" and dice.chance(0.2)):
        tense = doings.NOW
    subject = phrases.person(dice, relate=inner)
    while noun is subject.noun or not subject.definite:
        subject = phrases.person(dice, relate=inner)
    time = adjuncts.time(dice, tense) if tense == doings.PAST and dice.chance(0.4) else None
    if verb.kind == "state":
        time = None
    clause = Clause(subject=subject, doing=doing(verb, None), tense=tense, time=time)
    return gapped(dice, noun, clause)


def gapped(dice: Dice, noun: Noun, clause: Clause) -> Relative:
    """Return a clause whose object is the noun that it stands with."""
    human = noun.noun_class in HUMAN
    that = 0.0 if clause.subject.en.startswith("that ") else 0.8
    word = weighted(dice, ((("who" if human else "which"), 1.0 - that), ("that", that)))
    zh = text(clause.subject.zh, clause.time.zh if clause.time else "", _without_past(clause))
    return Relative(joined(word, statement(dice, clause)), zh)


def _without_past(clause: Clause) -> Text:
    """Return the verb as before 的, where 了 is not said: 湯姆昨天買的書."""
    if clause.tense == doings.PAST:
        return text("都" if clause.subject.every else "", doings.said(clause.doing, ""))
    return comment(clause)


def _doer(dice: Dice, noun: Noun, inner: Relate) -> Relative | None:
    """Return "who bought a book": the noun is the subject; None where no verb fits."""
    table = scenes.verbs_of_subject(noun)
    if not table.items:
        return None
    verb = dice.word(table)
    own = Phrase(noun.en, [], HE, noun=noun)
    phrase = scenes.object_of(dice, verb, own, doings.PAST, inner)
    time = None
    if verb.kind in ("action", "event") and dice.chance(0.4 if verb.objects else 1.0):
        time = adjuncts.time(dice, doings.PAST)
    return led(noun, Clause(subject=own, doing=doing(verb, phrase), tense=doings.PAST, time=time))


def led(noun: Noun, clause: Clause) -> Relative:
    """Return a clause in the past whose subject is the noun that it stands with."""
    word = "who" if noun.noun_class in HUMAN else "that"
    time = clause.time.en if clause.time else ""
    en = joined(word, clause.doing.forms.past, clause.doing.after, time)
    one = clause.doing if clause.doing.directed else replace(clause.doing, ba=False)
    verb = doings.said(one, "")
    patterned = one.verb is not None and one.verb.patterned
    if one.object is not None and not patterned and one.kind in ("action", "event"):
        verb = either(doings.said(one, "了"), verb)
    return Relative(en, text(clause.time.zh if clause.time else "", verb))


def _from_somewhere(dice: Dice) -> Relative:
    """Return "from Tokyo", "in the red hat" or "sitting next to the window"."""
    if dice.chance(0.5):
        goal = adjuncts.destination(dice, True)
        return Relative(f"from {goal.en}", text("來自", goal.zh))
    if dice.chance(0.5):
        worn = lexicon.table_of("garment" if dice.chance(0.5) else "accessory")
        phrase = phrases.noun_phrase(dice, worn, determiner="a", adjective=0.7)
        verb = "穿" if phrase.noun and phrase.noun.noun_class == "garment" else "戴"
        return Relative(f"wearing {phrase.en}", text(verb, "著", phrase.zh))
    spot = adjuncts.spot(dice, beside=True)
    return Relative(f"standing {spot.en}", text("站", "在", spot.zh))


def _lying(dice: Dice) -> Relative:
    """Return "on the table"; Chinese puts it before the noun as it does a clause."""
    spot = adjuncts.spot(dice)
    return Relative(spot.en, spot.zh)
