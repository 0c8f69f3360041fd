"""Articles, numbers and owners, with the measure words that Chinese wants before a noun."""

from dataclasses import dataclass

from mlspring.worlds.translation import lexicon, numerals
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.entries import Noun
from mlspring.worlds.translation.morphology import plural as plural_of
from mlspring.worlds.translation.morphology import with_article
from mlspring.worlds.translation.pronouns import (
    A_PAIR,
    HUMAN,
    PRONOUNS,
    Phrase,
    Pronoun,
    Relative,
    pronoun_of,
)
from mlspring.worlds.translation.target import Text, either, text

SINGULAR = (("the", 0.38), ("a", 0.3), ("possessive", 0.16), ("this", 0.08), ("that", 0.08))
PLURAL = (
    ("number", 0.34), ("the", 0.24), ("many", 0.1), ("several", 0.08), ("some", 0.08),
    ("these", 0.08), ("those", 0.08),
)  # fmt: skip
MASS = (("portion", 0.4), ("the", 0.2), ("some", 0.25), ("portions", 0.15))
PLURAL_ONLY = ("number", "many", "several", "some", "these", "those", "all", "bare")
FEW = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 20)


@dataclass(frozen=True, slots=True)
class Described:
    """A noun with its adjectives and its relative clause, before a determiner.

    Args:
        noun: the noun.
        adjectives: English adjectives in order.
        zh: Chinese adjectives and noun.
        relative: the relative clause, or None.
        role: subject or object.
    """

    noun: Noun
    adjectives: tuple[str, ...]
    zh: Text
    relative: Relative | None
    role: str

    def en(self, noun: str) -> str:
        """Return adjectives and a form of the noun."""
        return " ".join([*self.adjectives, noun])

    @property
    def tail(self) -> str:
        """Return the English relative clause after a space, or nothing."""
        return f" {self.relative.en}" if self.relative else ""


def synonyms(words: tuple[str, ...]) -> Text:
    """Return a choice between synonyms."""
    return either(*words)


def possessor(dice: Dice, kin: Noun | None = None) -> tuple[str, Text]:
    """Return "my" or "Tom's" in both languages; of ``kin``, Chinese may leave 的 out."""
    if dice.chance(0.55):
        couple = kin is not None and kin.en in lexicon.named("couples")
        pronoun = dice.one(PRONOUNS[:4] if couple else PRONOUNS)
        owned = text(pronoun.zh, "的")
        zh = either(pronoun.zh, owned) if kin else owned
        return pronoun.possessive, zh
    name = dice.word(lexicon.names())
    return f"{name.en}'s", text(name.zh[0], "的")


def weighted(dice: Dice, choices: tuple[tuple[str, float], ...]) -> str:
    """Return one of ``choices`` by weight; the weights add up to 1."""
    draw = dice.number()
    for choice, weight in choices:
        draw -= weight
        if draw < 0:
            return choice
    return choices[0][0]


def singular(dice: Dice, one: Described, determiner: str = "") -> Phrase:
    """Return one countable thing: a, the, this, that, every, or somebody's."""
    determiner = determiner or weighted(dice, SINGULAR)
    noun, words = one.noun, one.en(one.noun.en)
    counted = synonyms(noun.measures)
    those = text("那", counted)
    related = noun.noun_class != "role" or noun.en in lexicon.named("related")
    if determiner == "possessive" and one.relative is None and related:
        owner, zh = possessor(dice)
        return _phrase(dice, one, f"{owner} {words}", [zh], known=True)
    if determiner == "a":
        return _phrase(dice, one, with_article(words), [text("一", counted)], known=False)
    if determiner == "generic":  # "the piano" of playing the piano
        return _phrase(dice, one, f"the {words}", [text()], known=False)
    if determiner == "every":
        ways = [text("每", counted), text("每", "一", counted)]
        return _phrase(dice, one, f"every {words}", ways, known=True, every=True)
    if determiner in ("this", "that"):
        ways = [text("這", counted)] if determiner == "this" else [those]
        return _phrase(dice, one, f"{determiner} {words}", ways, known=True)
    person = one.role == "subject" and noun.noun_class in HUMAN and one.relative is None
    ways = [text(), those] if person else [those, text()]
    return _phrase(dice, one, f"the {words}", ways, known=True)


def plural(dice: Dice, one: Described, determiner: str = "") -> Phrase:
    """Return several countable things: two, many, some, the, these, all."""
    drawn = not determiner
    determiner = determiner or weighted(dice, PLURAL)
    noun, words = one.noun, one.en(one.noun.plural)
    counted = synonyms(noun.measures)
    if determiner == "bare":
        return _phrase(dice, one, words, [text()], known=False, plural=True)
    if determiner == "number":
        number = dice.one(FEW)
        known = drawn and dice.chance(0.2)
        zh = text("那" if known else "", numerals.chinese(number), counted)
        en = f"{'the ' if known else ''}{numerals.english(number)} {words}"
        return _phrase(dice, one, en, [zh], known=known, plural=True)
    if determiner == "all":
        ways = [text("所有", "的"), text("所有")]
        return _phrase(dice, one, f"all the {words}", ways, known=True, plural=True, every=True)
    if determiner in ("these", "those"):
        ways = [text({"these": "這些", "those": "那些"}[determiner])]
        return _phrase(dice, one, f"{determiner} {words}", ways, known=True, plural=True)
    if determiner in ("many", "several", "some"):
        en = dice.one(("many", "a lot of")) if determiner == "many" else determiner
        ways = {
            "many": [text("許多"), text("很多")],
            "several": [text("好幾", counted), text("幾", counted)],
            "some": [text("一些"), text("幾", counted)],
        }[determiner]
        return _phrase(dice, one, f"{en} {words}", ways, known=False, plural=True)
    return _phrase(dice, one, f"the {words}", [text("那些"), text()], known=True, plural=True)


def mass(dice: Dice, one: Described, determiner: str = "") -> Phrase:
    """Return some of what is not counted, often by its portions: "two cups of tea"."""
    determiner = determiner or weighted(dice, MASS)
    noun, words = one.noun, one.en(one.noun.en)
    portion, counted = dice.one(noun.portions)
    if determiner == "bare":
        return _phrase(dice, one, words, [text()], known=False)
    if determiner in ("the", "this", "that"):
        return _phrase(dice, one, f"the {words}", [text(), text("那", "些")], known=True)
    if determiner == "some":
        return _phrase(dice, one, f"some {words}", [text("一些")], known=False)
    if determiner in ("portions", "number"):
        number = dice.one(FEW)
        en = f"{numerals.english(number)} {plural_of(portion)} of {words}"
        zh = text(numerals.chinese(number), counted)
        return _phrase(dice, one, en, [zh], known=False, plural=True)
    en = f"{with_article(portion)} of {words}"
    return _phrase(dice, one, en, [text("一", counted)], known=False)


def pair(dice: Dice, one: Described, determiner: str = "") -> Phrase:
    """Return what English knows in the plural only: "a pair of red gloves"."""
    noun, words = one.noun, one.en(one.noun.en)
    counted = synonyms(noun.measures)
    if determiner == "bare":
        return _phrase(dice, one, words, [text()], known=False, plural=True)
    if determiner in ("", "number") and dice.chance(0.2):
        number = dice.one(FEW[:6])
        en = f"{numerals.english(number)} pairs of {words}"
        zh = text(numerals.chinese(number), counted)
        return _phrase(dice, one, en, [zh], known=False, plural=True)
    if determiner == "a" or (not determiner and dice.chance(0.4)):
        ways = [text("一", counted)]
        return _phrase(dice, one, f"a pair of {words}", ways, known=False, pronoun=A_PAIR)
    if one.relative is None and not determiner and dice.chance(0.4):
        owner, zh = possessor(dice)
        return _phrase(dice, one, f"{owner} {words}", [zh], known=True, plural=True, pronoun=A_PAIR)
    ways = [text("那", counted), text(), text("那些")]
    return _phrase(dice, one, f"the {words}", ways, known=True, plural=True, pronoun=A_PAIR)


def _phrase(
    dice: Dice,
    one: Described,
    en: str,
    ways: list[Text],
    *,
    known: bool,
    plural: bool = False,
    every: bool = False,
    pronoun: Pronoun | None = None,
) -> Phrase:
    """Return the phrase; ``ways`` are the Chinese determiners, the preferred one first.

    A relative clause stands before the noun in Chinese: 湯姆買的那本書 or 那本湯姆買的書 of
    something known, 一本湯姆買的書 of something new.
    """
    if one.role == "subject" and not known and ways[0]:
        ways = [*ways, text("有", ways[0])]  # something new: 有三個人
    zh = [text(way, one.zh) for way in ways]
    if one.relative is not None:
        clause = text(one.relative.zh, "的")
        way = ways[0]
        front, back = text(clause, way, one.zh), text(way, clause, one.zh)
        zh = [front, back] if known else [back, front]
        zh += [text(clause, one.zh) for way in ways if not way]
        if every:
            zh = [back]
    if one.noun.noun_class in HUMAN and plural and known and not every and ways[-1] == []:
        zh.insert(1, text(one.relative.zh if one.relative else "", "的" if one.relative else "",
                          one.zh, "們"))  # fmt: skip
    return Phrase(
        en + one.tail,
        either(*zh),
        pronoun or pronoun_of(dice, one.noun, plural),
        plural=plural,
        definite=known,
        every=every,
        noun=one.noun,
        related=one.relative is not None,
    )
