"""Families about where things go and are: 把 and existence."""

from mlspring.worlds.translation import adjuncts, lexicon, numerals, phrases, scenes
from mlspring.worlds.translation.adjuncts import Adjunct
from mlspring.worlds.translation.clauses import Clause
from mlspring.worlds.translation.determiners import synonyms
from mlspring.worlds.translation.dice import Dice, Table
from mlspring.worlds.translation.doings import Doing, be, doing
from mlspring.worlds.translation.entries import Noun
from mlspring.worlds.translation.families_plain import Pair, told
from mlspring.worlds.translation.morphology import verb_forms
from mlspring.worlds.translation.pronouns import Phrase
from mlspring.worlds.translation.relatives import sometimes
from mlspring.worlds.translation.target import Text, either, text

# ---- 把


def disposal(dice: Dice) -> Pair:
    """Return what somebody did with something known: Chinese puts it before the verb."""
    subject = phrases.person(dice)
    draw = dice.number()
    if draw < 0.4:
        verb = dice.word(scenes.verbs("ba"))
        determiner = dice.one(("the", "the", "this", "that", "possessive", "these"))
        nouns = verb.objects or lexicon.table_of("text")
        one = doing(verb, phrases.noun_phrase(dice, nouns, determiner=determiner))
    else:
        one = (
            _moved(dice) if draw < 0.7 else _changed(dice) if draw < 0.82 else _given(dice, subject)
        )
    tense = dice.one(("past", "past", "past", "future", "going"))
    time = adjuncts.time(dice, tense) if dice.chance(0.4) else None
    negated = dice.chance(0.1)
    return told(dice, Clause(subject=subject, doing=one, tense=tense, time=time, negated=negated))


PUT = (("put", "放在"), ("leave", "留在"), ("hide", "藏在"), ("lay", "擺在"), ("throw", "丟在"))


def _moved(dice: Dice) -> Doing:
    """Return putting something somewhere."""
    if dice.chance(0.25):
        nouns = lexicon.table_of("furniture =box =suitcase =bicycle =piano =orchid")
        thing, goal = _known(dice, nouns), adjuncts.destination(dice, False)
        verb, zh = dice.one((("move", "搬到"), ("carry", "搬到"), ("push", "推到")))
        return _placed(verb, f"{thing.object} to {goal.en}", thing, (zh, "."), goal.zh)
    thing, spot = _known(dice, lexicon.table_of("carried")), adjuncts.spot(dice)
    verb, zh = dice.one(PUT)
    return _placed(verb, f"{thing.object} {spot.en}", thing, (zh,), spot.zh)


def _changed(dice: Dice) -> Doing:
    """Return turning something into something else."""
    draw = dice.number()
    if draw < 0.4:
        thing = _known(dice, lexicon.table_of("text paper"), 0.35)
        language = phrases.noun_phrase(dice, lexicon.table_of("language"))
        after = f"{thing.object} into {language.en}"
        return _placed("translate", after, thing, ("翻譯成", "."), language.zh)
    if draw < 0.7:
        thing = _known(dice, lexicon.table_of("fruit =cake =pizza =pie =potato =watermelon"))
        number = 2 + dice.below(9)
        after = f"{thing.object} into {numerals.english(number)} pieces"
        return _placed("cut", after, thing, ("切成", "."), text(numerals.chinese(number), "塊"))
    thing = _known(dice, lexicon.table_of("wall part furniture"))
    colour = dice.word(lexicon.adjectives()["part"])
    while not colour.attribute[0].endswith("色的") or "-" in colour.en:
        colour = dice.word(lexicon.adjectives()["part"])
    after = f"{thing.object} {colour.en}"
    return _placed("paint", after, thing, ("漆成", "."), synonyms(colour.predicate))


def _given(dice: Dice, subject: Phrase) -> Doing:
    """Return giving something known to somebody."""
    receiver = phrases.person(dice, role="object")
    while receiver.is_pronoun or receiver.en == subject.en:
        receiver = phrases.person(dice, role="object")
    thing = _known(dice, lexicon.table_of("carried"), 0.3)
    word = dice.word(lexicon.words("verbs", "giving", "words"))
    after = f"{thing.object} to {receiver.object}"
    return _placed(word.en, after, thing, (word.zh[0], "."), receiver.zh)


def _known(dice: Dice, nouns: Table[Noun], related: float = 0.0) -> Phrase:
    determiner = dice.one(("the", "the", "the", "this", "that", "possessive", "these"))
    return phrases.noun_phrase(dice, nouns, determiner=determiner, relate=sometimes(related))


def _placed(verb: str, after: str, thing: Phrase, zh: tuple[str, ...], goal: Text) -> Doing:
    says = (("把", "~", *zh),)
    return Doing(verb_forms(verb), after, says, "event", thing.zh, goal=goal)


# ---- there is


SMALL = "fruit kitchenware toy text stationery slip =cat =kitten =hamster =scissors =key =knife"
LARGE = "role vehicle tree =dog =cat =cow =horse =sheep =chicken =duck"


def existence(dice: Dice) -> Pair:
    """Return that there is something somewhere: Chinese says the place first."""
    if dice.chance(0.55):
        spot = adjuncts.spot(dice)
        close = spot.en.startswith(("on ", "in the ", "under "))
        classes = SMALL if close and "tree" not in spot.en else LARGE
    else:
        inside = dice.word(lexicon.places())
        zh = text(synonyms(inside.zh), "裡" if inside.note == "in" else either("", "裡"))
        spot = Adjunct(f"{inside.note} the {inside.en}", zh)
        classes = "role furniture device artwork"
    draw = dice.number()
    nouns = lexicon.table_of(classes)
    relate = sometimes(0.35)
    if draw < 0.6:
        determiner = dice.one(("a", "number", "many", "some", "several"))
        thing = phrases.noun_phrase(dice, nouns, determiner=determiner, relate=relate)
        if dice.chance(0.75):
            return Pair(
                f"there {be(thing, False)} {thing.en} {spot.en}", text(spot.zh, "有", thing.zh)
            )
        before = either(text("以前", spot.zh), text(spot.zh, "以前"))
        return Pair(f"there used to be {thing.en} {spot.en}", text(before, "有", thing.zh))
    noun = dice.word(nouns)
    while noun.kind != "count":
        noun = dice.word(nouns)
    adjectives, zh = phrases.adjectives_for(dice, noun, 0.2)
    words = " ".join([*adjectives, noun.plural])
    if draw < 0.8:
        en = f"there are no {words} {spot.en}"
        return Pair(en, text(spot.zh, either("沒有", text("沒有", "任何")), zh, synonyms(noun.zh)))
    en = f"how many {words} are there {spot.en}"
    count = either(
        text("幾", synonyms(noun.measures)), text("多少", synonyms(noun.measures)), "多少"
    )
    return Pair(en, text(spot.zh, "有", count, zh, synonyms(noun.zh)), "?")
