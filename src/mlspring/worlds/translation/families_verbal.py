"""Families about the verb: denial, aspect, modals, commands and 被."""

from dataclasses import replace

from mlspring.worlds.translation import adjuncts, doings, lexicon, phrases, relatives, scenes
from mlspring.worlds.translation.clauses import Clause, joined, spoken, statement, topic
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.doings import Doing, be, denied, doing
from mlspring.worlds.translation.entries import Verb
from mlspring.worlds.translation.families_plain import Pair, quality, thing, told
from mlspring.worlds.translation.pronouns import Phrase
from mlspring.worlds.translation.target import either, text


def negation(dice: Dice) -> Pair:
    """Return what did not happen (沒有), is not so or will not be (不), or never was (從來沒有)."""
    draw = dice.number()
    if draw < 0.12:
        subject = phrases.person(dice) if dice.chance(0.5) else thing(dice)
        one = quality(dice, subject)[1]
        return told(dice, Clause(subject=subject, doing=one, tense="present", negated=True))
    tense = "present"
    if draw < 0.65:
        tense = dice.one(("past", "past", "past", "experience", "perfect", "future"))
    clause = scenes.deed(dice, "human", tense=tense, negated=True, relate=relatives.sometimes(0.2))
    return told(dice, replace(clause, manner=None))


def aspect(dice: Dice) -> Pair:
    """Return what is going on, has been done, was ever done, or is about to be done."""
    draw = dice.number()
    if draw < 0.3:
        return _meanwhile(dice)
    tense = dice.one(("experience", "perfect", "now", "going"))
    kind = "personal action" if tense == "now" else "human"
    return told(dice, scenes.deed(dice, kind, tense=tense, relate=relatives.sometimes(0.25)))


def _meanwhile(dice: Dice) -> Pair:
    """Return what was going on when something happened; Chinese says the latter first."""
    clause = scenes.deed(dice, "personal action", tense=doings.THEN)
    other = scenes.deed(dice, "personal intransitive", tense=doings.PAST)
    while other.doing.kind != "event":
        other = scenes.deed(dice, "personal intransitive", tense=doings.PAST)
    clause = replace(clause, time=None, manner=None)
    other = Clause(subject=other.subject, doing=other.doing, tense=doings.PAST)
    en = f"{statement(dice, clause)} when {statement(dice, other)}"
    when = text(other.subject.zh, doings.said(other.doing, ""), either("的時候", "時"))
    return Pair(en, text(either("", "當"), when, "，", spoken(clause)))


def modal(dice: Dice) -> Pair:
    """Return what somebody can, should, must, may or wants to do, or decided to do."""
    draw = dice.number()
    verb = dice.word(scenes.verbs("willed"))
    while verb.forms.base in lexicon.named("harms"):
        verb = dice.word(scenes.verbs("willed"))
    subject = phrases.person(dice)
    if draw < 0.4:
        relate = relatives.sometimes(0.2)
        inner = doing(verb, scenes.object_of(dice, verb, subject, doings.PAST, relate))
        tense = dice.one(tuple(doings.MODALS))
        negated = dice.chance(0.25)
        related = inner.phrase is not None and inner.phrase.related
        time = adjuncts.time(dice, doings.FUTURE, exact=True)
        time = time if dice.chance(0.4) and not related else None
        clause = Clause(subject=subject, doing=inner, tense=tense, negated=negated, time=time)
        return told(dice, clause)
    kind = "state" if draw < 0.75 else "event"
    habit = doings.PRESENT if dice.chance(0.5) else doings.PAST
    inner = doing(verb, scenes.object_of(dice, verb, subject, habit))
    one = scenes.controlled(dice, inner, kind, general=habit == doings.PRESENT)
    tense = dice.one(("present", "present", "past")) if kind == "state" else "past"
    negated = one.front_denied is not None and dice.chance(0.3)
    time = adjuncts.time(dice, "past") if kind == "event" and dice.chance(0.5) else None
    return told(dice, Clause(subject=subject, doing=one, tense=tense, negated=negated, time=time))


def command(dice: Dice) -> Pair:
    """Return a request, a prohibition or a proposal."""
    kind = "ba" if dice.chance(0.4) else "willed"
    verb = dice.word(scenes.verbs(kind))
    while (
        verb.of_humans
        or verb.objects is None
        or verb.forms.base in lexicon.named("accidents") - lexicon.named("harms")
    ):
        verb = dice.word(scenes.verbs(kind))
    determiner = dice.one(("the", "this", "possessive", "that"))
    one = doing(
        verb,
        phrases.noun_phrase(
            dice, verb.objects, determiner=determiner, relate=relatives.sometimes(0.35)
        ),
    )
    related = one.phrase is not None and one.phrase.related
    near = verb.kind == "action" and not related and dice.chance(0.3)
    place = adjuncts.place(dice) if near else None
    after = joined(one.after, place.en if place else "")
    zh = text(place.zh if place else "", doings.said(one, ""))
    draw = 0.5 if verb.forms.base in lexicon.named("harms") else dice.number()
    if draw < 0.45:
        return Pair(f"please {one.forms.base} {after}", text("請", zh))
    if draw < 0.75:
        return Pair(f"don't {one.forms.base} {after}", text(either("不要", "別"), zh))
    return Pair(f"let's {one.forms.base} {after}", text("我們", zh, "吧"))


# ---- what is done to something


def passive(dice: Dice) -> Pair:
    """Return what was done to something: 被 where it suffers, 是 ... 的 where it was made."""
    made = dice.chance(0.35)
    verb = dice.word(scenes.verbs("shi" if made else "bei"))
    while verb.objects is None:
        verb = dice.word(scenes.verbs("shi" if made else "bei"))
    agent = scenes.subject_of(dice, verb) if made or dice.chance(0.75) else None
    patient = _patient(dice, verb)
    while agent and (agent.is_pronoun or agent.en == patient.en):
        agent = scenes.subject_of(dice, verb)
    time = adjuncts.time(dice, doings.PAST) if dice.chance(0.5) else None
    negated = not made and dice.chance(0.12)
    auxiliary = be(patient, True)
    en = joined(
        patient.en,
        denied(dice, auxiliary) if negated else auxiliary,
        verb.forms.participle,
        f"by {agent.object}" if agent else "",
        time.en if time else "",
    )
    done = doings.said(Doing(verb.forms, "", verb.zh, verb.kind), "")
    by = agent.zh if agent else text()
    if made:
        zh = text(
            patient.zh, "都" if patient.every else "", "是", by, time.zh if time else "", done, "的"
        )
        return Pair(en, zh)
    clause = Clause(
        subject=patient, doing=Doing(verb.forms, "", verb.zh, "event"), tense="past", time=time
    )
    lead = either("沒有", "沒") if negated else text("都" if patient.every else "")
    zh = text(topic(clause), lead, "被", by, done, "" if negated else "了")
    return Pair(en, zh)


def _patient(dice: Dice, verb: Verb) -> Phrase:
    """Return what a passive is about: something known."""
    if verb.objects is None or verb.of_humans:
        return phrases.person(dice)
    determiner = dice.one(("the", "the", "the", "this", "possessive", "these"))
    relate = relatives.sometimes(0.25)
    return phrases.noun_phrase(
        dice, verb.objects, role="subject", determiner=determiner, relate=relate
    )
