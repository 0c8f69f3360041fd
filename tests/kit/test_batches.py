"""Batches of an epoch: each row once, known from the step alone."""

import torch

from mlspring.kit.batches import EpochBatches
from mlspring.kit.seeding import epoch_order


def test_an_epoch_visits_each_row_once_in_an_order_of_its_own() -> None:
    rows = torch.arange(100, 130)
    batches = EpochBatches(rows, 6, seed=3)
    assert (batches.size, batches.per_epoch) == (6, 5)
    epochs = [torch.cat([batches.rows(5 * e + s) for s in range(1, 6)]) for e in range(2)]
    for epoch in epochs:
        assert sorted(epoch.tolist()) == list(range(100, 130))
    assert not torch.equal(*epochs)
    assert torch.equal(epochs[1], rows[epoch_order(30, 3, 1)])


def test_a_resumed_loop_gets_the_same_rows() -> None:
    rows = torch.arange(17)
    straight = EpochBatches(rows, 4, seed=0)
    every = [straight.rows(step) for step in range(1, 20)]
    for step in (1, 4, 5, 11, 19):
        assert torch.equal(EpochBatches(rows, 4, seed=0).rows(step), every[step - 1])
        assert torch.equal(straight.rows(step), every[step - 1]), "whatever was asked before"


def test_the_rest_has_its_turn_in_other_epochs_and_few_rows_are_one_batch() -> None:
    batches = EpochBatches(torch.arange(10), 4, seed=1)
    assert batches.per_epoch == 2
    seen = {row for step in range(1, 21) for row in batches.rows(step).tolist()}
    assert seen == set(range(10))
    assert EpochBatches(torch.arange(3), 8, seed=1).size == 3
    assert batches.epochs(3) == 1.5
