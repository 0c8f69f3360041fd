"""Invented names: people, places, institutions and works; every split has its own.

To whom a name belongs is a function of its characters (``owner``), so that shards made apart
cannot give one name to two splits.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mlspring.worlds.reading.grammar import pick, read_toml

RARE = 0.07  # of the names hold a rare character; three times as many of people
TAIL = 2.5  # how much rarer the last of the rare characters are than the first; 1 is alike
DOUBLED = re.compile(r"([^ -~])\1")  # reads like a slip
MAX_TRIES = 2000  # before a kind of name counts as used up


@dataclass(frozen=True, kw_only=True)
class Named:
    """An invented entity: what it is called, first and later.

    Args:
        name: in full.
        short: what it is called once it is known, often the same.
        pronouns: what can stand for it.
        noun: what kind of thing it is.
        latin: its name in Latin letters, or nothing.
    """

    name: str
    short: str
    pronouns: tuple[str, ...]
    noun: str = ""
    latin: str = ""


def owner(text: str) -> str:
    """Return the split that alone may use ``text``: train for six of ten, dev and test for two."""
    return _OWNERS[zlib.crc32(text.encode("utf-8")) % len(_OWNERS)]


class Names:
    """Draws names of one split.

    Args:
        split: train, dev or test.
        rng: the source of every choice.
    """

    def __init__(self, split: str, rng: np.random.Generator) -> None:
        self._split = split
        self._rng = rng
        self._seen: set[str] = set()
        self.here: list[str] = []  # those of this paragraph

    def draw(self, kind: str) -> Named:
        """Return a new name; none of this paragraph is a part of another.

        Raises:
            ValueError: no new name of this kind is found.
        """
        for _ in range(MAX_TRIES):
            named = _KINDS[kind](self._rng)
            name = named.name
            if DOUBLED.search(name) or name in self._seen or owner(name) != self._split:
                continue
            if named.latin and owner(named.latin) != self._split:
                continue
            if any(name in other or other in name for other in self.here):
                continue
            if named.short != name and any(named.short in other for other in self.here):
                continue
            self._seen.add(name)
            self.here.append(name)
            return named
        raise ValueError(f"no new name of kind {kind} is found for {self._split}")


def is_kind(kind: str) -> bool:
    """Return whether values of ``kind`` are invented names."""
    return kind in _KINDS


# ---- kinds


@cache
def _lists() -> dict[str, list[str]]:
    """Return the parts of names: lists of characters where no space parts words."""
    table: dict[str, Any] = read_toml("names.toml")
    return {key: text.split() if " " in text else list(text) for key, text in table.items()}


def _part(key: str, rng: np.random.Generator) -> str:
    return pick(_lists()[key], rng)


def _common(key: str, rng: np.random.Generator) -> str:
    rare = "rare_" + key.removesuffix("_he").removesuffix("_she")
    return _part(rare if rng.random() < RARE else key, rng)


def _plain(name: str, *pronouns: str, noun: str = "") -> Named:
    return Named(name=name, short=name, pronouns=pronouns, noun=noun)


def _person(rng: np.random.Generator) -> Named:
    chance = rng.random()
    if chance < 0.3:
        return _foreigner(rng)
    if chance < 0.42:
        return _plain(_part("japanese", rng) + _part("japanese_given", rng), "他")
    he = rng.random() < 0.55
    given = "given_he" if he else "given_she"
    first, second = _part(given, rng), _part(given, rng)
    if rng.random() < 3 * RARE:
        tail = _lists()["rare_given"]
        second = tail[int(rng.random() ** TAIL * len(tail))]
    surname = _part("rare_surnames" if rng.random() < RARE else "surnames", rng)
    single = rng.random() < 0.1
    return _plain(surname + (second if single else first + second), "他" if he else "她")


def _foreigner(rng: np.random.Generator) -> Named:
    he = rng.random() < 0.6
    first, first_latin = _part("first_he" if he else "first_she", rng).split("=")
    parts = [_part("syllables", rng).split("=") for _ in range(int(rng.integers(2, 5)))]
    last = "".join(part[0] for part in parts)
    latin = "".join(part[1] for part in parts).capitalize()
    return Named(
        name=f"{first}·{last}",
        short=last,
        pronouns=("他" if he else "她",),
        latin=f"{first_latin} {latin}",
    )


def _root(rng: np.random.Generator) -> str:
    """Return a place's name without what it is."""
    if rng.random() < 0.15:
        return "".join(_part("syllables", rng)[0] for _ in range(int(rng.integers(2, 4))))
    second = "rare_place" if rng.random() < 2 * RARE else "place_second"
    first, last = _part("place_first", rng), _part(second, rng)
    return _root(rng) if first == last else first + last


def _at(kinds: str, *pronouns: str) -> Callable[[np.random.Generator], Named]:
    """Return what draws a thing that is called after a place."""
    return lambda rng: _plain(_root(rng) + _part(kinds, rng), *pronouns)


def _town(rng: np.random.Generator) -> Named:
    noun = pick(("鎮", "鄉", "市", "村", "城", "港"), rng)
    here = {"城": "該城", "港": "該港"}.get(noun, f"該{noun}")
    return _plain(_root(rng) + noun, here, "此地", "當地", noun=noun)


def _school(rng: np.random.Generator) -> Named:
    first = _root(rng) if rng.random() < 0.6 else _part("virtue", rng)
    place = _root(rng) if rng.random() < 0.3 else ""
    return _plain(place + first + _part("school_kind", rng), "該校", "學校", "這所學校")


def _company(rng: np.random.Generator) -> Named:
    first = _part("virtue", rng) if rng.random() < 0.6 else _root(rng)
    place = _root(rng) if rng.random() < 0.3 else ""
    name = place + first + _part("trade", rng) + _part("company_kind", rng)
    return _plain(name, "該公司", "公司", "這家企業")


def _building(rng: np.random.Generator) -> Named:
    noun = _part("building_kind", rng)
    first = _part("poetic_first", rng) + _part("poetic_second", rng)
    name = (first if rng.random() < 0.4 else _root(rng)) + noun
    return _plain(
        _root(rng) + name if rng.random() < 0.4 else name, f"該{noun}", "此建築", noun=noun
    )


def _river(rng: np.random.Generator) -> Named:
    noun = pick(("溪", "河", "江", "川"), rng)
    return _plain(_root(rng) + noun, f"該{noun}", f"此{noun}", f"這條{noun}", noun=noun)


def _book(rng: np.random.Generator) -> Named:
    adjective, noun, other = (_part(f"title_{key}", rng) for key in ("adjective", "noun", "noun"))
    chance = rng.random()
    if chance < 0.3:
        title = f"{adjective}的{noun}"
    elif chance < 0.5:
        title = f"{noun}與{other}"
    elif chance < 0.8:
        title = _root(rng) + _part("title_tail", rng)
    else:
        title = f"{adjective}的{noun}與{_root(rng)}{other}"
    return _plain(f"《{title}》", "該書", "此書", "這部作品")


def _treaty(rng: np.random.Generator) -> Named:
    kind = pick(("條約", "和約", "停戰協定", "議定書", "善後章程"), rng)
    both = _root(rng) if rng.random() < 0.4 else ""
    return _plain(f"《{_root(rng)}{both}{kind}》")


def _latin_title(rng: np.random.Generator) -> Named:
    words = rng.choice(_lists()["title_latin"], int(rng.integers(2, 4)), replace=False).tolist()
    joined = f" {pick(('of the', 'and the', 'in'), rng)} ".join((" ".join(words[:-1]), words[-1]))
    return _plain(pick(("The ", ""), rng) + joined)


_OWNERS = ("train",) * 6 + ("dev",) * 2 + ("test",) * 2
_KINDS: dict[str, Callable[[np.random.Generator], Named]] = {
    "person": _person,
    "foreigner": _foreigner,
    "town": _town,
    "place": _at("place_kind"),
    "mountain": _at("mountain_kind"),
    "sea": _at("sea_kind"),
    "museum": _at("museum_kind", "該館"),
    "railway": _at("railway_kind", "該線", "本線", "這條路線"),
    "battle": _at("battle_kind", "此役", "該戰", "這場戰事"),
    "school": _school,
    "company": _company,
    "building": _building,
    "river": _river,
    "book": _book,
    "work": _book,
    "treaty": _treaty,
    "latin_title": _latin_title,
}
