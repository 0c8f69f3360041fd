"""Families of one clause: statements, questions, denial, aspect, numbers, names, commands."""

from dataclasses import dataclass, replace

from mlspring.worlds.translation import adjuncts, doings, lexicon, phrases, relatives, scenes
from mlspring.worlds.translation.clauses import (
    Clause,
    comment,
    ending,
    joined,
    question,
    spoken,
    statement,
    topic,
)
from mlspring.worlds.translation.determiners import synonyms
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.doings import finite
from mlspring.worlds.translation.entries import Adjective
from mlspring.worlds.translation.morphology import BE
from mlspring.worlds.translation.pronouns import HE, HUMAN, Phrase
from mlspring.worlds.translation.target import Text, either, text

MARKS = {".": "。", "?": "？", '."': "。」"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence of both languages; ``en`` without capital and mark, ``zh`` without mark."""

    en: str
    zh: Text
    mark: str = "."

    @property
    def english(self) -> str:
        """Return the English sentence as it is written."""
        return self.en[0].upper() + self.en[1:] + self.mark

    @property
    def chinese(self) -> Text:
        """Return the Chinese sentence with its mark."""
        return text(self.zh, MARKS[self.mark])


def told(dice: Dice, clause: Clause) -> Pair:
    """Return a clause as a sentence of its own; English may say the time first."""
    if clause.time and clause.tense in (doings.PAST, doings.FUTURE) and dice.chance(0.12):
        clause = replace(clause, fronted=True)
    return Pair(statement(dice, clause), spoken(clause))


def quality(
    dice: Dice, subject: Phrase, passing: bool | None = True
) -> tuple[Adjective, doings.Doing]:
    """Return an adjective said of ``subject``: "is tall", 很高.

    ``passing`` allows moods (tired) and, None, prefers them for persons.
    """
    name = subject.noun.noun_class if subject.noun else "role"
    moods = passing is None and name in HUMAN
    while True:
        word = dice.word(lexicon.adjectives()[name])
        fits = word.passing if moods else passing is not False or not word.passing
        if word.graded and fits:
            says = tuple((one,) for one in word.predicate)
            return word, doings.Doing(BE, word.en, says, "quality")


# ---- statements


def plain(dice: Dice) -> Pair:
    """Return that somebody does, gives, goes, lives or is something."""
    draw = dice.number()
    if draw < 0.68:
        return told(dice, scenes.deed(dice, relate=relatives.sometimes(0.35)))
    subject = phrases.person(dice)
    if draw < 0.8:
        tense = dice.one((doings.PAST, doings.PAST, doings.FUTURE, doings.GOING))
        clause = Clause(subject=subject, doing=scenes.journey(dice), tense=tense)
        return told(dice, replace(clause, time=adjuncts.time(dice, tense)))
    if draw < 0.85:
        return told(dice, Clause(subject=subject, doing=scenes.living(dice), tense=doings.PRESENT))
    if draw < 0.94:
        receiver = phrases.person(dice, role="object")
        while receiver.is_pronoun or receiver.en == subject.en:
            receiver = phrases.person(dice, role="object")
        tense = dice.one((doings.PAST, doings.PAST, doings.FUTURE))
        clause = Clause(subject=subject, doing=scenes.gift(dice, receiver), tense=tense)
        if dice.chance(0.6):
            clause = replace(clause, time=adjuncts.time(dice, tense))
        return told(dice, clause)
    subject = phrases.person(dice) if dice.chance(0.5) else thing(dice)
    return told(
        dice, Clause(subject=subject, doing=quality(dice, subject)[1], tense=doings.PRESENT)
    )


THINGS = (
    "garment accessory furniture vehicle device text paper building nature animal bird film dish "
    "fruit idea event artwork kitchenware tool org plant song"
)


def thing(dice: Dice, determiner: str = "the") -> Phrase:
    """Return something that qualities are said of."""
    classes = dice.one(THINGS.split())
    nouns = lexicon.table_of(classes)
    return phrases.noun_phrase(dice, nouns, role="subject", adjective=0.1, determiner=determiner)


def relative(dice: Dice) -> Pair:
    """Return a sentence with a relative clause at its subject, its object or both."""
    draw = dice.number()
    if draw < 0.45:
        subject = phrases.noun_phrase(
            dice, lexicon.table_of("role"), role="subject", relate=relatives.nested,
            determiner=dice.one(("the", "the", "the", "a", "number")),
        )  # fmt: skip
        relate = relatives.sometimes(0.25)
        return told(dice, scenes.deed(dice, "human", subject=subject, relate=relate))
    if draw < 0.85:
        always = relatives.sometimes(1.0, relatives.sometimes(0.2))
        clause = scenes.deed(dice, "personal transitive", tense=doings.PAST, relate=always)
        return told(dice, clause)
    noun_class = dice.one(("text", "garment", "vehicle", "device", "film", "artwork", "building"))
    determiner = dice.one(("the", "this", "that"))
    nouns = lexicon.table_of(noun_class)
    subject = phrases.noun_phrase(
        dice, nouns, role="subject", relate=relatives.done_to, determiner=determiner
    )
    one = quality(dice, subject)[1]
    return told(dice, Clause(subject=subject, doing=one, tense=doings.PRESENT))


# ---- questions


def asked(dice: Dice) -> Pair:
    """Return a question: yes or no, or with a question word, which stays in place in Chinese."""
    draw = dice.number()
    if draw < 0.3:
        return yes_or_no(dice)
    if draw < 0.55:
        return what(dice)
    if draw < 0.7:
        return who(dice)
    return when_where_why(dice)


def unfronted(clause: Clause) -> Clause:
    """Return the clause without a time that only a statement could say first."""
    return replace(clause, time=None, fronted=False) if clause.fronted else clause


def yes_or_no(dice: Dice) -> Pair:
    """Return a question that ends in 嗎."""
    clause = unfronted(scenes.deed(dice, "human", relate=relatives.sometimes(0.25)))
    if dice.chance(0.2):
        subject = phrases.person(dice)
        doing = quality(dice, subject)[1]
        clause = Clause(subject=subject, doing=doing, tense=doings.PRESENT)
        zh = text(subject.zh, synonyms(tuple(say[0] for say in doing.says)))
        return Pair(question(dice, clause), text(zh, "嗎"), "?")
    return Pair(question(dice, clause), text(spoken(clause), "嗎"), "?")


def what(dice: Dice) -> Pair:
    """Return a question about the object: what, whom, how many, which."""
    tense = dice.one((doings.PAST, doings.PAST, doings.FUTURE, doings.PRESENT, doings.NOW))
    clause = scenes.deed(dice, "personal transitive", tense=tense)
    verb = clause.doing.verb
    if verb is None or clause.doing.phrase is None or verb.objects is None:
        return what(dice)
    if verb.forms.base in scenes.several_meanings():
        return what(dice)  # "what did she play" has no one translation
    gap = replace(clause, doing=replace(clause.doing, after=""))
    if verb.of_humans:
        zh = replace(clause, doing=replace(clause.doing, object=["誰"]))
        return Pair(f"who {question(dice, gap)}", spoken(zh), "?")
    noun = dice.word(verb.objects)
    if noun.kind != "count" or dice.chance(0.5):
        zh = replace(clause, doing=replace(clause.doing, object=["什麼"]))
        return Pair(f"what {question(dice, gap)}", spoken(zh), "?")
    counted, word = synonyms(noun.measures), synonyms(noun.zh)
    if dice.chance(0.5):
        many = either(text("幾", counted), text("多少", counted), text("多少"))
        zh = replace(clause, doing=replace(clause.doing, object=text(many, word)))
        return Pair(f"how many {noun.plural} {question(dice, gap)}", spoken(zh), "?")
    which = text("哪", either("", "一"), counted, word)
    zh = replace(clause, doing=replace(clause.doing, object=which))
    return Pair(f"which {noun.en} {question(dice, gap)}", spoken(zh), "?")


def who(dice: Dice) -> Pair:
    """Return a question about the subject."""
    someone = Phrase("who", ["誰"], HE)
    relate = relatives.sometimes(0.3)
    clause = unfronted(scenes.deed(dice, "human", subject=someone, relate=relate))
    often = clause.often.en if clause.often else ""
    auxiliary, main = finite(clause.doing, clause.tense, someone, False)
    already = "already" if clause.tense == doings.PERFECT else ""
    en = joined("who", auxiliary, already, often, main, *ending(clause))
    return Pair(en, spoken(clause), "?")


def when_where_why(dice: Dice) -> Pair:
    """Return a question about time, place or reason."""
    tense = dice.one((doings.PAST, doings.PAST, doings.FUTURE))
    relate = relatives.sometimes(0.15)
    clause = scenes.deed(dice, "personal action", tense=tense, relate=relate)
    clause = unfronted(clause)
    word = dice.one(("when", "where", "why"))
    if clause.doing.phrase is not None and clause.doing.phrase.related:
        word = "why"
    if word == "when":
        clause = replace(clause, time=None)
        asking = replace(clause, time=adjuncts.Adjunct("", ["什麼時候"]))
        zh = text(clause.subject.zh, "什麼時候", comment(asking))
    elif word == "where":
        clause = replace(clause, place=None, manner=None)
        zh = spoken(replace(clause, place=adjuncts.Adjunct("", ["在", "哪裡"])))
    else:
        clause = replace(clause, place=None)
        zh = either(
            text(topic(clause), "為什麼", comment(clause)),
            text("為什麼", topic(clause), comment(clause)),
        )
    return Pair(f"{word} {question(dice, clause)}", zh, "?")
