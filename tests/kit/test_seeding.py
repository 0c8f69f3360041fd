"""Draws depend on their names and on nothing else."""

import hashlib

import pytest
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


def test_a_seed_is_the_digest_of_its_names() -> None:
    """Kept: another digest would change every result. Source: BLAKE2b of 8 bytes, RFC 7693."""
    digest = hashlib.blake2b(b"7/augment/12", digest_size=8).digest()
    assert derive_seed(7, "augment", 12) == int.from_bytes(digest, "big") // 2
    assert 0 <= derive_seed("x") < 2**63, "torch takes no larger seed"


def test_generators_of_every_gpu_are_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A made-up GPU, so that this is seen without one: dropout there must resume alike."""
    seeded: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    seed_everything(3, "dropout", 9)
    assert seeded == [derive_seed(3, "dropout", 9)]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    seed_everything(3, "dropout", 10)
    assert len(seeded) == 1
