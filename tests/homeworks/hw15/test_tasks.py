"""Tasks of homework 15: whole alphabets held out, turned characters new ones, drawers different."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mlspring.homeworks.hw15_meta import tasks as maker
from mlspring.homeworks.hw15_meta.data import Data
from mlspring.homeworks.hw15_meta.recipe import DataKnobs
from mlspring.homeworks.hw15_meta.tasks import Pool
from mlspring.kit.seeding import generator

CPU = torch.device("cpu")


def characters(num_alphabets: int = 4, each: int = 6, num_drawings: int = 5) -> Data:
    """Return pictures whose first pixel tells the character, the second the drawing."""
    count = num_alphabets * each
    images = np.zeros((count, num_drawings, 28, 28), np.uint8)
    images[:, :, 0, 0] = np.arange(count)[:, None]
    images[:, :, 0, 1] = np.arange(num_drawings)
    return Data(
        images=images,
        alphabets=np.repeat(np.arange(num_alphabets), each),
        names=tuple("abcd"[:num_alphabets]),
        support=images[:0, :5],
        query=images[:0, :5],
    )


def pools(seed: int = 0, held_out: int = 1, **options: int) -> tuple[Pool, Pool]:
    knobs = DataKnobs(held_out=held_out, turns=1)
    return maker.make_pools(characters(), knobs, seed, CPU, **options)


def who(images: Tensor) -> list[int]:
    """Return the characters of pictures (..., 28, 28)."""
    return (255 * (1 - images[..., 0, 0])).round().int().flatten().tolist()


def known(pool: Pool) -> list[int]:
    return pool.images[:, 0, 0, 0].tolist()


def test_whole_alphabets_are_held_out() -> None:
    train, held_out = pools(held_out=2)
    assert sorted(known(train) + known(held_out)) == list(range(24))
    alphabets = [{number // 6 for number in known(pool)} for pool in (train, held_out)]
    assert not alphabets[0] & alphabets[1]
    assert len(alphabets[1]) == 2


def test_a_seed_fixes_the_split_and_another_changes_it() -> None:
    splits = [known(pools(seed, held_out=2)[1]) for seed in (0, 0, 1, 2, 3)]
    assert splits[0] == splits[1]
    assert any(split != splits[0] for split in splits)


def test_fewer_characters_are_some_of_the_many() -> None:
    few, many = (pools(num_characters=number)[0] for number in (6, 12))
    every, held_out = pools()
    assert (len(few.images), len(many.images), len(every.images)) == (6, 12, 18)
    assert set(known(few)) < set(known(many)) < set(known(every))
    assert known(pools(num_characters=6)[1]) == known(held_out), "the same validation"


def test_transfer_learns_five_characters_in_their_order() -> None:
    train, _ = pools(num_characters=5, is_fixed=True)
    assert len(train.images) == 5
    made = maker.make_tasks(train, 3, 5, 2, generator(0))
    for task in range(3):
        assert who(made.support[task]) == known(train)


def test_a_task_has_different_characters_and_different_drawings() -> None:
    pool = Pool(images=torch.from_numpy(characters().images))
    made = maker.make_tasks(pool, 50, 5, 2, generator(1))
    assert made.support.shape == (50, 5, 28, 28)
    assert made.query.shape == (50, 10, 28, 28)
    for task in range(50):
        shown = who(made.support[task])
        assert len(set(shown)) == 5
        assert who(made.query[task]) == [shown[label] for label in made.labels[task]]
        drawers = (255 * (1 - torch.cat((made.support[task], made.query[task]))[:, 0, 1])).round()
        for label in range(5):
            mine = [drawers[label], *drawers[5:][made.labels[task] == label]]
            assert len({int(drawer) for drawer in mine}) == 3
    assert len(set(who(made.support))) == 24, "all characters have their turn"


def test_tasks_are_a_function_of_the_stream() -> None:
    pool = Pool(images=torch.from_numpy(characters().images), turns=4)
    first, again, other = (maker.make_tasks(pool, 4, 5, 1, generator(k)) for k in (1, 1, 2))
    assert torch.equal(first.query, again.query)
    assert not torch.equal(first.query, other.query)


def test_a_turned_character_is_one_of_its_own() -> None:
    """Four classes of one character; support and query are turned alike."""
    picture = torch.zeros(1, 3, 28, 28, dtype=torch.uint8)
    picture[..., 0, 0] = 100
    pool = Pool(images=picture, turns=4)
    assert pool.num_classes == 4
    made = maker.make_tasks(pool, 6, 4, 1, generator(0))
    corners = [(0, 0), (27, 0), (27, 27), (0, 27)]  # of a picture turned left by 0, 1, 2, 3
    for task in range(6):
        marks = [(image == image.min()).nonzero().tolist() for image in made.support[task]]
        assert sorted(tuple(mark[0]) for mark in marks) == sorted(corners)
        assert torch.equal(made.support[task], made.query[task])


def test_turns_are_left_turns() -> None:
    images = torch.arange(9).view(1, 1, 1, 3, 3).expand(1, 4, 2, 3, 3)
    out = maker.turned(images, torch.tensor([[0, 1, 2, 3]]), 4)
    for quarter in range(4):
        expected = torch.rot90(torch.arange(9).view(3, 3), quarter)
        assert torch.equal(out[0, quarter, 0], expected)
        assert torch.equal(out[0, quarter, 1], expected)


def test_ink_is_one_and_paper_zero() -> None:
    assert maker.to_input(torch.tensor([0, 255, 51], dtype=torch.uint8)).tolist() == pytest.approx(
        [1.0, 0.0, 0.8]
    )


def test_a_validation_is_always_the_same_and_like_the_test() -> None:
    pool = Pool(images=torch.from_numpy(characters().images))
    first, again, other = (maker.validation_tasks(pool, 8, seed) for seed in (0, 0, 1))
    assert torch.equal(first.query, again.query)
    assert not torch.equal(first.query, other.query)
    assert first.query.shape == (8, 5, 28, 28)
    assert first.labels.tolist() == [[0, 1, 2, 3, 4]] * 8


def test_a_part_of_the_tasks_is_the_shard_of_a_process() -> None:
    pool = Pool(images=torch.from_numpy(characters().images))
    made = maker.make_tasks(pool, 6, 5, 1, generator(1))
    part = made[2:4]
    assert len(part) == 2
    assert torch.equal(part.support, made.support[2:4])
    assert torch.equal(part.labels, made.labels[2:4])
