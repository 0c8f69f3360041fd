"""Sentences from a small grammar: as many as are wanted, no two alike."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlspring.worlds.speech import words

KEPT_FROM_TRAINING = 4  # every fourth word of an open class
OPEN = ("nouns", "verbs", "adjectives", "adverbs", "names", "places")
MAX_TRIES = 100  # before a sentence counts as impossible to make anew


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The open classes of words that a speaker may choose from."""

    nouns: list[str]
    verbs: list[str]  # in the past tense
    adjectives: list[str]
    adverbs: list[str]
    names: list[str]
    places: list[str]


def vocabulary(*, training: bool) -> Vocabulary:
    """Return the words of training, or all words: a quarter of these is new to who learnt."""
    lists = {name: sorted(set(getattr(words, name.upper()))) for name in OPEN}
    if training:
        lists = {
            name: [word for row, word in enumerate(known) if row % KEPT_FROM_TRAINING]
            for name, known in lists.items()
        }
    return Vocabulary(**lists)


def sentences(
    known: Vocabulary, clauses: tuple[int, int], rng: np.random.Generator
) -> Iterator[str]:
    """Yield sentences without end; none twice.

    Args:
        known: the words to choose from.
        clauses: fewest and most main clauses of a sentence; each takes about two seconds.
        rng: the source of every choice.

    Raises:
        ValueError: the grammar finds no further sentence.
    """
    seen: set[str] = set()
    while True:
        for _ in range(MAX_TRIES):
            number = int(rng.integers(clauses[0], clauses[1] + 1))
            sentence = _sentence(known, number, rng)
            if sentence not in seen:
                break
        else:
            raise ValueError(f"the grammar made {len(seen):,} sentences and finds no other")
        seen.add(sentence)
        yield sentence


def _sentence(known: Vocabulary, clauses: int, rng: np.random.Generator) -> str:
    parts: list[str] = []
    for number in range(clauses):
        if number:
            parts[-1] += "," if rng.random() < 0.6 else ""
            parts.append(_pick(words.CONNECTIVES, rng))
        parts.append(_clause(known, rng))
    text = " ".join(parts)
    return text[0].upper() + text[1:] + "."


def _clause(known: Vocabulary, rng: np.random.Generator) -> str:
    """Return subject, verb and object, with adverb and place where chance wants them."""
    parts = [_phrase(known, rng)]
    if rng.random() < 0.3:
        parts.append(_pick(known.adverbs, rng))
    parts += [_pick(known.verbs, rng), _phrase(known, rng)]
    if rng.random() < 0.45:
        place = rng.random() < 0.3
        parts += ["in", _pick(known.places, rng)] if place else [
            _pick(words.PREPOSITIONS, rng),
            _phrase(known, rng),
        ]  # fmt: skip
    return " ".join(parts)


def _phrase(known: Vocabulary, rng: np.random.Generator) -> str:
    """Return a name or a noun with what stands before it."""
    if rng.random() < 0.2:
        return _pick(known.names, rng)
    adjective = [_pick(known.adjectives, rng)] if rng.random() < 0.5 else []
    noun = _pick(known.nouns, rng)
    if rng.random() < 0.2:
        return " ".join([_pick(words.NUMBERS, rng), *adjective, _plural(noun)])
    determiner = _pick(words.DETERMINERS, rng)
    parts = [*adjective, noun]
    if determiner == "a" and parts[0][0] in "aeiou":
        determiner = "an"
    return " ".join([determiner, *parts])


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh", "z")) else "s")


def _pick(choices: list[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
