"""Families of two clauses: conditions, reasons, concessions and times."""

from collections.abc import Callable
from dataclasses import replace

from mlspring.worlds.translation import relatives, scenes
from mlspring.worlds.translation.adjuncts import time as time_of
from mlspring.worlds.translation.clauses import Clause, spoken, statement
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.families_plain import Pair, quality, unfronted
from mlspring.worlds.translation.pronouns import Phrase, of_pronoun
from mlspring.worlds.translation.target import Text, either, text

WEATHER = (
    ("it rains", "下雨"), ("it snows", "下雪"), ("the weather is good", "天氣好"),
    ("the train is late", "火車誤點"), ("there is enough time", "有足夠的時間"),
    ("the weather is bad", "天氣不好"), ("it is too cold", "太冷"),
    ("the bus does not come", "公車不來"),
)  # fmt: skip
HAPPENED = (
    ("it was raining", "在下雨"),
    ("the weather was bad", "天氣不好"),
    ("it was very late", "很晚了"),
    ("there was no bus", "沒有公車"),
    ("the road was closed", "道路封閉"),
    ("it was too dark", "太暗了"),
    ("it was a holiday", "那天是假日"),
    ("the music was too loud", "音樂太吵了"),
)


def conditional(dice: Dice) -> Pair:
    """Return a condition, a reason, a concession or a time; Chinese says it first."""
    draw = dice.number()
    if draw < 0.35:
        return _if(dice)
    if draw < 0.55:
        return _because(dice)
    if draw < 0.7:
        return _although(dice)
    return _before_after(dice)


def _short(dice: Dice, tense: str, subject: Phrase | None = None, negated: bool = False) -> Clause:
    """Return a clause of a person without manner and place."""
    once = tense == "once"  # what may happen: an event in the present tense
    clause = scenes.deed(
        dice,
        "willed",
        tense="future" if once else tense,
        subject=subject,
        relate=relatives.sometimes(0.3),
        negated=negated,
    )
    clause = unfronted(replace(clause, manner=None, place=None, often=None))
    return replace(clause, tense="present", time=None) if once else clause


def _again(subject: Phrase) -> Phrase:
    """Return the pronoun that stands for a subject."""
    return subject if subject.is_pronoun else of_pronoun(subject.pronoun)


def _bound(first: Clause, second: Clause, bind: Callable[[Text, Text], Text], same: bool) -> Text:
    """Return two Chinese clauses joined by ``bind``.

    Args:
        first: what Chinese says first.
        second: what it says then.
        bind: puts the two texts together.
        same: they speak of the same subject. Then Chinese names it first and takes the pronoun
            after it; the other way round is possible.
    """
    if not same or first.subject.is_pronoun:
        return bind(spoken(first), spoken(second))
    named, pronoun = first.subject, _again(first.subject)
    one = bind(spoken(first), spoken(replace(second, subject=pronoun)))
    other = bind(spoken(replace(first, subject=pronoun)), spoken(replace(second, subject=named)))
    return either(one, other)


def _both_orders(dice: Dice, link: str, condition: str, main: str) -> str:
    """Return English with the condition first or, without a comma, last."""
    return f"{link} {condition}, {main}" if dice.chance(0.5) else f"{main} {link} {condition}"


def _english(dice: Dice, link: str, condition: Clause, main: Clause, same: bool) -> str:
    """Return both clauses; of one subject, the second to come is a pronoun."""
    first = dice.chance(0.5)
    if same:
        pronoun = _again(main.subject)
        condition = condition if first else replace(condition, subject=pronoun)
        main = replace(main, subject=pronoun) if first else main
    then, what = statement(dice, condition), statement(dice, main)
    return f"{link} {then}, {what}" if first else f"{what} {link} {then}"


def _if(dice: Dice) -> Pair:
    main = _short(dice, "future", negated=dice.chance(0.25))
    unless = dice.chance(0.15)
    link = "unless" if unless else "if"

    def bind(condition: Text, consequence: Text) -> Text:
        if unless:
            return text("除非", condition, "，", either("否則", "不然"), consequence)
        return text(either("如果", "要是", "假如"), condition, "，", consequence)

    consequence = replace(main, closed="" if unless else "就")
    if dice.chance(0.4):
        weather, zh = dice.one(WEATHER)
        time = time_of(dice, "future", exact=True)
        en = f"{weather} {time.en}" if time else weather
        main, consequence = replace(main, time=None), replace(consequence, time=None)
        zh_if = text(time.zh if time else "", zh)
        en = _both_orders(dice, link, en, statement(dice, main))
        return Pair(en, bind(zh_if, spoken(consequence)))
    same = dice.chance(0.6)
    negated = not unless and dice.chance(0.3)
    condition = _short(dice, "once", main.subject if same else None, negated=negated)
    return Pair(
        _english(dice, link, condition, main, same), _bound(condition, consequence, bind, same)
    )


def _because(dice: Dice) -> Pair:
    main = _short(dice, "past", negated=dice.chance(0.4))

    def bind(reason: Text, result: Text) -> Text:
        return text("因為", reason, "，", either("所以", ""), result)

    if dice.chance(0.4):
        en, zh = dice.one(HAPPENED)
        en = _both_orders(dice, "because", en, statement(dice, main))
        return Pair(en, bind(text(zh), spoken(main)))
    one = quality(dice, main.subject, passing=None)[1]
    cause = Clause(subject=main.subject, doing=one, tense="past", negated=dice.chance(0.15))
    return Pair(_english(dice, "because", cause, main, True), _bound(cause, main, bind, True))


def _although(dice: Dice) -> Pair:
    main = _short(dice, "past", negated=dice.chance(0.3))
    one = quality(dice, main.subject)[1]
    concession = Clause(subject=main.subject, doing=one, tense="past")

    def bind(although: Text, but: Text) -> Text:
        return text("雖然", although, "，", either("但是", "可是", "但"), but)

    link = dice.one(("although", "though", "even though"))
    return Pair(_english(dice, link, concession, main, True), _bound(concession, main, bind, True))


def _before_after(dice: Dice) -> Pair:
    main = _short(dice, "past")
    while main.doing.kind not in ("action", "event"):
        main = _short(dice, "past")
    same = dice.chance(0.65)
    other = _short(dice, "past", main.subject if same else None)
    while other.doing.kind not in ("action", "event"):
        other = _short(dice, "past", main.subject if same else None)
    other = replace(other, time=None)
    link, after = dice.one((("before", ("之前", "以前")), ("after", ("之後", "以後"))))

    def bind(first: Text, then: Text) -> Text:
        return text(first, either(*after), "，", then)

    zh = _bound(replace(other, tense="bare"), main, bind, same)
    return Pair(_english(dice, link, other, main, same), zh)
