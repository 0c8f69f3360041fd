"""Families of two clauses: conditions, reasons, concessions and times."""

from dataclasses import replace

from mlspring.worlds.translation import doings, scenes
from mlspring.worlds.translation.adjuncts import time as time_of
from mlspring.worlds.translation.clauses import Clause, spoken, statement
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.families_plain import Pair, quality
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
    clause = scenes.deed(dice, "human", tense=tense, subject=subject, negated=negated)
    return replace(clause, manner=None, place=None, often=None)


def _again(clause: Clause) -> Phrase:
    """Return the pronoun that stands for a clause's subject."""
    return clause.subject if clause.subject.is_pronoun else of_pronoun(clause.subject.pronoun)


def _both_orders(dice: Dice, link: str, condition: str, main: str) -> str:
    """Return English with the condition first or, without a comma, last."""
    return f"{link} {condition}, {main}" if dice.chance(0.5) else f"{main} {link} {condition}"


def _if(dice: Dice) -> Pair:
    main = _short(dice, "future", negated=dice.chance(0.25))
    if dice.chance(0.3):
        weather, zh_weather = dice.one(WEATHER)
        time = time_of(dice, "future")
        en = f"{weather} {time.en}" if time else weather
        zh_if = text(time.zh if time else "", zh_weather)
        main = replace(main, time=None)
    else:
        condition = _short(dice, "present", negated=dice.chance(0.3))
        if condition.doing.kind not in ("state", "wear"):
            condition = replace(condition, time=None)
        en, zh_if = statement(dice, condition), spoken(condition)
    unless = dice.chance(0.15)
    consequence = spoken(main, closed="" if unless else "就")
    if unless:
        zh = text("除非", zh_if, "，", either("否則", "不然"), consequence)
        return Pair(f"{statement(dice, main)} unless {en}", zh)
    zh = text(either("如果", "要是", "假如"), zh_if, "，", consequence)
    return Pair(_both_orders(dice, "if", en, statement(dice, main)), zh)


def _because(dice: Dice) -> Pair:
    main = _short(dice, "past", negated=dice.chance(0.4))
    if dice.chance(0.4):
        en, happened = dice.one(HAPPENED)
        reason: Text = text(happened)
    else:
        subject = _again(main)
        one = quality(dice, main.subject)[1]
        cause = Clause(subject=subject, doing=one, tense="past")
        if dice.chance(0.4):
            cause = _short(dice, "past", subject)
        en, reason = statement(dice, cause), spoken(replace(cause, time=None))
        en = statement(dice, replace(cause, time=None))
    zh = text("因為", reason, "，", either("所以", ""), spoken(main))
    order = dice.chance(0.7)
    whole = statement(dice, main)
    return Pair(f"{whole} because {en}" if order else f"because {en}, {whole}", zh)


def _although(dice: Dice) -> Pair:
    first = _short(dice, "past", negated=dice.chance(0.3))
    one = quality(dice, first.subject)[1]
    concession = Clause(subject=first.subject, doing=one, tense="past")
    main = replace(first, subject=_again(first))
    pronoun = main.subject.zh
    zh = text(
        "雖然", spoken(concession), "，", either("但是", "可是", "但"),
        spoken(replace(main, subject=replace(main.subject, zh=pronoun))),
    )  # fmt: skip
    link = dice.one(("although", "though", "even though"))
    return Pair(f"{link} {statement(dice, concession)}, {statement(dice, main)}", zh)


def _before_after(dice: Dice) -> Pair:
    main = _short(dice, "past")
    other = _short(dice, "past", _again(main) if dice.chance(0.6) else None)
    while other.doing.kind not in ("action", "event") or main.doing.kind not in ("action", "event"):
        main = _short(dice, "past")
        other = _short(dice, "past", _again(main) if dice.chance(0.6) else None)
    other = replace(other, time=None)
    link, after = dice.one((("before", ("之前", "以前")), ("after", ("之後", "以後"))))
    verb = doings.said(other.doing, "")
    zh = text(other.subject.zh, verb, either(*after), "，", spoken(main))
    return Pair(_both_orders(dice, link, statement(dice, other), statement(dice, main)), zh)
