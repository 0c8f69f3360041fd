"""Values of statements and of what stands around them: dates, numbers, lists, phrases and names."""

from dataclasses import dataclass

import numpy as np

from mlspring.worlds.reading.grammar import Slot, Topic, flatten, pick, type_of, words
from mlspring.worlds.reading.names import Named, Names, is_kind

DIGITS = "零一二三四五六七八九十"
ERAS = (  # name, the year before its first, first and last year that are written so
    ("光緒", 1874, 1875, 1907),
    ("明治", 1867, 1895, 1911),
    ("大正", 1911, 1912, 1925),
    ("昭和", 1925, 1926, 1944),
    ("民國", 1911, 1946, 1999),
)
ERA = 0.12  # of the years stand in the calendar of their time
AGAIN = 0.05  # of what stands around the statements was or will be named elsewhere in the paragraph
MAX_TRIES = 60  # before a value may be one that the paragraph has already


@dataclass(frozen=True, kw_only=True)
class Value:
    """A value as it is written.

    Args:
        text: what is written.
        type: see ``Relation.type``.
        year: how many of its characters are the year, 0 where it is no date.
        common_era: the year itself, 0 where it is no date.
        count: the number itself, 0 where it is none; ``unit`` what it counts.
        items: starts and ends of the parts of a list.
    """

    text: str
    type: str
    year: int = 0
    common_era: int = 0
    count: int = 0
    unit: str = ""
    items: tuple[tuple[int, int], ...] = ()


NOTHING = Value(text="", type="")


class Values:
    """Draws the values of one paragraph, none twice but by intent.

    Args:
        topic: of the paragraph.
        names: where names come from.
        rng: the source of every choice.
    """

    def __init__(self, topic: Topic, names: Names, rng: np.random.Generator) -> None:
        self._topic = topic
        self._names = names
        self._rng = rng
        self._bases: dict[int, int] = {}
        self._base = 0
        self._used: dict[str, Value] = {}
        names.here = []

    def entity(self) -> Named:
        """Return what the paragraph, or a part of it, is about."""
        return self._names.draw(self._topic.name)

    def go_to(self, entity: int) -> None:
        """Count years from the base of ``entity`` from now on."""
        if entity not in self._bases:
            first, last = self._topic.base
            self._bases[entity] = int(self._rng.integers(first, last + 1))
        self._base = self._bases[entity]

    def draw(self, spec: str, *, beside: Value | None = None) -> Value:
        """Return a value of the kind ``spec``.

        Args:
            spec: e.g. ``person``, ``date:3..9`` (years from the base) or ``number:3..90 公里``.
            beside: the statement's value in its sentence, from which years with a sign count; None
                for the value of a statement, which is new in its paragraph.
        """
        kind = type_of(spec)
        if beside and self._rng.random() < AGAIN and kind in ("person", "place", "work"):
            others = (old for old in self._used.values() if old.text != beside.text)
            again = [old for old in others if old.type == kind]
            if again:
                return pick(again, self._rng)
        for _ in range(MAX_TRIES):
            value = self._value(spec, beside)
            if value.text not in self._used and not self._confusable(value, spec):
                break
        self._used[value.text] = value
        return value

    def _confusable(self, value: Value, spec: str) -> bool:
        """Return whether the paragraph has a value that holds ``value`` or stands in it."""
        if spec.startswith("list") or self._topic.choices(spec):
            return False  # made of others
        return any(value.text in old or old in value.text for old in self._used)

    def _value(self, spec: str, beside: Value | None) -> Value:
        rng, (kind, _, rest) = self._rng, spec.partition(":")
        if is_kind(kind):
            return Value(text=self._names.draw(kind).name, type=type_of(kind))
        if kind in words():
            return Value(text=pick(words()[kind], rng), type=kind)
        if kind == "list":
            return self._list(rest)
        if kind in ("year", "date"):
            first, last = (int(number) for number in rest.split(".."))
            from_beside = beside and beside.common_era and rest.startswith("+")
            base = beside.common_era if beside and from_beside else self._base
            year = base + int(rng.integers(first, last + 1))
            return date(year, rng, whole=kind == "date")
        if choices := self._topic.choices(kind):
            return Value(text=self._phrase(pick(choices, rng)), type=kind)
        return _counted(kind, rest, beside, rng)

    def _list(self, kind: str) -> Value:
        parts = [self.draw(kind).text for _ in range(3)]
        text, items = "", []
        for part, joint in zip(parts, ("", "、", pick("與和及", self._rng)), strict=True):
            start = len(text) + len(joint)
            text += joint + part
            items.append((start, start + len(part)))
        return Value(text=text, type=f"list of {kind}", items=tuple(items))

    def _phrase(self, template: str) -> str:
        pieces = flatten(template, self._rng)
        return "".join(
            self.draw(piece.name, beside=NOTHING).text if isinstance(piece, Slot) else piece
            for piece in pieces
        )


def date(year: int, rng: np.random.Generator, *, whole: bool) -> Value:
    """Return a year, or a day or month of it, in one of the calendars."""
    text = f"{year}年"
    for era, before, first, last in ERAS:
        if first <= year <= last and rng.random() < ERA:
            count = year - before
            written = chinese(count) if era == "光緒" else str(count)
            text = f"{era}{'元' if count == 1 else written}年"
            break
    length = len(text)
    chance = rng.random()
    if whole and chance < 0.65:
        text += f"{rng.integers(1, 13)}月"
        text += f"{rng.integers(1, 29)}日" if chance < 0.5 else ""
    return Value(text=text, type="date", year=length, common_era=year)


def number(low: int, high: int, unit: str, kind: str, rng: np.random.Generator) -> Value:
    """Return a number between ``low`` and ``high`` with its unit, written in one of many ways."""
    count = int(np.exp(rng.uniform(np.log(low), np.log(high + 1))))
    style = rng.random()
    if count <= 19 and style < 0.5:
        text = "兩" if count == 2 else chinese(count)
    elif unit in ("公里", "公尺", "平方公里", "公頃") and count < 1000 and style < 0.6:
        text = f"{count}.{rng.integers(1, 10)}"
    elif count >= 10_000 and style < 0.5:
        rest = count % 10_000 if style < 0.3 else 0
        text = f"{count // 10_000}萬{f'{rest:,}' if rest >= 1000 else ''}"
    else:
        count -= count % 10 if count >= 100 and style < 0.75 else 0
        text = f"{count}" if style > 0.9 else f"{count:,}"
    return Value(text=text + unit, type=kind, count=count, unit=unit)


def chinese(count: int) -> str:
    """Return a number from 1 to 99 in Chinese."""
    tens, ones = divmod(count, 10)
    head = "" if tens == 0 else ("" if tens == 1 else DIGITS[tens]) + "十"
    return head + (DIGITS[ones] if ones else "")


def _counted(kind: str, rest: str, beside: Value | None, rng: np.random.Generator) -> Value:
    type_ = type_of(f"{kind}:{rest}")
    if kind in ("part", "more") and beside:
        shares = (0.05, 0.7) if kind == "part" else (1.3, 4.0)
        low, high = (max(1, int(share * beside.count)) for share in shares)
        return number(low, high, beside.unit, beside.type, rng)
    if kind == "month":
        text = f"{pick(('農曆', ''), rng)}{chinese(int(rng.integers(1, 13)))}月"
        return Value(text=text, type=type_)
    if kind == "money":
        currency = pick(("圓", "圓", "英鎊", "美元", "法郎", "馬克", "兩白銀"), rng)
        return number(900, 8_000_000, currency, type_, rng)
    if kind not in ("number", "people"):
        raise ValueError(f"no value is of kind {kind!r}")
    bounds, _, unit = rest.partition(" ")
    low, high = (int(bound) for bound in bounds.split(".."))
    return number(low, high, unit or "人", type_, rng)
