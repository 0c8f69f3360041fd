"""A paragraph: statements of a main entity and of others of its kind, told in sentences.

An entity is named, then meant by a pronoun or by nothing, until another one is named: a pronoun
and an empty subject mean whom the sentence before is about. No entity has a relation twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from mlspring.worlds.reading.grammar import Piece, Relation, Topic, flatten, pick
from mlspring.worlds.reading.names import Named, Names, is_kind, owner
from mlspring.worlds.reading.plans import Planned, plan
from mlspring.worlds.reading.values import NOTHING, Value, Values

LEADS, LED_IN = ("此外，", "另外，", "據載，", "據了解，", "值得一提的是，", "事實上，"), 0.1
MAX_TRIES = 12  # forms of a sentence before its subject is named, to make it the split's own


@dataclass(frozen=True, kw_only=True)
class Span:
    """A value in the text: characters ``start`` to ``end - 1``; the first ``year`` are a year."""

    type: str
    start: int
    end: int
    year: int = 0


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What is said of an entity, and where.

    Args:
        entity: its full name.
        relation: what is said.
        value: the answer.
        start: where the answer begins in the paragraph.
        distance: sentences since one that named the entity.
        form: number of the form that states it.
    """

    entity: str
    relation: Relation
    value: Value
    start: int
    distance: int
    form: int


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """A paragraph whose statements are known.

    Args:
        topic: what its entities are.
        text: without line ends.
        statements: in the order of the text.
        spans: every value in it, statements and others, in order.
        sentences: where each sentence begins.
        names: the full names of its entities, the main one first.
    """

    topic: Topic
    text: str
    statements: tuple[Statement, ...]
    spans: tuple[Span, ...]
    sentences: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(kw_only=True)
class Draft:
    """One attempt at a sentence."""

    text: str = ""
    spans: list[Span] = field(default_factory=list)
    answers: list[tuple[Relation, Value, int, int]] = field(default_factory=list)  # start, form
    named: bool = False  # whether its entity is named in it
    invented: bool = False  # whether any name stands in it


class Writer:
    """Writes the sentences of one paragraph, one after another."""

    def __init__(self, topic: Topic, split: str, names: Names, rng: np.random.Generator) -> None:
        self.topic, self.split, self.rng = topic, split, rng
        self.values = Values(topic, names, rng)
        self.entities: dict[int, Named] = {}
        self.text = ""
        self.statements: list[Statement] = []
        self.spans: list[Span] = []
        self.sentences: list[int] = []
        self._forms: set[tuple[str, int]] = set()  # those that the paragraph has
        self._named: dict[int, int] = {}  # entity -> last sentence that named it
        self._clear = -1  # whom an empty subject means

    def write(self, planned: Planned) -> None:
        """Append a sentence that no other split can have."""
        if planned.entity not in self.entities:
            self.entities[planned.entity] = self.values.entity()
        self.values.go_to(planned.entity)
        mode = self._mode(planned)
        draft = self._draft(planned, mode)
        for attempt in range(MAX_TRIES):
            if draft.invented or owner(draft.text) == self.split:
                break
            draft = self._draft(planned, mode if attempt < MAX_TRIES - 2 else "name")
        self._append(planned, draft)

    def _mode(self, planned: Planned) -> str:
        if planned.entity != self._clear:
            return "name"
        return pick(("none", "none", "pronoun", "pronoun", "name"), self.rng)

    def _append(self, planned: Planned, draft: Draft) -> None:
        offset, number = len(self.text), len(self.sentences)
        self.sentences.append(offset)
        if planned.enters:
            self._named[0] = number
        if draft.named:
            self._named[planned.entity] = number
        self.spans += [
            Span(type=s.type, start=s.start + offset, end=s.end + offset, year=s.year)
            for s in draft.spans
        ]
        for relation, value, start, form in draft.answers:
            self._forms.add((relation.key, form))
            self.statements.append(
                Statement(
                    entity=self.entities[planned.entity].name,
                    relation=relation,
                    value=value,
                    start=start + offset,
                    distance=number - self._named[planned.entity],
                    form=form,
                )
            )
        self.text += draft.text
        self._clear = -1 if planned.enters else planned.entity

    # ---- one sentence

    def _draft(self, planned: Planned, mode: str) -> Draft:
        draft = Draft()
        if not planned.statements:
            self._fill(draft, flatten(planned.form, self.rng), planned, mode)
        for row, (relation, value) in enumerate(planned.statements):
            if row:
                draft.text += "，"
            elif not planned.opening and self.rng.random() < LED_IN:
                draft.text += pick(LEADS, self.rng)
            going_on = relation.going_on() if len(planned.statements) > 1 else None
            form = self._form(relation, going_on)
            pieces = flatten(relation.forms[form], self.rng)
            self._fill(draft, pieces, planned, "none" if row else mode, (relation, value, form))
        draft.text += "。"
        return draft

    def _form(self, relation: Relation, allowed: Sequence[int] | None) -> int:
        """Return the number of a form that the paragraph has not yet, if there is one."""
        forms = allowed or range(len(relation.forms))
        new = [form for form in forms if (relation.key, form) not in self._forms]
        return pick(new or forms, self.rng)

    def _fill(
        self,
        draft: Draft,
        pieces: Sequence[Piece],
        planned: Planned,
        mode: str,
        statement: tuple[Relation, Value, int] | None = None,
    ) -> None:
        """Append the text of a form; see ``grammar`` for its slots."""
        first, owned = len(draft.text), False
        for piece, behind in pairwise([*pieces, ""]):
            if isinstance(piece, str):
                draft.text += piece[1:] if owned and piece.startswith("的") else piece
                owned = False
                continue
            if piece.name in ("S", "O", "G", "N"):
                clause = draft.text[first:] == "" or draft.text[-1] in "，。：「"
                owning = isinstance(behind, str) and behind.startswith("的")
                subject = self._subject(draft, planned, piece.name, mode, clause, owning)
                owned = subject == "其"
                draft.text += subject
            elif piece.name == "M":
                draft.text += self._short(0)
                draft.invented = True
            elif piece.name == "K":
                draft.text += self.entities[planned.entity].noun
            elif piece.name == "V" and statement:
                relation, value, form = statement
                draft.answers.append((relation, value, len(draft.text), form))
                self._put(draft, value, relation.value)
            else:
                beside = statement[1] if statement else NOTHING
                self._put(draft, self.values.draw(piece.name, beside=beside), piece.name)

    def _put(self, draft: Draft, value: Value, spec: str) -> None:
        start = len(draft.text)
        draft.text += value.text
        draft.spans.append(Span(type=value.type, start=start, end=len(draft.text), year=value.year))
        draft.spans += [
            Span(type=value.type.removeprefix("list of "), start=start + a, end=start + b)
            for a, b in value.items
        ]
        draft.invented |= is_kind(spec.partition(":")[0])

    def _subject(
        self, draft: Draft, planned: Planned, slot: str, mode: str, clause: bool, owning: bool
    ) -> str:
        """Return what stands for the entity here; see ``grammar`` for the slots."""
        entity = self.entities[planned.entity]
        if draft.named and slot != "N":
            mode = "none" if slot == "S" else "pronoun"
        if mode == "name" or slot == "N":
            known = planned.entity in self._named
            draft.named = draft.invented = True
            name = self._short(planned.entity) if known and slot != "N" else entity.name
            if planned.opening and entity.latin and self.rng.random() < 0.5:
                name += f"（{entity.latin}）"
            return name + ("的" if slot == "G" else "")
        if mode == "none" and (slot == "G" or (slot == "S" and owning)):
            return "其"
        if mode == "none" and slot == "S" and clause:
            return ""
        return pick(entity.pronouns, self.rng) + ("的" if slot == "G" else "")

    def _short(self, entity: int) -> str:
        named = self.entities[entity]
        return named.short if self.rng.random() < 0.6 else named.name


def write_paragraph(topic: Topic, split: str, names: Names, rng: np.random.Generator) -> Paragraph:
    """Return a new paragraph of ``topic`` with names and sentences of ``split``."""
    writer = Writer(topic, split, names, rng)
    for planned in plan(topic, writer.values, rng):
        writer.write(planned)
    return Paragraph(
        topic=topic,
        text=writer.text,
        statements=tuple(writer.statements),
        spans=tuple(sorted(writer.spans, key=lambda span: span.start)),
        sentences=tuple(writer.sentences),
        names=tuple(entity.name for entity in writer.entities.values()),
    )
