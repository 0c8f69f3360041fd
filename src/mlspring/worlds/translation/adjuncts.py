"""When, where and how: at the end of an English sentence, before the verb of a Chinese one."""

from dataclasses import dataclass

from mlspring.worlds.translation import doings, lexicon, numerals
from mlspring.worlds.translation.determiners import synonyms
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.target import Text, either, text

LISTS = {
    doings.PAST: "past",
    doings.BEFORE: "past",
    doings.FUTURE: "future",
    doings.WOULD: "future",
    doings.GOING: "future",
    doings.PRESENT: "habit",
    doings.NOW: "now",
}
SPANS = (
    ("day", "天"), ("week", "個星期"), ("month", "個月"), ("year", "年"), ("hour", "個小時"),
    ("minute", "分鐘"),
)  # fmt: skip
YEARS = (1950, 2022)
VAGUE = ("soon", "later", "someday", "sooner or later", "recently", "a moment ago", "just now")


@dataclass(frozen=True, slots=True)
class Adjunct:
    """A time, a place or a manner; ``en`` stands alone, without a space before it."""

    en: str
    zh: Text


def time(dice: Dice, tense: str, exact: bool = False) -> Adjunct | None:
    """Return a time that goes with a tense, or None; ``exact`` leaves out "soon" and the like."""
    if tense not in LISTS:
        return None
    found = _time(dice, tense)
    while exact and found.en in VAGUE:
        found = _time(dice, tense)
    return found


def _time(dice: Dice, tense: str) -> Adjunct:
    draw = dice.number()
    if LISTS[tense] == "past" and draw < 0.3:
        return _ago(dice) if draw < 0.16 else _year(dice) if draw < 0.24 else _month(dice, "last")
    if LISTS[tense] == "future" and draw < 0.25:
        return _later(dice) if draw < 0.17 else _month(dice, "next")
    word = dice.word(lexicon.words("adverbs", LISTS[tense], "words"))
    return Adjunct(word.en, synonyms(word.zh))


def hour(dice: Dice) -> Adjunct:
    """Return a time at which one does not do something: "on weekends"."""
    word = dice.one(lexicon.words("adverbs", "hours", "words").items)
    return Adjunct(word.en, synonyms(word.zh))


def _span(dice: Dice) -> tuple[str, list[str]]:
    name, zh = dice.one(SPANS)
    number = dice.one((2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30))
    return f"{numerals.english(number)} {name}s", [*numerals.chinese(number), zh]


def _ago(dice: Dice) -> Adjunct:
    en, zh = _span(dice)
    return Adjunct(f"{en} ago", text(zh, either("前", "之前")))


def _later(dice: Dice) -> Adjunct:
    en, zh = _span(dice)
    return Adjunct(f"in {en}", text(zh, either("後", "之後")))


def _year(dice: Dice) -> Adjunct:
    year = YEARS[0] + dice.below(YEARS[1] - YEARS[0] + 1)
    digits = "".join(numerals.DIGITS[int(digit)] for digit in str(year))
    return Adjunct(f"in {year}", text(either(str(year), digits), "年"))


def _month(dice: Dice, which: str) -> Adjunct:
    month = dice.one(lexicon.words("adverbs", "months", "words").items)
    return Adjunct(f"{which} {month.en}", text("去年" if which == "last" else "明年", month.zh[0]))


def place(dice: Dice) -> Adjunct:
    """Return where something is done: a city, a country or a place one enters."""
    draw = dice.number()
    if draw < 0.25:
        return city(dice)
    if draw < 0.33:
        word = dice.word(lexicon.words("places", "countries", "words"))
        en = f"in {'the United States' if word.en == 'America' else word.en}"
        return Adjunct(en, text("在", word.zh[0]))
    inside = dice.word(lexicon.places())
    zh = text("在", synonyms(inside.zh))
    if inside.note == "in":
        zh = text(zh, either("", "裡"))
    return Adjunct(f"{inside.note} the {inside.en}", zh)


def city(dice: Dice) -> Adjunct:
    """Return e.g. "in Taipei", 在台北."""
    word = dice.word(lexicon.words("places", "cities", "words"))
    return Adjunct(f"in {word.en}", text("在", word.zh[0]))


def destination(dice: Dice, far: bool) -> Adjunct:
    """Return where somebody goes, in English without a preposition."""
    if far:
        listed = dice.one(("cities", "cities", "countries"))
        word = dice.word(lexicon.words("places", listed, "words"))
        return Adjunct(word.en, [word.zh[0]])
    inside = dice.word(lexicon.places())
    return Adjunct(f"the {inside.en}", synonyms(inside.zh))


def spot(dice: Dice, beside: bool = False) -> Adjunct:
    """Return a place at a thing: "under the table", 桌子下面; ``beside`` it, one can stand."""
    listed = lexicon.words("places", "spots", "words").items
    where = dice.one(listed[3:] if beside else listed)  # on, in and under stand first
    things = {
        "in": "=box =drawer =bag =suitcase =basket =backpack =cupboard =handbag =briefcase",
        "on": "=table =desk =bed =sofa =chair =bookcase =shelf =carpet =bench =roof",
        "under": "=table =desk =bed =sofa =chair =tree =bridge =umbrella =bench",
    }.get(where.en, "=house =tree =church =window =car =door =wall =sofa =tower =fence =gate")
    noun = dice.word(lexicon.table_of(things))
    return Adjunct(f"{where.en} the {noun.en}", text(synonyms(noun.zh), synonyms(where.zh)))


def manner(dice: Dice) -> Adjunct:
    """Return how a person does something."""
    word = dice.word(lexicon.words("adverbs", "manner", "words"))
    return Adjunct(word.en, synonyms(word.zh))
