"""Batches of homework 11: what is dealt, how often, and how processes share it."""

from dataclasses import replace

import pytest
import torch

from mlspring.homeworks.hw11_adaptation import transform
from mlspring.homeworks.hw11_adaptation.batches import Batches, Deck, EvenDeck, split
from mlspring.kit.distributed import Ranks
from mlspring.kit.seeding import generator
from tests.tiny.random_domains import domains, recipe


def test_an_epoch_deals_every_row_once_and_another_in_another_order() -> None:
    deck = Deck(torch.arange(100, 112), 4, seed=3)
    first = torch.cat([deck.deal(step) for step in (1, 2, 3)])
    second = torch.cat([deck.deal(step) for step in (4, 5, 6)])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(100, 112))
    assert first.tolist() != second.tolist()
    assert torch.equal(Deck(torch.arange(100, 112), 4, seed=3).deal(5), second[4:8])


def test_the_split_holds_out_a_share_of_every_class() -> None:
    labels = torch.tensor([0] * 40 + [1] * 10 + [2] * 3)
    train_rows, held_out = split(labels, 0.1, seed=5)
    assert torch.bincount(labels[held_out]).tolist() == [4, 1, 1]
    assert sorted(torch.cat((train_rows, held_out)).tolist()) == list(range(53))
    assert split(labels, 0.1, seed=6)[1].tolist() != held_out.tolist()


def test_processes_share_a_batch_without_changing_it() -> None:
    world = domains()
    batches = Batches(world, torch.arange(40), recipe("train.batch_size=12"), seed=0)
    whole = batches.deal(7, slice(0, 12))
    parts = [batches.deal(7, Ranks(rank, 3).shard(12)) for rank in range(3)]
    for name in ("photos", "labels", "drawings", "plain"):
        joined = torch.cat([getattr(part, name) for part in parts])
        torch.testing.assert_close(joined, getattr(whole, name))


def test_an_even_deck_deals_rare_classes_as_often_as_frequent_ones() -> None:
    labels = torch.tensor([0] * 90 + [1] * 9 + [2])
    deck = EvenDeck(torch.arange(200, 300), labels, 50, seed=4)
    rows = torch.cat([deck.deal(step) for step in range(1, 61)])
    assert torch.bincount(labels[rows - 200]).div(3000).tolist() == pytest.approx(
        [1 / 3] * 3, abs=0.04
    )
    assert len(rows.unique()) == 100
    assert torch.equal(EvenDeck(torch.arange(200, 300), labels, 50, seed=4).deal(7), deck.deal(7))
    assert not torch.equal(deck.deal(7), deck.deal(8))


def test_the_recipe_says_whether_classes_are_dealt_evenly() -> None:
    world = replace(domains(), labels=torch.tensor([0] * 36 + [1] * 4))
    shares = []
    for even in ("true", "false"):
        batches = Batches(world, torch.arange(40), recipe(f"train.even={even}"), seed=0)
        labels = torch.cat([batches.deal(step, slice(0, 32)).labels for step in range(1, 21)])
        shares.append(labels.double().mean().item())
    assert shares == pytest.approx([0.5, 0.1], abs=0.06)


TWINS = ("adapt.twins=0.5", "augment.rotate=20.0", "train.batch_size=12")


def test_twins_are_the_same_pictures_changed_anew() -> None:
    world = domains()
    batch = Batches(world, torch.arange(40), recipe(*TWINS), seed=0).deal(3, slice(0, 12))
    alone = Batches(world, torch.arange(40), recipe(*TWINS, "adapt.twins=0"), seed=0)
    first = alone.deal(3, slice(0, 12))
    assert torch.equal(batch.labels, first.labels.repeat(2))
    assert torch.equal(batch.plain, first.plain.repeat(2, 1, 1))
    for name in ("photos", "drawings"):
        shown = getattr(batch, name)
        assert torch.equal(shown[:12], getattr(first, name))  # the first half is as without twins
        assert not torch.isclose(shown[:12], shown[12:]).flatten(1).all(1).any()


def test_processes_share_twins_too() -> None:
    knobs = recipe(*TWINS, "augment.clutter=0.5", "train.even=true")
    batches = Batches(domains(), torch.arange(40), knobs, seed=0)
    whole = batches.deal(2, slice(0, 12))
    parts = [batches.deal(2, Ranks(rank, 2).shard(12)) for rank in range(2)]
    for name in ("photos", "labels", "drawings", "plain"):
        halves = [getattr(part, name).chunk(2) for part in parts]
        joined = torch.cat([half[i] for i in range(2) for half in halves])
        torch.testing.assert_close(joined, getattr(whole, name))


def test_only_twins_of_drawings_lie_under_photos() -> None:
    world = replace(domains(), drawings=torch.zeros(50, 32, 32, dtype=torch.uint8))
    knobs = recipe("adapt.twins=1", "augment.clutter=1.0")
    batch = Batches(world, torch.arange(40), knobs, seed=0).deal(1, slice(0, 32))
    assert batch.drawings[:32].max() == 0
    assert (batch.drawings[32:].amax((1, 2, 3)) > 0).all()


def test_a_batch_shows_each_photo_in_one_of_its_views() -> None:
    world = domains()
    rows = torch.arange(40)
    shown = transform.pick(world.photos, rows, generator(0))
    first = (shown == world.photos[0]).all(dim=(1, 2))
    second = (shown == world.photos[1]).all(dim=(1, 2))
    assert torch.all(first ^ second)
    assert 5 < first.sum() < 35
