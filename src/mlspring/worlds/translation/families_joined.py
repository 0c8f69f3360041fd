"""Families of two clauses: conditions, reasons, times, reports; and comparisons."""

from dataclasses import replace

from mlspring.worlds.translation import doings, lexicon, numerals, phrases, relatives, scenes
from mlspring.worlds.translation.adjuncts import time as time_of
from mlspring.worlds.translation.clauses import Clause, spoken, statement
from mlspring.worlds.translation.determiners import synonyms
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.families_plain import Pair, quality, thing
from mlspring.worlds.translation.morphology import comparative, superlative, verb_forms
from mlspring.worlds.translation.phrases import person
from mlspring.worlds.translation.pronouns import Phrase
from mlspring.worlds.translation.pronouns import spoken as pronoun_phrase
from mlspring.worlds.translation.target import Text, either, text

WEATHER = (
    ("it rains", "下雨"), ("it snows", "下雪"), ("the weather is good", "天氣好"),
    ("the train is late", "火車誤點"), ("there is enough time", "有足夠的時間"),
    ("the weather is bad", "天氣不好"), ("it is too cold", "太冷"), ("the bus does not come", "公車不來"),
)  # fmt: skip
HAPPENED = (
    ("it was raining", "在下雨"), ("the weather was bad", "天氣不好"), ("it was very late", "很晚了"),
    ("there was no bus", "沒有公車"), ("the road was closed", "道路封閉"), ("it was too dark", "太暗了"),
    ("it was a holiday", "那天是假日"), ("the music was too loud", "音樂太吵了"),
)  # fmt: skip


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
    clause = scenes.deed(dice, "human", tense=tense, subject=subject)
    return replace(clause, manner=None, place=None, often=None, negated=negated)


def _again(clause: Clause) -> Phrase:
    """Return the pronoun that stands for a clause's subject."""
    return clause.subject if clause.subject.is_pronoun else pronoun_phrase(clause.subject.pronoun)


def _both_orders(dice: Dice, link: str, condition: str, main: str) -> str:
    """Return English with the condition first or, without a comma, last."""
    return f"{link} {condition}, {main}" if dice.chance(0.5) else f"{main} {link} {condition}"


def _if(dice: Dice) -> Pair:
    main = _short(dice, "future", negated=dice.chance(0.25))
    if dice.chance(0.3):
        en, zh = dice.one(WEATHER)
        time = time_of(dice, "future")
        if time is not None:
            en, zh_if = f"{en} {time.en}", text(time.zh, zh)
        else:
            zh_if = text(zh)
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
        en, zh = dice.one(HAPPENED)
        reason: Text = text(zh)
    else:
        subject = _again(main)
        word, one = quality(dice, main.subject)
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


# ---- reports


def reported(dice: Dice) -> Pair:
    """Return what somebody said, thought or asked."""
    draw = dice.number()
    speaker = person(dice, relate=relatives.sometimes(0.2))
    if draw < 0.55:
        word = dice.word(lexicon.words("verbs", "speech", "say"))
        return _that(dice, speaker, word.en, "", synonyms(word.zh))
    if draw < 0.72:
        word = dice.word(lexicon.words("verbs", "speech", "tell"))
        listener = _listener(dice, speaker)
        say = doings.Doing(
            verb_forms(word.en), "", tuple(lexicon.saying(zh, True) for zh in word.zh), "state",
            listener.zh,
        )  # fmt: skip
        return _that(dice, speaker, word.en, listener.object, doings.said(say, ""))
    if draw < 0.87:
        return _whether(dice, speaker)
    return _quoted(dice, speaker)


def _listener(dice: Dice, speaker: Phrase) -> Phrase:
    found = person(dice, role="object")
    while found.en == speaker.en or (found.is_pronoun and speaker.is_pronoun):
        found = person(dice, role="object")
    return found


def _content(dice: Dice, speaker: Phrase, past: bool) -> Clause:
    """Return what is reported, in the tense that English wants after a past."""
    tense = dice.one(("past", "past", "future", "present"))
    subject = _again(Clause(subject=speaker, doing=scenes.copula("", []), tense="past"))
    clause = scenes.deed(dice, "human", tense=tense, subject=subject if dice.chance(0.45) else None)
    if tense == "present" and dice.chance(0.5):
        one = quality(dice, clause.subject)[1]
        clause = Clause(subject=clause.subject, doing=one, tense="present")
    clause = replace(clause, manner=None)
    if not past:
        return clause
    shifted = {"past": "before", "future": "would", "present": "past"}
    kind = clause.doing.kind
    if clause.tense == "present" and kind not in ("state", "quality"):
        return replace(clause, tense="would", often=None, time=None)
    if clause.tense == "past" and kind in ("state", "quality"):
        return clause
    return replace(clause, tense=shifted.get(clause.tense, clause.tense))


def _that(dice: Dice, speaker: Phrase, verb: str, listener: str, zh: Text) -> Pair:
    past = dice.chance(0.65)
    content = _content(dice, speaker, past)
    forms = verb_forms(verb)
    finite = (
        forms.past if past else forms.base if speaker.plural or speaker.en == "I" else forms.third
    )
    that = "that " if dice.chance(0.8) else ""
    en = f"{speaker.en} {finite} {f'{listener} ' if listener else ''}{that}{statement(dice, content)}"
    return Pair(en, text(speaker.zh, "都" if speaker.every else "", zh, spoken(content)))


def _whether(dice: Dice, speaker: Phrase) -> Pair:
    listener = _listener(dice, speaker)
    content = _content(dice, speaker, True)
    know = dice.chance(0.35)
    en = f"{speaker.en} wanted to know" if know else f"{speaker.en} asked {listener.object}"
    zh = text(speaker.zh, "想知道") if know else text(speaker.zh, "問", listener.zh)
    link = dice.one(("whether", "if"))
    inner = replace(content, time=None, often=None)
    asked = text(inner.subject.zh, either("是否", "是不是"), _comment(inner))
    return Pair(f"{en} {link} {statement(dice, inner)}", text(zh, asked))


def _comment(clause: Clause) -> Text:
    if clause.doing.kind == "quality":
        return text("很", either(*(say[0] for say in clause.doing.says)))
    return spoken(clause, subject=False)


def _quoted(dice: Dice, speaker: Phrase) -> Pair:
    me = pronoun_phrase(phrases.PRONOUNS[0])
    clause = scenes.deed(dice, "human", subject=me)
    inner = statement(dice, clause)
    en = f'{speaker.en} said, "{inner[0].upper()}{inner[1:]}'
    return Pair(en, text(speaker.zh, "說", "：", "「", spoken(clause)), '."')


# ---- comparisons


def comparison(dice: Dice) -> Pair:
    """Return taller than (比), as tall as (一樣), not as tall as (沒有), the tallest (最)."""
    one, other = _two(dice)
    word = quality(dice, one, passing=False)[0]
    zh = synonyms(word.predicate)
    draw = dice.number()
    verb = doings.be(one, False)
    if draw < 0.5:
        return _more(dice, one, other, word.en, zh)
    if draw < 0.65:
        same = text(one.zh, either("跟", "和"), other.zh, "一樣", zh)
        return Pair(f"{one.en} {verb} as {word.en} as {other.object}", same)
    if draw < 0.8:
        less = text(one.zh, "沒有", other.zh, either("那麼", ""), zh)
        return Pair(f"{one.en} {verb} not as {word.en} as {other.object}", less)
    return _most(dice, one, word.en, zh)


def _two(dice: Dice) -> tuple[Phrase, Phrase]:
    if dice.chance(0.5):
        one, other = person(dice), person(dice, role="object")
        while (
            other.is_pronoun or one.is_pronoun or one.en == other.en or one.plural or other.plural
        ):
            one, other = person(dice), person(dice, role="object")
        return one, other
    one = thing(dice, dice.one(("the", "this")))
    nouns = lexicon.Table([one.noun]) if one.noun else lexicon.table_of("text")
    other = phrases.noun_phrase(dice, nouns, role="subject", determiner="that", adjective=0.1)
    while other.plural or other.en == one.en:
        one = thing(dice, dice.one(("the", "this")))
        nouns = lexicon.Table([one.noun]) if one.noun else lexicon.table_of("text")
        other = phrases.noun_phrase(dice, nouns, role="subject", determiner="that", adjective=0.1)
    return one, other


def _more(dice: Dice, one: Phrase, other: Phrase, word: str, zh: Text) -> Pair:
    verb = doings.be(one, False)
    draw = dice.number()
    if word in ("old", "young") and one.noun is None and draw < 0.6:
        years = 2 + dice.below(20)
        en = f"{one.en} {verb} {numerals.english(years)} years {comparative(word)} than {other.object}"
        size = "大" if word == "old" else "小"
        return Pair(en, text(one.zh, "比", other.zh, size, numerals.chinese(years), "歲"))
    degree, tail = dice.one(
        (
            ("", text()),
            ("", text()),
            ("much ", either("得多", "很多")),
            ("a little ", either("一點", "一些")),
        )
    )
    en = f"{one.en} {verb} {degree}{comparative(word)} than {other.object}"
    return Pair(en, text(one.zh, "比", other.zh, zh, tail))


def _most(dice: Dice, one: Phrase, word: str, zh: Text) -> Pair:
    verb = doings.be(one, False)
    noun = one.noun or dice.word(lexicon.table_of("role"))
    if noun.noun_class == "kin":
        noun = dice.word(lexicon.table_of("role"))
    scope, zh_scope = dice.one(
        (("in the world", text("全", "世界")), ("here", text("這裡")), ("in this city", text("這", either("座", "個"), "城市", "裡")))
    )  # fmt: skip
    name = noun.plural if one.plural else noun.en
    en = f"{one.en} {verb} the {superlative(word)} {name} {scope}"
    return Pair(en, text(one.zh, "是", zh_scope, "最", zh, "的", synonyms(noun.zh)))
