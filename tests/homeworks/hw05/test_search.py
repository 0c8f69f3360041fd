"""Beam search against a search through everything, greedy search against a plain loop."""

import itertools
import math

import pytest
import torch

from mlspring.homeworks.hw05_translation.batches import flat
from mlspring.homeworks.hw05_translation.models import Translator
from mlspring.homeworks.hw05_translation.search import LIMIT, MORE, Found, How, search, translate
from mlspring.homeworks.hw05_translation.vocabulary import EOS, PAD, UNK
from mlspring.kit.device import choose
from tests.homeworks.hw05.tools import KINDS, network, sentences

each_kind = pytest.mark.parametrize("kind", KINDS)
CPU = choose("cpu", "fp32", work="wide")
WORDS = (UNK, 4, 5)  # all that a translation may hold besides its end, of a vocabulary of six


def sharp(kind: str, num_tokens: int = 6) -> Translator:
    """Return a network that is surer of itself than fresh weights are."""
    model = network(kind, num_tokens=num_tokens, layers=1)
    with torch.no_grad():
        model.embedding.weight *= 3
    return model


def log_probability(model: Translator, source: torch.Tensor, tokens: list[int]) -> float:
    """Return log p of a translation with its end, among all that may stand there."""
    inputs = torch.tensor([[EOS, *tokens]])
    logits = model(source, inputs)[0].clone()
    logits[:, [PAD, 3]] = -torch.inf
    log_p = logits.log_softmax(1)
    return sum(log_p[i, token].item() for i, token in enumerate([*tokens, EOS]))


def exhaustive(model: Translator, source: torch.Tensor, longest: int, power: float) -> Found:
    """Return the best of all translations of at most ``longest`` tokens, the end included."""
    best = Found([], -math.inf)
    for length in range(longest):
        for tokens in itertools.product(WORDS, repeat=length):
            total = log_probability(model, source, list(tokens))
            if (score := total / (length + 1) ** power) > best.score:
                best = Found(list(tokens), score)
    return best


@each_kind
@pytest.mark.parametrize("power", [0.0, 1.0])
@torch.inference_mode()
def test_a_wide_beam_finds_the_best_of_all(kind: str, power: float) -> None:
    model, longest = sharp(kind), torch.tensor([4, 3, 4])
    source = torch.tensor([[4, 5, EOS], [5, EOS, PAD], [1, 4, EOS]])
    found = search(model, source, longest, How(beam=200, length_penalty=power))
    for row in range(3):
        alone = source[row][source[row] != PAD][None]
        expected = exhaustive(model, alone, int(longest[row]), power)
        assert found[row].tokens == expected.tokens
        assert found[row].score == pytest.approx(expected.score, abs=1e-4)


@each_kind
@torch.inference_mode()
def test_a_beam_of_one_takes_the_likeliest_token_each_time(kind: str) -> None:
    model, source = network(kind), sentences(5, 2, 7)
    longest = torch.tensor([12, 5, 9])
    found = search(model, source, longest, How(beam=1))
    for row in range(3):
        alone, tokens = source[row][source[row] != PAD][None], []
        while len(tokens) < longest[row] - 1:
            logits = model(alone, torch.tensor([[EOS, *tokens]]))[0, -1].clone()
            logits[[PAD, 3]] = -torch.inf
            if (token := int(logits.argmax())) == EOS:
                break
            tokens.append(token)
        assert found[row].tokens == tokens


@each_kind
def test_the_batch_does_not_matter(kind: str) -> None:
    model = network(kind)
    lists = [[5, 6, 7, 8], [9], [10, 11], [], [12] * 30]
    together = translate(model, flat(lists), How(beam=3), CPU)
    for tokens, one in zip(lists, together, strict=True):
        alone = translate(model, flat([tokens]), How(beam=3), CPU)[0]
        assert alone.tokens == one.tokens
        assert alone.score == pytest.approx(one.score, abs=1e-4)
        assert len(one.tokens) < LIMIT * (len(tokens) + 1) + MORE


def test_a_wider_beam_finds_nothing_less_likely() -> None:
    model, sources = sharp("transformer", 23), flat(sentences(6, 4, 5, 7, 3).tolist())
    narrow, wide = (
        translate(model, sources, How(beam=beam, length_penalty=0.0), CPU) for beam in (1, 12)
    )
    assert sum(w.score for w in wide) >= sum(n.score for n in narrow)


def test_draws_follow_the_probabilities() -> None:
    """2,000 first tokens of one sentence: their shares are the model's, up to chance."""
    model, num = sharp("gru"), 2000
    source = torch.tensor([[4, 5, EOS]])
    with torch.inference_mode():
        logits = model(source, torch.tensor([[EOS]]))[0, 0].clone()
        logits[[PAD, 3]] = -torch.inf
        stream = torch.Generator().manual_seed(0)
        longest = torch.full((num,), 2)
        found = search(model, source.expand(num, -1), longest, How(beam=0), stream)
    first = torch.tensor([(one.tokens or [EOS])[0] for one in found])
    shares = first.bincount(minlength=6) / num
    assert shares.tolist() == pytest.approx(logits.softmax(0).tolist(), abs=4 * 0.5 / num**0.5)


def test_draws_depend_on_the_seed_alone() -> None:
    model, sources = network("transformer"), flat(sentences(6, 4, 5, 7, 3).tolist())
    first, again, other = (
        translate(model, sources, How(beam=0, seed=seed), CPU) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_the_mode_of_the_network_is_as_before() -> None:
    model = network("gru").train()
    translate(model, flat([[5, 6]]), How(beam=2), CPU)
    assert model.training
