"""Sentences: no two alike, and words in the test that training never says."""

import itertools
import re

import numpy as np
import pytest

from mlspring.worlds.speech import words
from mlspring.worlds.speech.sentences import OPEN, Vocabulary, sentences, vocabulary


def said(known: Vocabulary, number: int, seed: int = 0) -> list[str]:
    made = sentences(known, (1, 2), np.random.default_rng(seed))
    return list(itertools.islice(made, number))


def spoken_words(texts: list[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"[a-z]+", text.lower())}


def test_thousands_of_sentences_and_no_two_alike() -> None:
    texts = said(vocabulary(training=False), 3000)
    assert len(set(texts)) == 3000
    assert all(re.fullmatch(r"[A-Z][A-Za-z]*(,? [A-Za-z]+)+\.", text) for text in texts)


def test_a_seed_fixes_the_sentences() -> None:
    known = vocabulary(training=True)
    assert said(known, 20) == said(known, 20)
    assert said(known, 20) != said(known, 20, seed=1)


def test_a_quarter_of_the_open_words_is_kept_from_training() -> None:
    every, training = vocabulary(training=False), vocabulary(training=True)
    for name in OPEN:
        known, learnt = getattr(every, name), getattr(training, name)
        assert set(learnt) < set(known)
        assert len(learnt) / len(known) == pytest.approx(0.75, abs=0.02)
        assert len(set(known)) == len(known)


def test_test_sentences_hold_words_that_training_never_says() -> None:
    learnt = spoken_words(said(vocabulary(training=True), 4000))
    kept = {
        word.lower()
        for name in OPEN
        for word in set(getattr(vocabulary(training=False), name))
        - set(getattr(vocabulary(training=True), name))
    }
    plain = {word for words_of in (words.PREPOSITIONS, words.DETERMINERS) for word in words_of}
    shared = {
        word.lower() for name in OPEN for word in getattr(vocabulary(training=True), name)
    } | plain
    assert kept - shared and not (kept - shared) & learnt
    texts = said(vocabulary(training=False), 500, seed=1)
    new = [text for text in texts if spoken_words([text]) & (kept - shared)]
    assert 0.5 < len(new) / len(texts) < 0.95


def test_a_vowel_takes_an() -> None:
    text = " ".join(said(vocabulary(training=False), 3000)).lower()
    assert not re.search(r"\ba [aeiou]", text)
    assert not re.search(r"\ban [^aeiou]", text)
    assert re.search(r"\ban [aeiou]", text)


def test_a_grammar_that_runs_dry_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DETERMINERS", "NUMBERS", "PREPOSITIONS"):
        monkeypatch.setattr(words, name, ["two"])
    lists = {name: ["one"] for name in OPEN}
    with pytest.raises(ValueError, match="finds no other"):
        list(sentences(Vocabulary(**lists), (1, 1), np.random.default_rng(0)))
