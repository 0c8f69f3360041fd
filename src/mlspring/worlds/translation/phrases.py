"""Noun phrases in both languages: whose, how many, what kind, which."""

from mlspring.worlds.translation import determiners, lexicon
from mlspring.worlds.translation.determiners import Described, possessor, synonyms
from mlspring.worlds.translation.dice import Dice, Table
from mlspring.worlds.translation.entries import Adjective, Noun
from mlspring.worlds.translation.pronouns import (
    HE,
    IT,
    PRONOUNS,
    SHE,
    Phrase,
    Relate,
    no_relative,
    of_pronoun,
    pronoun_of,
)
from mlspring.worlds.translation.target import Text, text


def adjectives_for(dice: Dice, noun: Noun, chance: float) -> tuple[list[str], Text]:
    """Return no, one or two adjectives that suit a noun, in both languages."""
    table = lexicon.adjectives().get(noun.noun_class)
    if table is None or not dice.chance(chance):
        return [], []
    chosen = [_fitting(dice, table, noun)]
    if dice.chance(0.2):
        other = _fitting(dice, table, noun)
        if other and chosen[0] and other.last and not chosen[0].last:
            chosen.append(other)
    found = [one for one in chosen if one is not None]
    return [one.en for one in found], text(*(_attribute(one) for one in found))


def _fitting(dice: Dice, table: Table[Adjective], noun: Noun) -> Adjective | None:
    """Return an adjective whose Chinese does not sound like a part of the noun (大大樓)."""
    adjective = dice.word(table)
    start = noun.zh[0][0]
    clash = adjective.attribute[0][0] == start or (
        len(adjective.attribute[0]) == 1 and start in "大小老新"
    )
    return None if adjective.passing or clash else adjective


BARE_ENDINGS = ("色的", "塑膠的", "金屬的", "玻璃的", "羊毛的", "亞麻的", "條紋的", "格子的")


def _attribute(adjective: Adjective) -> Text:
    """Return an adjective before a noun; colours and materials may leave 的 out (紅色帽子)."""
    first = adjective.attribute[0]
    if first.endswith(BARE_ENDINGS):
        return synonyms((*adjective.attribute, first.removesuffix("的")))
    return synonyms(adjective.attribute)


# ---- persons


def name(dice: Dice) -> Phrase:
    """Return a given name, or a family name with a title."""
    if dice.chance(0.75):
        given = dice.word(lexicon.names())
        return Phrase(given.en, [given.zh[0]], HE if given.note == "m" else SHE)
    family = dice.word(lexicon.words("names", "family", "names"))
    title = dice.one(lexicon.words("names", "family", "titles").items)
    she = title.en in ("Mrs.", "Miss") or (title.en != "Mr." and dice.chance(0.5))
    zh = text(family.zh[0], title.zh[0])
    return Phrase(f"{title.en} {family.en}", zh, SHE if she else HE)


def pronoun(dice: Dice) -> Phrase:
    """Return a personal pronoun."""
    return of_pronoun(dice.one(PRONOUNS))


def kin(dice: Dice) -> Phrase:
    """Return somebody's relative, e.g. "my older sister", 我姊姊."""
    noun = dice.word(lexicon.table_of("kin"))
    en, zh = possessor(dice, kin=noun)
    stands = pronoun_of(dice, noun, False)
    return Phrase(f"{en} {noun.en}", text(zh, synonyms(noun.zh)), stands, noun=noun)


def person(dice: Dice, role: str = "subject", relate: Relate = no_relative) -> Phrase:
    """Return a person: a pronoun, a name, a relative or somebody of a profession."""
    draw = dice.number()
    if draw < 0.2:
        return pronoun(dice)
    if draw < 0.48:
        return name(dice)
    if draw < 0.62:
        return kin(dice)
    return noun_phrase(dice, lexicon.table_of("role"), role=role, relate=relate)


# ---- any noun


def noun_phrase(
    dice: Dice,
    nouns: Table[Noun],
    *,
    role: str = "object",
    adjective: float = 0.65,
    relate: Relate = no_relative,
    plural: bool | None = None,
    determiner: str = "",
) -> Phrase:
    """Return a phrase about one of ``nouns``.

    Args:
        dice: the source of every choice.
        nouns: to choose from.
        role: subject or object; Chinese marks a known object (那本書) more often than a subject.
        adjective: how often there is one.
        relate: draws a relative clause.
        plural: whether it is; None leaves it to chance.
        determiner: which; "" leaves it to chance.
    """
    noun = dice.word(nouns)
    if noun.noun_class == "kin":
        return kin(dice)
    if noun.kind == "bare":
        return Phrase(noun.en, synonyms(noun.zh), IT, definite=False, noun=noun)
    en, zh = adjectives_for(dice, noun, adjective)
    described = Described(noun, tuple(en), text(zh, synonyms(noun.zh)), relate(dice, noun), role)
    if noun.kind == "mass":
        return determiners.mass(dice, described, determiner)
    if noun.kind == "pair":
        return determiners.pair(dice, described, determiner)
    if plural is None:
        plural = determiner in determiners.PLURAL_ONLY or (not determiner and dice.chance(0.3))
    if plural:
        return determiners.plural(dice, described, determiner)
    return determiners.singular(dice, described, determiner)
