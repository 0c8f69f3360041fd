"""The word lists beside this file, read once into the classes of ``entries``."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mlspring.worlds.translation import morphology
from mlspring.worlds.translation.dice import Table
from mlspring.worlds.translation.entries import (
    ASPECT,
    OBJECT,
    Adjective,
    Noun,
    Reason,
    Say,
    Sense,
    Verb,
    Word,
)

HERE = Path(__file__).parent
LAST = ("red", "wooden", "cotton")  # the first word of the lists that stand nearest to the noun


@cache
def lists(name: str) -> dict[str, Any]:
    """Return a file of word lists as it is written."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


def entries(words: str) -> Iterator[tuple[str, str]]:
    """Yield "english" and "chinese" of each entry; entries end at semicolons or lines."""
    for entry in re.split(r"[;\n]", words):
        if entry.strip():
            english, _, chinese = entry.strip().rpartition(" ")
            yield english, chinese


@cache
def named(name: str) -> frozenset[str]:
    """Return a set of English words with a rule of their own."""
    return frozenset(one.strip() for one in re.split(r"[;\n]", lists("sets")[name]) if one.strip())


@cache
def words(file: str, *path: str) -> Table[Word]:
    """Return a plain list of a file as a table, e.g. ``words("adverbs", "past", "words")``."""
    part: Any = lists(file)
    for key in path:
        part = part[key]
    return Table([Word(english, tuple(zh.split("|"))) for english, zh in entries(part)])


@cache
def three(file: str, *path: str) -> Table[Word]:
    """Return a list whose entries have a third field: "want to 想|想要 不想"."""
    made = []
    for word in words(file, *path).items:
        english, _, chinese = word.en.rpartition(" ")
        made.append(Word(english, tuple(chinese.split("|")), note="|".join(word.zh)))
    return Table(made)


@cache
def places() -> Table[Word]:
    """Return what is entered and worked in; the note is the English preposition."""
    made = []
    for entry in re.split(r"[;\n]", lists("places")["inside"]["words"]):
        if found := re.fullmatch(r"(.+?) (\S+?)( \((\w+)\))?", entry.strip()):
            made.append(Word(found[1], tuple(found[2].split("|")), note=found[4] or "in"))
    return Table(made)


@cache
def names() -> Table[Word]:
    """Return given names of both genders in turn; the note is the gender."""
    lists_of = {
        gender: [(en, zh) for en, zh in entries(lists("names")["given"][gender])] for gender in "mf"
    }
    ranked = [
        (rank, gender, en, zh)
        for gender, pairs in lists_of.items()
        for rank, (en, zh) in enumerate(pairs)
    ]
    return Table([Word(en, (zh,), note=gender) for _, gender, en, zh in sorted(ranked)])


# ---- nouns


@cache
def nouns() -> dict[str, tuple[Noun, ...]]:
    """Return all nouns by class; the frequent ones stand first."""
    by_class: dict[str, list[Noun]] = {}
    for group in lists("nouns")["nouns"]:
        kind = group.get("kind", "count")
        portions = tuple(tuple(one.split(" ")) for one in group.get("portions", ()))
        for english, chinese in entries(group["words"]):
            zh, _, measure = chinese.partition("/")
            noun = Noun(
                en=english,
                plural=morphology.plural(english) if kind == "count" else english,
                zh=tuple(zh.split("|")),
                noun_class=group["class"],
                measures=tuple((measure or group.get("measure", "")).split("|")),
                kind=kind,
                gender=group.get("gender", ""),
                portions=tuple((measure and "piece", measure) for _ in "1") if measure and portions
                else portions,
            )  # fmt: skip
            by_class.setdefault(group["class"], []).append(noun)
    return {name: tuple(found) for name, found in by_class.items()}


@cache
def noun_named(english: str) -> Noun:
    """Return a noun by its English singular.

    Raises:
        KeyError: no list has it.
    """
    return _by_name()[english]


@cache
def _by_name() -> dict[str, Noun]:
    return {noun.en: noun for found in nouns().values() for noun in found}


@cache
def table_of(classes: str) -> Table[Noun]:
    """Return the nouns of classes, groups and single "=a_noun"s, frequent ones first."""
    groups: dict[str, list[str]] = lists("verbs")["groups"]
    ranked: dict[Noun, int] = {}
    waiting = classes.split()
    while waiting:
        name = waiting.pop(0)
        if name in groups:
            waiting += groups[name]
        elif name.startswith("="):
            ranked.setdefault(noun_named(name[1:].replace("_", " ")), 0)
        elif name in nouns():
            for rank, noun in enumerate(nouns()[name]):
                ranked.setdefault(noun, rank)
        else:
            waiting.insert(0, f"={name}")
    return Table(sorted(ranked, key=lambda noun: ranked[noun]))


# ---- verbs and adjectives


def saying(chinese: str, transitive: bool) -> Say:
    """Return a saying in words: "跟~說.話" is 跟 OBJECT 說 ASPECT 話."""
    parts = tuple(part for part in re.split(r"([.~])", chinese) if part)
    if ASPECT not in parts:
        parts += (ASPECT,)
    return parts if OBJECT in parts or not transitive else (*parts, OBJECT)


@cache
def verbs() -> tuple[Verb, ...]:
    """Return all verbs with subject and object; the first ones of the lists stand first."""
    made: list[Verb] = []
    for group in lists("verbs")["verbs"]:
        objects = group.get("objects", "")
        for rank, (english, chinese) in enumerate(entries(group["words"])):
            made.append(
                Verb(
                    rank=rank,
                    forms=morphology.verb_forms(english),
                    zh=tuple(saying(one, bool(objects)) for one in chinese.split("|")),
                    subjects=table_of(group["subjects"]),
                    objects=table_of(objects) if objects else None,
                    kind=group["kind"],
                    human="human" in group["subjects"].split(),
                    of_humans="human" in objects.split(),
                    passive=group.get("passive", ""),
                    ba=group.get("ba", False),
                )
            )
    return tuple(sorted(made, key=lambda verb: verb.rank))


@cache
def adjectives() -> dict[str, Table[Adjective]]:
    """Return the adjectives of every noun class; the frequent ones stand first."""
    by_class: dict[str, dict[int, Adjective]] = {}
    for group in lists("adjectives")["adjectives"]:
        made = [_adjective(one, group) for one in entries(group["words"])]
        groups: dict[str, list[str]] = lists("verbs")["groups"]
        names = [one for name in group["nouns"].split() for one in groups.get(name, [name])]
        for name in names:
            found = by_class.setdefault(name, {})
            for rank, adjective in enumerate(made):
                found[rank * 1000 + len(found)] = adjective
    return {name: Table([found[key] for key in sorted(found)]) for name, found in by_class.items()}


def _adjective(entry: tuple[str, str], group: dict[str, Any]) -> Adjective:
    english, chinese = entry
    before, _, after = chinese.partition("=")
    attribute = tuple(before.split("|"))
    predicate = (after,) if after else tuple(one.removesuffix("的") for one in attribute)
    return Adjective(
        en=english.lstrip("*"),
        attribute=attribute,
        predicate=predicate,
        graded=group.get("graded", False) and not english.startswith("*"),
        passing=group.get("passing", False),
        last=group["words"].strip().split(" ")[0] in LAST,
    )


# ---- what depends on a word far away


@cache
def senses() -> tuple[Sense, ...]:
    """Return both meanings of every ambiguous noun, one after the other."""
    made = []
    for group in lists("agreement")["senses"]:
        for word, said in zip(group["words"], (group["one"], group["other"]), strict=True):
            zh, _, measures = word.partition("/")
            predicates = tuple(Word(en, (saying,)) for en, saying in entries(said))
            made.append(Sense(group["noun"], zh, tuple(measures.split("|")), predicates))
    return tuple(made)


@cache
def reasons() -> tuple[Reason, ...]:
    """Return what befalls the nouns of each class, and why."""
    return tuple(
        Reason(
            table_of(group["nouns"]),
            tuple(Word(en, (zh,)) for en, zh in entries(group["falls"])),
            tuple(Word(en, (zh,)) for en, zh in entries(group["because"])),
        )
        for group in lists("agreement")["reasons"]
    )
