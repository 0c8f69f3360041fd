"""A reader that knows the grammar and no statement: it reads the text alone.

Every form becomes a pattern. Whom a sentence is about is what the grammar's rule says: whom the
sentence before was about, unless it names another. The answer is what stands at the answer's
place in a sentence that states the asked relation of the asked entity.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlspring.worlds.reading.grammar import Relation, Topic, topics, words
from mlspring.worlds.reading.paragraphs import LEADS
from mlspring.worlds.reading.questions import WHOLE, YEAR

NUMBER = r"(?:[\d,.]+萬?[\d,]*|[一二三四五六七八九十兩]+)"
YEARS = r"(?:光緒|明治|大正|昭和|民國)?[元\d一二三四五六七八九十]+年"
SLOTS = {
    **dict.fromkeys(("work", "book", "treaty"), r"《[^》]+》"),
    "year": YEARS,
    "date": YEARS + r"(?:\d+月)?(?:\d+日)?",
    "money": NUMBER + "(?:圓|英鎊|美元|法郎|馬克|兩白銀)",
    "people": NUMBER + "人",
    **dict.fromkeys(("part", "more"), NUMBER + r"[^，。\d]{1,4}?"),
    "latin_title": r"[A-Za-z ]+",
}
PRONOUNS = "[他她]|該.{1,3}?|此.{1,2}?|當地|學校|公司|這.{1,5}?|本線"

Statement = tuple[str, str, str]  # entity, relation, value


def answers(paragraph: str, question: str) -> set[str]:
    """Return every answer that the text supports; one, where the world keeps its word."""
    return {
        value
        for topic, relation, part, entity, given in _asked(question)
        if entity in paragraph
        for name, stated, text in statements(paragraph, topic)
        if name == entity and stated == relation.key
        for value in _parts(text, part, given)
    }


@cache
def statements(paragraph: str, topic: Topic) -> list[Statement]:
    """Return all that the sentences state, in every reading that the forms allow."""
    names: dict[str, str] = {}
    found: list[Statement] = []
    about = ""
    for number, sentence in enumerate(paragraph.removesuffix("。").split("。")):
        if number == 0:
            for relation, match in _stated(sentence, topic, (), opening=True):
                about = _group(match, "N")
                names = _known(about)
                found.append((about, relation.key, _group(match, "V")))
            continue
        if entered := [m for form in topic.siblings if (m := _match(form, tuple(names), sentence))]:
            about = _group(entered[0], "N")
            names |= _known(about)
            continue
        bare = next(
            (sentence[len(lead) :] for lead in LEADS if sentence.startswith(lead)), sentence
        )
        told = [m for form in topic.fillers if (m := _match(form, tuple(names), sentence))]
        read = list(_read(bare, topic, tuple(names)))
        subjects = [_group(m, "S") for m in [*told, *(match for _, match in read)]]
        about = next((names[one] for one in subjects if one in names), about)
        found += [(about, relation.key, _group(match, "V")) for relation, match in read]
    return found


def _read(
    sentence: str, topic: Topic, names: tuple[str, ...]
) -> Iterator[tuple[Relation, re.Match[str]]]:
    """Yield what a sentence states: one statement, or one before a comma and one after it."""
    whole = list(_stated(sentence, topic, names))
    yield from whole
    for comma in re.finditer("，", sentence) if not whole else ():
        first = list(_stated(sentence[: comma.start()], topic, names))
        second = list(_stated(sentence[comma.end() :], topic, names))
        if first and second:
            yield from first + second


def _stated(
    text: str, topic: Topic, names: tuple[str, ...], *, opening: bool = False
) -> Iterator[tuple[Relation, re.Match[str]]]:
    for relation in topic.relations:
        if opening and not relation.opening:
            continue
        for form in relation.forms:
            if match := _match(form, names, text, relation):
                yield relation, match


def _match(
    form: str, names: tuple[str, ...], text: str, relation: Relation | None = None
) -> re.Match[str] | None:
    return _pattern(form, names, relation).fullmatch(text)


@cache
def _pattern(form: str, names: tuple[str, ...], relation: Relation | None) -> re.Pattern[str]:
    """Return the pattern of a form, its groups numbered: V1, S1, S2 ..."""
    form = re.sub(r"(\{S\}\[?(?:[^\[\]{}]*\|)?)的", r"\1〇", form)  # 其 for an empty one's 其的
    pieces, end, count = [], 0, 0
    for match in re.finditer(r"\{([^}]*)\}|[\[\]|]", form):
        pieces.append(re.escape(form[end : match.start()]).replace("〇", "的?"))
        end = match.end()
        if match[1] is None:
            pieces.append({"[": "(?:", "]": ")", "|": "|"}[match[0]])
        else:
            count += 1
            pieces.append(_slot(match[1], count, names, relation))
    return re.compile("".join([*pieces, re.escape(form[end:]).replace("〇", "的?")]))


def _slot(name: str, count: int, names: tuple[str, ...], relation: Relation | None) -> str:
    known = "|".join(re.escape(one) for one in sorted(names, key=len, reverse=True))
    latin = r"(?:（[A-Za-z ]+）)?"
    if name in ("S", "O"):
        return f"(?P<S{count}>{known}|{PRONOUNS}|其|)" if known else f"(?P<S{count}>{PRONOUNS}|)"
    if name == "G":
        return f"(?:(?P<S{count}>{known}|{PRONOUNS})的|其)"
    if name == "N":
        new = relation is None or relation.opening
        return f"(?P<N{count}>[^，。]+?)" + latin if new else f"(?P<S{count}>{known})"
    if name == "V" and relation:
        return f"(?P<V{count}>{_value(relation.value)})"
    return f"(?:{known if name == 'M' else _value(name)})"


def _value(spec: str) -> str:
    kind, _, rest = spec.partition(":")
    if kind == "list":
        return f"{_value(rest)}、{_value(rest)}[與和及]{_value(rest)}"
    if kind == "number":
        return NUMBER + re.escape(rest.partition(" ")[2])
    if kind in words():
        return "(?:" + "|".join(map(re.escape, words()[kind])) + ")"
    if kind in ("quoted", "motto"):
        return "「[^」]+」"
    return SLOTS.get(
        kind, "[^，。「」《》]+?" if kind not in ("reason", "purpose") else "[^，。]+?"
    )


@cache
def _asked(question: str) -> list[tuple[Topic, Relation, str, str, tuple[str, ...]]]:
    """Return what a question may ask for: topic, relation, part, entity, parts that are given."""
    found = []
    for topic in topics():
        for relation in topic.relations:
            for rest, form in (
                *((False, form) for form in relation.questions),
                *((True, form) for form in relation.questions_rest),
            ):
                match = _question(form).fullmatch(question.rstrip("?？"))
                if match is not None:
                    year = _group(match, "T") in {*YEAR, *(one.removeprefix("在") for one in YEAR)}
                    given = (_group(match, "A"), _group(match, "B")) if rest else ()
                    part = "rest" if rest else "year" if year else "whole"
                    found.append((topic, relation, part, _group(match, "N"), given))
    return found


@cache
def _question(form: str) -> re.Pattern[str]:
    times = "|".join(sorted({*WHOLE, *YEAR, "何時", "哪一年"}, key=len, reverse=True))
    form = form.replace("[", "(?:").replace("]", ")")
    for count, name in enumerate("NTAB"):
        form = form.replace(
            f"{{{name}}}", f"(?P<{name}{count}>{times if name == 'T' else '.+?'})", 1
        )
    return re.compile(form)


def _parts(text: str, part: str, given: tuple[str, ...]) -> list[str]:
    if part == "year":
        return [text[: text.index("年") + 1]]
    if part == "rest":
        items = re.split("[、與和及]", text)
        return [item for item in items if item not in given] if set(given) < set(items) else []
    return [text]


def _group(match: re.Match[str], letter: str) -> str:
    return next((text for key, text in match.groupdict().items() if key[0] == letter and text), "")


def _known(name: str) -> dict[str, str]:
    """Return a name and its short form, both for the name."""
    return {name: name, name.rpartition("·")[2]: name}
