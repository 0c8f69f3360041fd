"""What a paragraph tells, in which order, before any word is chosen."""

from dataclasses import dataclass

import numpy as np

from mlspring.worlds.reading.grammar import Relation, Topic
from mlspring.worlds.reading.values import Value, Values

MEDIAN, SPREAD, SHORTEST, LONGEST = 370, 0.44, 260, 1400  # planned characters, log-normal
CHARACTERS = 27  # of a sentence, in the mean
OF_MAIN, OF_OTHERS = 0.42, 0.36  # shares of the sentences; the rest are fillers
JOINED = 0.25  # of the statements share a sentence with the one before


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A sentence before its words are chosen.

    Args:
        entity: number of whom it is about; 0 is the main one.
        statements: what it states, in order.
        form: of a sentence without statements.
        opening: whether it is the first.
        enters: whether it brings up its entity.
    """

    entity: int
    statements: tuple[tuple[Relation, Value], ...] = ()
    form: str = ""
    opening: bool = False
    enters: bool = False


def plan(topic: Topic, values: Values, rng: np.random.Generator) -> list[Planned]:
    """Return the sentences of a paragraph; what is said of another entity stands together."""
    size = MEDIAN * np.exp(SPREAD * rng.standard_normal())
    length = round(float(np.clip(size, SHORTEST, LONGEST)) / CHARACTERS)
    others = int(rng.random() < 0.85) + int(length > 15) + int(length > 25) + int(length > 34)
    fillers = [str(form) for form in rng.permutation(np.array(topic.fillers))]
    values.go_to(0)
    main = _statements(topic, max(4, round(length * OF_MAIN)), values, rng, opening=True)
    sentences = _told(0, main, rng)
    blocks = [[one] for one in sentences]
    entries = [str(form) for form in rng.permutation(np.array(topic.siblings))]
    known = frozenset(relation.key for relation, _ in main)
    for entity in range(1, others + 1):
        number = max(1, round(length * OF_OTHERS / others) - 1)
        values.go_to(entity)
        told = _told(entity, _statements(topic, number, values, rng, known=known), rng)
        block = [Planned(entity=entity, form=entries[entity - 1], enters=True), *told]
        if rng.random() < 0.25:
            block.insert(int(rng.integers(2, len(block) + 1)), _filler(entity, fillers))
        blocks.insert(int(rng.integers(1, len(blocks) + 1)), block)
    while sum(map(len, blocks)) < length and fillers:
        blocks.insert(int(rng.integers(1, len(blocks) + 1)), [_filler(0, fillers)])
    return [sentence for block in blocks for sentence in block]


def _filler(entity: int, fillers: list[str]) -> Planned:
    return Planned(entity=entity, form=fillers.pop())


def _statements(
    topic: Topic,
    number: int,
    values: Values,
    rng: np.random.Generator,
    *,
    known: frozenset[str] = frozenset(),
    opening: bool = False,
) -> list[tuple[Relation, Value]]:
    """Return ``number`` statements of a new entity, or all; ``known`` relations first."""
    first = [relation for relation in topic.relations if relation.opening and opening]
    rest = [relation for relation in topic.relations if relation not in first]
    rank = {relation.key: rng.random() - 0.7 * (relation.key in known) for relation in rest}
    chosen = sorted(rest, key=lambda relation: rank[relation.key])[: number - len(first)]
    chosen.sort(key=lambda relation: relation.stage + 2 * rng.random())
    return [(relation, values.draw(relation.value)) for relation in first + chosen]


def _told(
    entity: int, statements: list[tuple[Relation, Value]], rng: np.random.Generator
) -> list[Planned]:
    """Return sentences that state ``statements``, some of them two."""
    told: list[Planned] = []
    for row, statement in enumerate(statements):
        goes_on = row and all(one[0].going_on() for one in (*told[-1].statements, statement))
        alone = row and len(told[-1].statements) == 1 and not told[-1].opening
        if goes_on and alone and rng.random() < JOINED:
            told[-1] = Planned(entity=entity, statements=(*told[-1].statements, statement))
        else:
            told.append(
                Planned(entity=entity, statements=(statement,), opening=entity == 0 and row == 0)
            )
    return told
