"""Families where a word depends on another far away: pronouns and nouns of two meanings."""

from dataclasses import replace

from mlspring.worlds.translation import adjuncts, doings, lexicon, phrases, relatives, scenes
from mlspring.worlds.translation.clauses import Clause, joined, spoken, statement
from mlspring.worlds.translation.determiners import synonyms
from mlspring.worlds.translation.dice import Dice, Table
from mlspring.worlds.translation.entries import Noun, Verb, Word
from mlspring.worlds.translation.families_plain import Pair
from mlspring.worlds.translation.pronouns import Phrase, Relative, no_relative, of_pronoun
from mlspring.worlds.translation.relatives import sometimes
from mlspring.worlds.translation.target import Text, either, text


def bound(dice: Dice) -> Pair:
    """Return a sentence whose "it" or "they" is 他, 她, 它, 牠 ... by a noun far before it."""
    return _what_befell(dice) if dice.chance(0.2) else _what_was_done(dice)


def _what_befell(dice: Dice) -> Pair:
    """Return what befell something, and why: the pronoun is bound by the subject."""
    reason = dice.one(lexicon.reasons())
    determiner = dice.one(("the", "the", "the", "this", "these", "number", "many"))
    subject = phrases.noun_phrase(
        dice, reason.nouns, role="subject", relate=relatives.nested, determiner=determiner
    )
    pronoun = subject.pronoun
    main, why = (_bent(dice.one(words), subject) for words in (reason.falls, reason.because))
    en, zh = f"because {pronoun.en} {why.en}", text(pronoun.zh, why.zh[0])
    if pronoun.zh in ("他", "她", "他們", "她們") and dice.chance(0.6):
        cause = scenes.deed(dice, "human", tense=doings.PAST, subject=of_pronoun(pronoun))
        en, zh = f"because {statement(dice, cause)}", spoken(cause)
    return Pair(joined(subject.en, main.en, en), text(subject.zh, main.zh[0], "，", "因為", zh))


def _bent(word: Word, subject: Phrase) -> Word:
    """Return what is said with the verb and the possessive that agree with the subject."""
    en = word.en.replace("were_was", "were" if subject.plural else "was")
    en = en.replace("{poss}", subject.pronoun.possessive)
    return Word(en, (word.zh[0].replace("{她}", subject.pronoun.zh),))


OWNED = (
    "animal bird garment accessory vehicle device text artwork furniture instrument toy tool jewel "
    "kitchenware stationery role"
)


def _follows(verb: Verb) -> bool:
    """Return whether a verb can be a reason or a later deed."""
    reason = verb.forms.base in ("like", "need", "want", "love", "trust", "admire", "miss")
    return reason if verb.kind == "state" else verb.kind in ("action", "event")


def _what_was_done(dice: Dice) -> Pair:
    """Return what somebody did to something, and then to "it": bound by the first object."""
    noun = dice.word(lexicon.table_of(dice.one(OWNED.split())))
    table = scenes.verbs_of_object(noun)
    first, second = dice.word(table), dice.word(table)
    while first.kind not in ("action", "event") or second is first or not _follows(second):
        first, second = dice.word(table), dice.word(table)
    while second.kind == "state" and dice.chance(0.6):
        second = dice.word(table)
        while second is first or not _follows(second):
            second = dice.word(table)
    someone = phrases.person(dice)
    while someone.is_pronoun or not someone.definite:
        someone = phrases.person(dice)
    determiner = dice.one(("the", "the", "this", "number"))
    relate = relatives.done_to if dice.chance(0.7) else no_relative
    thing = phrases.noun_phrase(
        dice, Table([noun]), relate=relate, determiner=determiner, adjective=0.5
    )
    again, it = of_pronoun(someone.pronoun), of_pronoun(thing.pronoun)
    deed = Clause(subject=someone, doing=doings.doing(first, thing), tense=doings.PAST)
    then = Clause(subject=again, doing=doings.doing(second, it), tense=doings.PAST)
    if second.kind == "state":
        then = replace(then, negated=first.forms.base in lexicon.named("partings"))
        en = f"{statement(dice, deed)} because {statement(dice, then)}"
        return Pair(en, text(spoken(deed), "，", "因為", spoken(then)))
    if dice.chance(0.35):
        en = f"{statement(dice, deed)}, and then {statement(dice, then)}"
        return Pair(en, text(spoken(deed), "，", "然後", spoken(then)))
    then = replace(then, time=adjuncts.time(dice, doings.PAST))
    en = f"{statement(dice, deed)}, but {statement(dice, then)}"
    return Pair(en, text(spoken(deed), "，", either("但是", "可是", "但"), spoken(then)))


def two_meanings(dice: Dice) -> Pair:
    """Return a sentence about e.g. a "bat"; its end tells the animal from the stick."""
    sense = dice.one(lexicon.senses())
    noun = Noun(sense.en, "", (sense.zh,), "", sense.measures, "count", "", ())
    relative = _between(dice)
    said = dice.one(sense.predicates)
    counted = synonyms(noun.measures)
    clause = text(relative.zh, "的")
    zh = either(
        text(clause, "那", counted, sense.zh),
        text("那", counted, clause, sense.zh),
        text(clause, sense.zh),
    )
    en = joined("the", sense.en, relative.en, said.en)
    if dice.chance(0.15):
        return Pair(en, text(zh, said.zh[0]))
    other = scenes.deed(dice, "willed", tense=doings.PAST)
    while other.subject.is_pronoun or other.doing.kind not in ("action", "event"):
        other = scenes.deed(dice, "willed", tense=doings.PAST)
    other = Clause(subject=other.subject, doing=other.doing, tense=doings.PAST)
    link, after = dice.one((("before", either("之前", "以前")), ("after", either("之後", "以後"))))
    en = f"{link} {statement(dice, other)}, {en}"
    return Pair(en, text(spoken(replace(other, tense=doings.BARE)), after, "，", zh, said.zh[0]))


def _between(dice: Dice) -> Relative:
    """Return a relative clause that fits both meanings."""
    word = dice.one(lexicon.words("agreement", "between", "words").items)
    someone = phrases.person(dice, relate=sometimes(0.7))
    while not someone.definite:
        someone = phrases.person(dice, relate=sometimes(0.7))
    time = adjuncts.time(dice, "past") if dice.chance(0.5) else None
    if word.en.startswith("was ") or word.en == "liked":
        time = None
    verb = word.en.replace("was ", "were ", 1) if someone.plural else word.en
    when: Text = time.zh if time else text()
    that = "which" if someone.en.startswith("that ") else "that"
    en = f"{that} {someone.en} {verb}{f' {time.en}' if time else ''}"
    return Relative(en, text(someone.zh, when, word.zh[0]))
