"""Short texts with a question each, in Traditional Chinese: what homework 9's encoder reads.

A text has three sentences about three people; some of its words have two senses (蘋果 is a fruit
and a company), and it is known which one is meant. A text is a pure function of the seed, its split
and its number, made in a tenth of a millisecond: nothing is cached.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mlspring.worlds.reading.grammar import pick

SPLITS = ("train", "valid", "shown", "sentences")
SENTENCES = 3  # of a text
TWICE = 0.5  # of the texts have a word in both of its senses
TIMES = ("昨天，", "上個月，", "前年，", "週末，")
TIMED = 0.3  # of the sentences begin with one of them


@dataclass(frozen=True, kw_only=True)
class Form:
    """A sentence with slots in braces.

    Args:
        about: the list of senses that its word is from.
        text: names, places, numbers and the word in braces.
        questions: by the slot that answers it.
    """

    about: str
    text: str
    questions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Words:
    """All that texts are made of: words of each sense, of the other slots, and the forms."""

    senses: dict[str, list[str]]
    others: dict[str, list[str]]
    forms: tuple[Form, ...]

    def of(self, sense: str) -> list[Form]:
        """Return the forms about a sense."""
        return [form for form in self.forms if form.about == sense]


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence without its full stop, and where each slot's value begins in it."""

    form: Form
    text: str
    values: dict[str, str]
    starts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text with its question.

    Args:
        text: of all sentences.
        question: about one of them.
        answer: stands in the text.
        start: of the answer, in characters.
        sentence: from where to where the sentence reaches that answers.
    """

    text: str
    question: str
    answer: str
    start: int
    sentence: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A sentence with a word in a known sense, which begins at ``start``."""

    text: str
    word: str
    sense: str
    start: int


@cache
def words() -> Words:
    """Return what texts are made of."""
    table = tomllib.loads((Path(__file__).parent / "forms.toml").read_text(encoding="utf-8"))
    forms = tuple(Form(**form) for form in table["form"])
    return Words(senses=table["senses"], others=table["others"], forms=forms)


def two_senses() -> dict[str, tuple[str, str]]:
    """Return the words with two senses, and which ones."""
    known: dict[str, list[str]] = {}
    for sense, its_words in words().senses.items():
        for word in its_words:
            known.setdefault(word, []).append(sense)
    return {word: (found[0], found[1]) for word, found in known.items() if len(found) == 2}


def characters() -> list[str]:
    """Return every character that a text or a question may have, in a fixed order."""
    known = words()
    texts = [*known.senses.values(), *known.others.values(), TIMES, ["。？"]]
    texts += [[form.text, *form.questions.values()] for form in known.forms]
    seen = {character for text in texts for one in text for character in one}
    return sorted(c for c in seen if not c.isascii())


def draw_text(seed: int, split: str, number: int) -> Text:
    """Return text ``number`` of a split."""
    rng = np.random.default_rng([seed, SPLITS.index(split) + 1, number + 1])
    sentences = _three(rng)
    asked = int(rng.integers(SENTENCES))
    one = sentences[asked]
    slot = pick(sorted(one.form.questions), rng)
    begins = np.cumsum([0, *(len(sentence.text) + 1 for sentence in sentences)]).tolist()
    return Text(
        text="".join(sentence.text + "。" for sentence in sentences),
        question=one.form.questions[slot].format(**one.values) + "？",
        answer=one.values[slot],
        start=begins[asked] + one.starts[slot],
        sentence=(begins[asked], begins[asked + 1]),
    )


def draw_mentions(word: str, count: int, seed: int) -> list[Mention]:
    """Return ``count`` sentences with ``word`` in its first sense, then as many in its second.

    As long as there are forms of a sense, each sentence has another one.
    """
    found = []
    for place, sense in enumerate(two_senses()[word]):
        rng = np.random.default_rng([seed, len(SPLITS) + 1, place, *map(ord, word)])
        forms = words().of(sense)
        for number in range(count):
            if number % len(forms) == 0:
                order = rng.permutation(len(forms))
            form = forms[order[number % len(forms)]]
            one = _sentence(form, rng, {sense: word})
            start = one.starts[sense]
            found.append(Mention(text=one.text + "。", word=word, sense=sense, start=start))
    return found


def _three(rng: np.random.Generator) -> list[Sentence]:
    """Return sentences of different forms and people; in some a word has both of its senses."""
    known = words()
    chosen: list[tuple[Form, dict[str, str]]] = []
    if rng.random() < TWICE:
        word = pick(sorted(two_senses()), rng)
        chosen = [(pick(known.of(sense), rng), {sense: word}) for sense in two_senses()[word]]
    while len(chosen) < SENTENCES:
        form = pick(known.forms, rng)
        if form not in [other for other, _ in chosen]:
            chosen.append((form, {}))
    people = rng.permutation(len(known.others["name"]))[:SENTENCES].tolist()
    sentences = [
        _sentence(form, rng, given | {"name": known.others["name"][person]})
        for (form, given), person in zip(chosen, people, strict=True)
    ]
    return [sentences[place] for place in rng.permutation(SENTENCES)]


def _sentence(form: Form, rng: np.random.Generator, given: dict[str, str]) -> Sentence:
    """Return a sentence of a form; slots that are not ``given`` are drawn."""
    lists = words().senses | words().others
    text = pick(TIMES, rng) if rng.random() < TIMED else ""
    values: dict[str, str] = {}
    starts: dict[str, int] = {}
    for part in form.text.split("{"):
        slot, brace, rest = part.partition("}")
        if brace:
            values[slot] = given[slot] if slot in given else pick(lists[slot], rng)
            starts[slot] = len(text)
            text += values[slot] + rest
        else:
            text += part
    return Sentence(form=form, text=text, values=values, starts=starts)
