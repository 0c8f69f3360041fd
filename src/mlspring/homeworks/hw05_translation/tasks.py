"""What a network learns: English to Chinese, or, for back-translation, the reverse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlspring.homeworks.hw05_translation.batches import Corpus, flat, joined
from mlspring.homeworks.hw05_translation.cleaning import written_chinese
from mlspring.homeworks.hw05_translation.data import Data
from mlspring.homeworks.hw05_translation.layout import Pairs
from mlspring.homeworks.hw05_translation.recipe import Recipe, TrainKnobs
from mlspring.homeworks.hw05_translation.score import bleu
from mlspring.homeworks.hw05_translation.vocabulary import BACK, Vocabulary


@dataclass(frozen=True, kw_only=True)
class Task:
    """One direction of translation."""

    name: str  # on the progress bar
    train: Corpus  # pairs as tokens
    real: Corpus  # those of them that a person translated
    num_mixed: int  # steps that learn from ``train``; those after them from ``real``
    held: Corpus  # those to validate on
    knobs: TrainKnobs
    num_tokens: int  # of the vocabulary
    text: Callable[[Sequence[list[int]]], list[str]]  # turns tokens into lines
    references: list[str]  # the lines that belong to ``held``
    tokenizer: str  # sacreBLEU's, of the target language

    def bleu(self, sentences: Sequence[list[int]]) -> float:
        """Return the BLEU of translations of the first held-out sentences."""
        lines = self.text(sentences)
        return float(bleu(lines, self.references[: len(lines)], self.tokenizer)[0].score)


def forward_task(recipe: Recipe, data: Data, words: Vocabulary, synthetic: Pairs | None) -> Task:
    """Return English to Chinese: the real pairs, and synthetic ones, which a first token tells.

    Tagged back-translation (Caswell et al. 2019, arXiv:1906.06442): the network learns from both,
    in the end from real ones alone, and is asked without the token, so that it writes as they do.
    """
    real = every = corpus(words, data.train)
    steps = num_mixed = recipe.train.steps
    if synthetic is not None:
        parts = (real, corpus(words, synthetic, first=[BACK]))
        source, target = ([getattr(p, side) for p in parts] for side in ("source", "target"))
        every = Corpus(joined(source), joined(target))
        num_mixed = steps - round(recipe.back.last_real * steps)
    return Task(
        name="en-zh",
        train=every,
        real=real,
        num_mixed=num_mixed,
        held=corpus(words, data.held),
        knobs=recipe.train,
        num_tokens=len(words),
        text=words.chinese,
        references=[written_chinese(line) for line in data.held.chinese],
        tokenizer="zh",
    )


def backward_task(recipe: Recipe, data: Data, words: Vocabulary) -> Task:
    """Return Chinese to English, from the real pairs alone."""
    train, held = corpus(words, data.train), corpus(words, data.held)
    turned = Corpus(train.target, train.source)
    return Task(
        name="zh-en",
        train=turned,
        real=turned,
        num_mixed=recipe.back.steps,
        held=Corpus(held.target, held.source),
        knobs=recipe.train.model_copy(update={"steps": recipe.back.steps}),
        num_tokens=len(words),
        text=words.english,
        references=data.held.english,
        tokenizer="13a",
    )


def corpus(words: Vocabulary, pairs: Pairs, *, first: Sequence[int] = ()) -> Corpus:
    """Return pairs as tokens, ``first`` before each source."""
    source = flat(words.encode(pairs.english), first=first)
    return Corpus(source, flat(words.encode(pairs.chinese)))
