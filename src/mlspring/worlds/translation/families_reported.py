"""Families of reports and comparisons."""

from dataclasses import replace

from mlspring.worlds.translation import doings, lexicon, numerals, phrases, relatives, scenes
from mlspring.worlds.translation.clauses import Clause, joined, spoken, statement
from mlspring.worlds.translation.determiners import synonyms
from mlspring.worlds.translation.dice import Dice, Table
from mlspring.worlds.translation.families_plain import THINGS, Pair, quality, unfronted
from mlspring.worlds.translation.morphology import comparative, superlative, verb_forms
from mlspring.worlds.translation.phrases import person
from mlspring.worlds.translation.pronouns import ME, Phrase, of_pronoun
from mlspring.worlds.translation.target import Text, either, text

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
    subject = speaker if speaker.is_pronoun else of_pronoun(speaker.pronoun)
    bound = subject if dice.chance(0.45) else None
    relate = relatives.sometimes(0.2)
    clause = unfronted(scenes.deed(dice, "human", tense=tense, subject=bound, relate=relate))
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
    that = "that" if listener or dice.chance(0.8) else ""
    en = joined(speaker.en, finite, listener, that, statement(dice, content))
    return Pair(en, text(speaker.zh, "都" if speaker.every else "", zh, spoken(content)))


UNKNOWN = (
    ("wanted to know", "想知道"),
    ("wondered", "想知道"),
    ("didn't know", "不知道"),
    ("couldn't remember", "不記得"),
)


def _whether(dice: Dice, speaker: Phrase) -> Pair:
    listener = _listener(dice, speaker)
    content = _content(dice, speaker, True)
    en, zh = f"asked {listener.object}", text("問", listener.zh)
    if dice.chance(0.4):
        en, known = dice.one(UNKNOWN)
        zh = text(known)
    zh = text(speaker.zh, "都" if speaker.every else "", zh)
    link = dice.one(("whether", "if"))
    inner = replace(content, time=None, often=None)
    asked = text(inner.subject.zh, either("是否", "是不是"), _comment(inner))
    en = joined(speaker.en, en, link, statement(dice, inner))
    return Pair(en, text(zh, asked))


def _comment(clause: Clause) -> Text:
    if clause.doing.kind == "quality":
        return text("很", either(*(say[0] for say in clause.doing.says)))
    return spoken(clause, subject=False)


def _quoted(dice: Dice, speaker: Phrase) -> Pair:
    me = of_pronoun(ME)
    while speaker.plural:
        speaker = person(dice)
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
    """Return two known persons, or two things of one kind."""
    while dice.chance(0.5):
        one, other = person(dice), person(dice, role="object")
        single = not (one.plural or other.plural or one.is_pronoun or other.is_pronoun)
        if single and one.definite and other.definite and one.en != other.en:
            return one, other
    determiners = dice.one((("this", "that"), ("possessive", "that"), ("this", "possessive")))
    nouns = lexicon.table_of(dice.one(THINGS.split()))
    while True:
        noun = dice.word(nouns)
        if noun.kind == "count":
            break
        nouns = lexicon.table_of(dice.one(THINGS.split()))
    one, other = (
        phrases.noun_phrase(
            dice, Table([noun]), role="subject", determiner=which, adjective=0.0, plural=False
        )
        for which in determiners
    )
    return one, other


def _more(dice: Dice, one: Phrase, other: Phrase, word: str, zh: Text) -> Pair:
    verb = doings.be(one, False)
    draw = dice.number()
    if word in ("old", "young") and one.noun is None and draw < 0.6:
        years = 2 + dice.below(20)
        older = f"{numerals.english(years)} years {comparative(word)}"
        en = f"{one.en} {verb} {older} than {other.object}"
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


SCOPES: tuple[tuple[str, Text], ...] = (
    ("in the world", text("全", "世界")),
    ("here", text("這裡")),
    ("in this city", text("這", either("座", "個"), "城市", "裡")),
)


def _most(dice: Dice, one: Phrase, word: str, zh: Text) -> Pair:
    verb = doings.be(one, False)
    noun = one.noun or dice.word(lexicon.table_of("role"))
    if noun.noun_class == "kin":
        noun = dice.word(lexicon.table_of("role"))
    scope, zh_scope = dice.one(SCOPES)
    name = noun.plural if one.plural else noun.en
    en = f"{one.en} {verb} the {superlative(word)} {name} {scope}"
    return Pair(en, text(one.zh, "是", zh_scope, "最", zh, "的", synonyms(noun.zh)))
