"""Batches hold each pair once an epoch, within their bound, alike on one process and on many."""

import pytest
import torch

from mlspring.homeworks.hw05_translation.batches import (
    LONGEST,
    Corpus,
    TokenBatches,
    by_length,
    flat,
    joined,
)
from mlspring.homeworks.hw05_translation.vocabulary import BACK, EOS, PAD
from mlspring.kit.distributed import Ranks

BOUND = 60


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    draw = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 25, (2, 200), generator=draw).tolist()
    source, target = (flat([[10 + i] * n for i, n in enumerate(side)]) for side in lengths)
    return Corpus(source, target)


def epoch(batches: TokenBatches, number: int) -> list[torch.Tensor]:
    first = number * batches.per_epoch + 1
    return [batches.rows(step) for step in range(first, first + batches.per_epoch)]


def test_an_epoch_has_each_pair_once_in_an_order_of_its_own(corpus: Corpus) -> None:
    batches = TokenBatches(corpus, BOUND, seed=0)
    orders = [torch.cat(epoch(batches, number)) for number in (0, 1)]
    for order in orders:
        assert sorted(order.tolist()) == list(range(200))
    assert not torch.equal(*orders)
    other = torch.cat(epoch(TokenBatches(corpus, BOUND, seed=1), 0))
    assert not torch.equal(orders[0], other)
    assert batches.pairs_per_step == pytest.approx(200 / batches.per_epoch)


def test_a_batch_keeps_its_bound_and_holds_like_lengths(corpus: Corpus) -> None:
    batches, longest = TokenBatches(corpus, BOUND, seed=0), corpus.longest
    spread = []
    for rows in epoch(batches, 0):
        batch = corpus.batch(rows)
        assert len(rows) == 1 or max(batch.source.numel(), batch.targets.numel()) <= BOUND
        spread.append(int(longest[rows].max() - longest[rows].min()))
    assert sum(spread) / len(spread) < 2


def test_a_step_s_batch_depends_on_the_step_alone(corpus: Corpus) -> None:
    whole = TokenBatches(corpus, BOUND, seed=0)
    steps = list(range(1, 2 * whole.per_epoch + 1))
    in_order = {step: whole.rows(step).tolist() for step in steps}
    assert {s: whole.rows(s).tolist() for s in reversed(steps)} == in_order
    assert whole.epochs(whole.per_epoch) == 1.0


def test_batches_of_one_length_differ_between_epochs() -> None:
    same = Corpus(*(flat([[5, 6]] * 40) for _ in range(2)))
    batches = TokenBatches(same, 12, seed=0)
    first, second = (frozenset(frozenset(r.tolist()) for r in epoch(batches, n)) for n in (0, 1))
    assert first != second


def test_what_a_batch_holds() -> None:
    corpus = Corpus(flat([[5, 6], [7]], first=[BACK]), flat([[8], [9, 10, 11]]))
    batch = corpus.batch(torch.tensor([0, 1]))
    assert batch.source.tolist() == [[BACK, 5, 6, EOS], [BACK, 7, EOS, PAD]]
    assert batch.targets.tolist() == [[8, EOS, PAD, PAD], [9, 10, 11, EOS]]
    assert batch.inputs[1].tolist() == [EOS, 9, 10, 11]
    assert batch.inputs[0, :2].tolist() == [EOS, 8]
    assert batch.num_targets == 6


@pytest.mark.parametrize("size", [2, 3, 5])
def test_processes_share_a_batch(corpus: Corpus, size: int) -> None:
    rows = TokenBatches(corpus, BOUND, seed=0).rows(3)[:4]
    whole = corpus.batch(rows)
    parts = [corpus.batch(rows, Ranks(rank, size)) for rank in range(size)]
    assert {part.num_targets for part in parts} == {whole.num_targets}
    told = [int((part.targets != PAD).sum()) for part in parts]
    assert sum(told) == whole.num_targets
    if size == 5:
        assert 0 in told, "a process without a pair has no targets"


def test_a_long_sentence_is_cut_and_an_empty_one_is_its_end() -> None:
    sentences = flat([[5] * (LONGEST + 10), []])
    assert sentences.lengths.tolist() == [LONGEST, 1]
    assert sentences.padded(torch.tensor([1])).tolist() == [[EOS]]
    assert sentences.padded(torch.tensor([0]))[0, -1] == EOS


def test_parts_are_joined_in_order() -> None:
    whole = joined([flat([[5], [6, 7]]), flat([[8, 9, 10]])])
    rows = torch.arange(3)
    assert whole.padded(rows).tolist() == flat([[5], [6, 7], [8, 9, 10]]).padded(rows).tolist()
    assert len(whole.first(2).lengths) == 2


def test_by_length_has_every_row_once() -> None:
    lengths = torch.tensor([9, 1, 30, 2, 9, 3])
    groups = list(by_length(lengths, 20))
    assert sorted(torch.cat(groups).tolist()) == list(range(6))
    assert all(len(g) == 1 or len(g) * int(lengths[g].max()) <= 20 for g in groups)
