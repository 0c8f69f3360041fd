"""English forms: articles, plurals, verbs, comparison.

Rules for regular words, tables for the others (``irregular.toml``).
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

IRREGULAR = Path(__file__).with_name("irregular.toml")
VOWELS = "aeiou"


@dataclass(frozen=True, slots=True)
class Forms:
    """What a verb looks like; a particle ("throw away") is part of every form."""

    base: str
    third: str
    past: str
    participle: str
    gerund: str


BE = Forms("be", "is", "was", "been", "being")


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(IRREGULAR.read_text(encoding="utf-8"))


def with_article(words: str) -> str:
    """Return the words after "a" or "an", as they sound."""
    first = words.split(" ", maxsplit=1)[0].split("-", maxsplit=1)[0]
    if first in _table()["article"]:
        return f"{_table()['article'][first]} {words}"
    return f"{'an' if first[0].lower() in VOWELS else 'a'} {words}"


def plural(noun: str) -> str:
    """Return the plural; of "bar of soap" and "mother-in-law" the first word changes."""
    for joint in (" of ", "-in-"):
        if joint in noun:
            head, rest = noun.split(joint, 1)
            return plural(head) + joint + rest
    before, space, word = noun.rpartition(" ")
    if word in _table()["plural"]:
        return before + space + _table()["plural"][word]
    if re.search(r"([^aeiou]y)$", word):
        return before + space + word[:-1] + "ies"
    return before + space + word + ("es" if re.search(r"(s|x|z|ch|sh)$", word) else "s")


@cache
def verb_forms(verb: str) -> Forms:
    """Return the forms of a verb of one or more words; the first one changes."""
    base, space, rest = verb.partition(" ")
    particle = space + rest
    if base == "be":
        return Forms(*(form + particle for form in (BE.base, BE.third, BE.past, "been", "being")))
    past, participle = _pasts(base)
    if re.search(r"[^aeiou]y$", base):
        third = base[:-1] + "ies"
    elif base in _table()["third"]:
        third = _table()["third"][base]
    else:
        third = base + ("es" if re.search(r"(s|x|z|ch|sh|o)$", base) else "s")
    return Forms(*(form + particle for form in (base, third, past, participle, _gerund(base))))


def _pasts(base: str) -> tuple[str, str]:
    if base in _table()["past"]:
        past, _, participle = _table()["past"][base].partition(" ")
        return past, participle or past
    if base.endswith("e"):
        regular = base + "d"
    elif re.search(r"[^aeiou]y$", base):
        regular = base[:-1] + "ied"
    else:
        regular = _doubled(base) + "ed"
    return regular, regular


def _gerund(base: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if re.search(r"[^eoy]e$", base) and base != "be":
        return base[:-1] + "ing"
    return _doubled(base) + "ing"


def _doubled(base: str) -> str:
    """Return the stem with its last consonant twice where the stress asks for it."""
    one_syllable = re.fullmatch(r"(qu|[^aeiou])*[aeiou][bdfgklmnprst]", base)
    if one_syllable or base in _table()["doubled"]:
        return base + base[-1]
    return base


def comparative(adjective: str) -> str:
    """Return e.g. "taller", "happier", "more famous"."""
    return _compared(adjective, "er", "more", 0)


def superlative(adjective: str) -> str:
    """Return e.g. "tallest", "happiest", "most famous"."""
    return _compared(adjective, "est", "most", 1)


def _compared(adjective: str, ending: str, word: str, row: int) -> str:
    if adjective in _table()["compared"]:
        return _table()["compared"][adjective].split()[row]
    syllables = len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", adjective)))
    short = syllables == 1 and not re.search(r"(ed|-|ing)", adjective)
    if not short and not (syllables == 2 and re.search(r"[^aeiou]y$", adjective)):
        return f"{word} {adjective}"
    if adjective.endswith("e"):
        return adjective + ending[1:]
    if re.search(r"[^aeiou]y$", adjective):
        return adjective[:-1] + "i" + ending
    return _doubled(adjective) + ending
