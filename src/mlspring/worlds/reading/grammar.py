"""The grammar of the paragraphs: topics with their relations, sentence forms and questions.

A form is a text with slots and choices: ``{S}[於|在]{V}落成``. Choices do not nest; a slot is
the subject (``S``, left out where it is clear), a mention that is never left out (``O``), the
subject's genitive (``G``), its full name (``N``), the main entity's name in the sentence that
brings up a second one (``M``), what kind of thing it is (``K``), the answer (``V``), an asking
for the time (``T``), parts of a list (``A``, ``B``), or another value by the name of its kind.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

FOLDER = Path(__file__).parent
TOPICS = ("person", "town", "school", "company", "book", "building", "river", "battle", "railway")
T = TypeVar("T")
PART = re.compile(r"\[([^\]]*)\]|\{([^}]*)\}")


@dataclass(frozen=True, kw_only=True)
class Relation:
    """What may be said of an entity.

    Args:
        key: its name, e.g. ``founder``.
        value: the kind of its value, e.g. ``person`` or ``number:3..90 公里``.
        type: of what type the value is; values of one type could be mistaken for each other.
        opening: whether it can open a paragraph.
        stage: where a life or history has it; low ones come first.
        choices: templates of the value, where it is a phrase.
        forms: the sentences that state it.
        questions: the questions that ask for it.
        questions_rest: those that ask for one of a list, the others given.
    """

    key: str
    value: str
    type: str
    opening: bool = False
    stage: int = 0
    choices: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    questions_rest: tuple[str, ...] = ()

    def going_on(self) -> list[int]:
        """Return the numbers of the forms that can follow a comma, their subject left out."""
        return [row for row, form in enumerate(self.forms) if form.startswith(("{S}", "{G}"))]


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What a paragraph may be about.

    Args:
        name: also the kind of its entities' names.
        base: first and last of the years from which offsets count.
        relations: what is said of its entities.
        fillers: sentences around the statements.
        siblings: sentences that bring up a second entity.
    """

    name: str
    base: tuple[int, int]
    relations: tuple[Relation, ...]
    fillers: tuple[str, ...]
    siblings: tuple[str, ...]

    def choices(self, kind: str) -> tuple[str, ...]:
        """Return the templates of phrases of type ``kind``; none where it is no such type."""
        found = [relation for relation in self.relations if relation.type == kind]
        return found[0].choices if found else ()


@cache
def topics() -> tuple[Topic, ...]:
    """Return all topics."""
    return tuple(_topic(name) for name in TOPICS)


@cache
def words() -> dict[str, list[str]]:
    """Return the closed classes of words by type."""
    return read_toml("words.toml")


def read_toml(name: str) -> dict[str, Any]:
    """Return the content of a TOML file of this package."""
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


def type_of(value: str) -> str:
    """Return the type of a kind of value: kinds that may be mistaken share it."""
    kind, _, rest = value.partition(":")
    if kind == "list":
        return f"list of {type_of(rest)}"
    if kind in ("number", "people"):
        unit = rest.partition(" ")[2] or "人"
        return f"number of {unit}"
    return {"year": "date", "foreigner": "person"}.get(kind, kind)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place in a form that a value fills."""

    name: str


Piece = str | Slot


def flatten(form: str, rng: np.random.Generator) -> list[Piece]:
    """Return the literals and slots of ``form`` in order, its choices made."""
    pieces: list[Piece] = []
    end = 0
    for match in PART.finditer(form):
        pieces.append(form[end : match.start()])
        end = match.end()
        if match[2] is not None:
            pieces.append(Slot(name=match[2]))
        else:
            pieces += flatten(pick(match[1].split("|"), rng), rng)
    pieces.append(form[end:])
    return [piece for piece in pieces if piece != ""]


def pick(options: Sequence[T], rng: np.random.Generator) -> T:
    """Return one of ``options``, each as likely as the others."""
    return options[int(rng.random() * len(options))]  # ten times as fast as ``integers``


def _topic(name: str) -> Topic:
    table = read_toml(f"topics/{name}.toml")
    relations = []
    for row in table["relations"]:
        texts = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
        relations.append(Relation(**{"type": type_of(row["value"])} | row | texts))
    return Topic(
        name=name,
        base=(table["base"][0], table["base"][1]),
        relations=tuple(relations),
        fillers=tuple(table["fillers"]),
        siblings=tuple(table["siblings"]),
    )
