"""Batches of homework 11: what is drawn, how often, and how processes share it."""

from dataclasses import replace

import pytest
import torch

from mlspring.homeworks.hw11_adaptation import transform
from mlspring.homeworks.hw11_adaptation.batches import ClassBalancedSampler, DomainBatches, split
from mlspring.kit.distributed import Ranks
from mlspring.kit.seeding import generator
from tests.tiny.random_domains import domains, recipe

PAIRS = ("adapt.positive_pairs=0.5", "train.batch_size=12")


def test_the_split_holds_out_a_fraction_of_every_class() -> None:
    labels = torch.tensor([0] * 40 + [1] * 10 + [2] * 3)
    train_rows, held_out = split(labels, 0.1, seed=5)
    assert torch.bincount(labels[held_out]).tolist() == [4, 1, 1]
    assert sorted(torch.cat((train_rows, held_out)).tolist()) == list(range(53))
    assert split(labels, 0.1, seed=6)[1].tolist() != held_out.tolist()


def test_an_epoch_visits_every_photo_and_drawing_once() -> None:
    world = domains(num_photos=48, num_drawings=36)
    sampler = DomainBatches(world, torch.arange(48), recipe("train.batch_size=12"), seed=0)
    plain = torch.cat([sampler.batch(step).plain for step in (1, 2, 3)])
    assert torch.equal(plain.flatten(1).unique(dim=0), world.drawings.flatten(1).unique(dim=0))
    labels = torch.cat([sampler.batch(step).labels for step in (1, 2, 3, 4)])
    assert torch.bincount(labels).tolist() == [12] * 4
    assert sampler.epochs(6) == 1.5


@pytest.mark.parametrize(
    "more", [(), ("adapt.positive_pairs=0.5", "augment.sketchy=true", "train.class_balanced=true")]
)
def test_processes_share_a_batch_without_changing_it(more: tuple[str, ...]) -> None:
    knobs = recipe("train.batch_size=12", "augment.erase=0.5", *more)
    sampler = DomainBatches(domains(), torch.arange(40), knobs, seed=0)
    whole = sampler.batch(7)
    parts = [sampler.batch(7, Ranks(rank, 3)) for rank in range(3)]
    versions = 2 if more else 1  # of each picture
    for name in ("photos", "labels", "drawings", "plain"):
        halves = [getattr(part, name).chunk(versions) for part in parts]
        joined = torch.cat([half[i] for i in range(versions) for half in halves])
        torch.testing.assert_close(joined, getattr(whole, name))


def test_a_class_balanced_sampler_draws_rare_classes_as_often_as_frequent_ones() -> None:
    labels = torch.tensor([0] * 90 + [1] * 9 + [2])
    sampler = ClassBalancedSampler(torch.arange(200, 300), labels, 50, seed=4)
    rows = torch.cat([sampler.rows(step) for step in range(1, 61)])
    frequencies = torch.bincount(labels[rows - 200]).div(3000).tolist()
    assert frequencies == pytest.approx([1 / 3] * 3, abs=0.04)
    assert len(rows.unique()) == 100
    again = ClassBalancedSampler(torch.arange(200, 300), labels, 50, seed=4)
    assert torch.equal(again.rows(7), sampler.rows(7))
    assert not torch.equal(sampler.rows(7), sampler.rows(8))


def test_the_recipe_says_whether_classes_are_balanced() -> None:
    world = replace(domains(), labels=torch.tensor([0] * 36 + [1] * 4))
    fractions = []
    for balanced in ("true", "false"):
        knobs = recipe(f"train.class_balanced={balanced}")
        sampler = DomainBatches(world, torch.arange(40), knobs, seed=0)
        labels = torch.cat([sampler.batch(step).labels for step in range(1, 21)])
        fractions.append(labels.double().mean().item())
    assert fractions == pytest.approx([0.5, 0.1], abs=0.06)


def test_positive_pairs_are_the_same_pictures_changed_anew() -> None:
    world = domains()
    pairs = DomainBatches(world, torch.arange(40), recipe(*PAIRS), seed=0)
    single = DomainBatches(world, torch.arange(40), recipe("train.batch_size=12"), seed=0)
    batch, first = pairs.batch(3), single.batch(3)
    assert torch.equal(batch.labels, first.labels.repeat(2))
    assert torch.equal(batch.plain, first.plain.repeat(2, 1, 1))
    for name in ("photos", "drawings"):
        shown = getattr(batch, name)
        assert torch.equal(shown[:12], getattr(first, name))  # the first half is as without pairs
        assert not torch.isclose(shown[:12], shown[12:]).flatten(1).all(1).any()
    assert torch.equal(batch.images, torch.cat((batch.photos, batch.drawings)))


def test_only_the_second_versions_of_drawings_lie_under_photos() -> None:
    world = replace(domains(), drawings=torch.zeros(50, 32, 32, dtype=torch.uint8))
    sampler = DomainBatches(world, torch.arange(40), recipe("adapt.positive_pairs=1"), seed=0)
    drawings = torch.stack([sampler.batch(step).drawings for step in range(1, 21)])
    assert drawings[:, :32].max() == 0
    covered = (drawings[:, 32:].amax((2, 3, 4)) > 0).double().mean().item()
    assert covered == pytest.approx(0.8, abs=0.06)


def test_a_batch_shows_each_photo_in_one_of_its_views() -> None:
    world = domains()
    shown = transform.pick(world.photos, torch.arange(40), generator(0))
    first = (shown == world.photos[0]).all(dim=(1, 2))
    second = (shown == world.photos[1]).all(dim=(1, 2))
    assert torch.all(first ^ second)
    assert 5 < first.sum() < 35
