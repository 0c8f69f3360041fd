"""The Chinese side of a derivation: words in order, and choices where Chinese allows several.

A text is a list of words and choices. The first option of a choice is the one that the grammar
prefers; a reference takes it with probability ``PREFERRED``, so that most of a reference follows
from the English sentence and the rest is known to vary.
"""

from collections.abc import Iterator, Sequence

from mlspring.worlds.translation.dice import Dice

PREFERRED = 0.9


class Choice:
    """Several ways to say the same, the preferred one first."""

    __slots__ = ("options",)

    def __init__(self, options: "list[Text]") -> None:
        self.options = options


Text = list[str | Choice]
Part = str | Choice | Sequence[str | Choice]


def text(*parts: Part) -> Text:
    """Return the parts in order as one text; empty words disappear."""
    joined: Text = []
    for part in parts:
        if isinstance(part, str | Choice):
            if part:
                joined.append(part)
        else:
            joined += part
    return joined


def either(*options: Part) -> Text:
    """Return a choice of ``options``, the preferred one first; a single one is no choice."""
    texts = [text(option) for option in options]
    return texts[0] if len(texts) == 1 else [Choice(texts)]


def draw(zh: Text, dice: Dice) -> list[str]:
    """Return the words of one way to say ``zh``."""
    words: list[str] = []
    for part in zh:
        if isinstance(part, str):
            words.append(part)
        else:
            row = 0
            if not dice.chance(PREFERRED):
                row = 1 + dice.below(len(part.options) - 1)
            words += draw(part.options[row], dice)
    return words


def count(zh: Text) -> int:
    """Return how many ways ``listing`` tries; two of them may read alike."""
    ways = 1
    for part in zh:
        if not isinstance(part, str):
            ways *= sum(count(option) for option in part.options)
    return ways


def listing(zh: Text) -> list[str]:
    """Return every way to say ``zh``, each once; the one without any second choice first."""
    return list(dict.fromkeys(_ways(zh)))


def _ways(zh: Text) -> Iterator[str]:
    for row, part in enumerate(zh):
        if not isinstance(part, str):
            before = "".join(str(word) for word in zh[:row])
            rests = listing(zh[row + 1 :])
            for option in part.options:
                for middle in _ways(option):
                    yield from (before + middle + rest for rest in rests)
            return
    yield "".join(str(word) for word in zh)
