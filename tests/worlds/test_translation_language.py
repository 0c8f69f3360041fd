"""English forms, Chinese numbers, choices of a translation, and the word lists themselves."""

import itertools
import re

import pytest

from mlspring.worlds.translation import lexicon, numerals
from mlspring.worlds.translation.dice import Dice, Table
from mlspring.worlds.translation.entries import ASPECT, OBJECT
from mlspring.worlds.translation.morphology import (
    comparative,
    plural,
    superlative,
    verb_forms,
    with_article,
)
from mlspring.worlds.translation.target import PREFERRED, count, draw, either, listing, text

# ---- English


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("book", "books"),
        ("box", "boxes"),
        ("watch", "watches"),
        ("story", "stories"),
        ("toy", "toys"),
        ("child", "children"),
        ("young person", "young people"),
        ("police officer", "police officers"),
        ("mother-in-law", "mothers-in-law"),
        ("bar of soap", "bars of soap"),
        ("goose", "geese"),
        ("scarf", "scarves"),
        ("roof", "roofs"),
        ("piano", "pianos"),
        ("hero", "heroes"),
        ("goldfish", "goldfish"),
        ("phenomenon", "phenomena"),
    ],
)
def test_plurals(one: str, many: str) -> None:
    assert plural(one) == many


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("stop", "stops stopped stopped stopping"),
        ("play", "plays played played playing"),
        ("carry", "carries carried carried carrying"),
        ("watch", "watches watched watched watching"),
        ("write", "writes wrote written writing"),
        ("visit", "visits visited visited visiting"),
        ("prefer", "prefers preferred preferred preferring"),
        ("die", "dies died died dying"),
        ("dye", "dyes dyed dyed dyeing"),
        ("fix", "fixes fixed fixed fixing"),
        ("go", "goes went gone going"),
        ("lay", "lays laid laid laying"),
        ("found", "founds founded founded founding"),
        ("find", "finds found found finding"),
        ("be", "is was been being"),
    ],
)
def test_verb_forms(verb: str, forms: str) -> None:
    made = verb_forms(verb)
    assert [made.third, made.past, made.participle, made.gerund] == forms.split()
    with_particle = verb_forms(f"{verb} up")
    assert with_particle.past == f"{made.past} up"


def test_articles_go_by_sound() -> None:
    heard = "an apple, a uniform, an hour, a useful pen, an umbrella, a T-shirt, an honest boy"
    for phrase in heard.split(", "):
        assert with_article(phrase.split(" ", 1)[1]) == phrase


@pytest.mark.parametrize(
    ("positive", "more", "most"),
    [
        ("tall", "taller", "tallest"),
        ("big", "bigger", "biggest"),
        ("nice", "nicer", "nicest"),
        ("happy", "happier", "happiest"),
        ("famous", "more famous", "most famous"),
        ("tired", "more tired", "most tired"),
        ("good", "better", "best"),
        ("narrow", "narrower", "narrowest"),
    ],
)
def test_comparison(positive: str, more: str, most: str) -> None:
    assert (comparative(positive), superlative(positive)) == (more, most)


# ---- numbers


def value(zh: str) -> int:
    """Read a Chinese number: an implementation of its own, from right to left of the units."""
    if "萬" in zh:
        high, low = zh.split("萬")
        return value(high) * 10_000 + (value(low) if low else 0)
    total, digit = 0, 0
    for sign in zh:
        if sign in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[sign]
            digit = 0
        else:
            digit = "零一二三四五六七八九".index("二" if sign == "兩" else sign)
    return total + digit


def test_chinese_numbers_read_back() -> None:
    numbers = [*range(1, 2500), *range(2500, 10_000, 97), *range(10_000, 9_999_999, 123_457)]
    for number in numbers:
        assert value("".join(numerals.chinese(number))) == number


@pytest.mark.parametrize(
    ("number", "en", "zh"),
    [
        (2, "two", "兩"),
        (12, "twelve", "十二"),
        (20, "twenty", "二十"),
        (105, "one hundred and five", "一百零五"),
        (220, "two hundred and twenty", "兩百二十"),
        (2050, "two thousand and fifty", "兩千零五十"),
        (12_000, "twelve thousand", "一萬兩千"),
        (20_300, "twenty thousand three hundred", "兩萬零三百"),
        (120_000, "one hundred and twenty thousand", "十二萬"),
        (2_500_000, "two million five hundred thousand", "兩百五十萬"),
    ],
)
def test_numbers_in_both_languages(number: int, en: str, zh: str) -> None:
    assert numerals.english(number) == en
    assert "".join(numerals.chinese(number)) == zh


# ---- choices


def test_a_listing_is_every_combination_and_starts_with_the_preferred_one() -> None:
    zh = text("我", either("昨天", ""), either("買", text("借", either("了", "過"))), "書")
    ways = [
        "".join(parts)
        for parts in itertools.product("我", ["昨天", ""], ["買", "借了", "借過"], "書")
    ]
    assert listing(zh) == ways and count(zh) == 6
    assert listing(either("甲", "甲")) == ["甲"]


def test_draws_are_listed_and_mostly_the_preferred_one() -> None:
    zh = text(either("甲", "乙", "丙"), "。")
    dice = Dice([1])
    drawn = ["".join(draw(zh, dice)) for _ in range(4000)]
    assert set(drawn) == set(listing(zh))
    assert drawn.count("甲。") / 4000 == pytest.approx(PREFERRED, abs=0.02)  # four deviations


def test_steep_tables_prefer_their_first_items() -> None:
    table = Table(range(50))
    shares = []
    for steepness in (0.0, 1.0):
        dice = Dice([2], steepness)
        shares.append(sum(dice.word(table) < 5 for _ in range(4000)) / 4000)
    assert shares[0] == pytest.approx(0.1, abs=0.02)
    weights = [1 / (rank + Table.OFFSET) for rank in range(50)]
    assert shares[1] == pytest.approx(sum(weights[:5]) / sum(weights), abs=0.035)


# ---- word lists


def test_every_noun_has_a_name_of_its_own_and_a_way_to_be_counted() -> None:
    nouns = [noun for found in lexicon.nouns().values() for noun in found]
    assert len(nouns) > 1200
    assert len({noun.en for noun in nouns}) == len(nouns)
    for noun in nouns:
        assert all(re.fullmatch(r"[\u4e00-\u9fffT]+", zh) for zh in noun.zh), noun.en
        counted = [*noun.measures, *(zh for _, zh in noun.portions)] if noun.kind != "bare" else []
        assert noun.kind == "bare" or any(counted), noun.en


def test_a_verb_has_one_translation_for_an_object() -> None:
    by_base: dict[str, list[lexicon.Verb]] = {}
    for verb in lexicon.verbs():
        by_base.setdefault(verb.forms.base, []).append(verb)
    for base, verbs in by_base.items():
        for one, other in itertools.combinations(verbs, 2):
            if (one.objects is None) != (other.objects is None) or one.zh == other.zh:
                continue
            first, second = (
                set(verb.objects.items if verb.objects else verb.subjects.items)
                for verb in (one, other)
            )
            same_doer = set(one.subjects.items) & set(other.subjects.items)
            assert not (first & second and same_doer), (base, one.zh, other.zh)


def test_verbs_say_where_aspect_and_object_go() -> None:
    for verb in lexicon.verbs():
        for say in verb.zh:
            assert say.count(ASPECT) == 1
            assert say.count(OBJECT) == (verb.objects is not None)
        assert verb.kind in ("action", "event", "state", "wear")


def test_an_adjective_has_one_translation_for_a_class_of_nouns() -> None:
    for name, table in lexicon.adjectives().items():
        assert name in lexicon.nouns()
        said: dict[str, tuple[str, ...]] = {}
        for adjective in table.items:
            assert said.setdefault(adjective.en, adjective.attribute) == adjective.attribute, name


def test_both_meanings_of_a_noun_are_told_apart_by_every_predicate() -> None:
    senses = lexicon.senses()
    for one, other in zip(senses[::2], senses[1::2], strict=True):
        assert one.en == other.en and one.zh != other.zh
        assert not {said.en for said in one.predicates} & {said.en for said in other.predicates}
        assert min(len(one.predicates), len(other.predicates)) >= 5
