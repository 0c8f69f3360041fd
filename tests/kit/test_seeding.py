"""Draws depend on their names and on nothing else."""

import torch

from mlspring.kit.seeding import derive_seed, epoch_order, generator, seed_everything


def test_same_names_same_draws_whatever_came_before() -> None:
    first = torch.rand(3, generator=generator(7, "augment", 12))
    torch.rand(100)
    torch.testing.assert_close(torch.rand(3, generator=generator(7, "augment", 12)), first)
    assert not torch.equal(torch.rand(3, generator=generator(7, "augment", 13)), first)


def test_names_are_told_apart() -> None:
    assert (
        len(
            {
                derive_seed(1, 23),
                derive_seed(12, 3),
                derive_seed(1, 2, 3),
                derive_seed("1", "23x"),
                derive_seed(123),
            }
        )
        == 5
    )


def test_an_epoch_visits_every_item_once_in_a_new_order() -> None:
    first, second = epoch_order(100, 0, 0), epoch_order(100, 0, 1)
    assert sorted(first.tolist()) == list(range(100))
    assert not torch.equal(first, second)
    assert torch.equal(first, epoch_order(100, 0, 0))


def test_global_generators_follow_the_seed() -> None:
    seed_everything(3, "dropout", 5)
    first = torch.nn.functional.dropout(torch.ones(64))
    seed_everything(3, "dropout", 5)
    assert torch.equal(torch.nn.functional.dropout(torch.ones(64)), first)
