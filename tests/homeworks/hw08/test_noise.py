"""Spoilt pictures: what a box shows, and that nothing else changes."""

import pytest
import torch

from mlspring.homeworks.hw08_anomaly import noise
from mlspring.homeworks.hw08_anomaly.recipe import NoiseKnobs
from mlspring.kit.seeding import generator

ALWAYS = NoiseKnobs(share=1.0, largest=0.5)
IMAGES = torch.rand(40, 3, 32, 32, generator=generator(1)) * 2 - 1


def box_of(changed: torch.Tensor) -> tuple[slice, slice]:
    """Return the smallest box that holds all changed places of one picture, (s, s)."""
    rows, columns = changed.any(1).nonzero(), changed.any(0).nonzero()
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


@pytest.mark.parametrize("kind", [noise.OTHER, noise.MOVED, noise.PALE, noise.TURNED])
def test_one_box_of_each_picture_changes_and_is_marked(kind: int) -> None:
    spoilt, where = noise.spoil(IMAGES, ALWAYS, generator(2), (kind,))
    assert spoilt.shape == IMAGES.shape and where.shape == (40, 32, 32)
    for number in range(40):
        changed = (spoilt[number] != IMAGES[number]).any(0)
        rows, columns = box_of(changed)
        sides = (rows.stop - rows.start, columns.stop - columns.start)
        assert all(3 <= side <= 16 for side in sides)
        assert changed[rows, columns].float().mean() > 0.9  # of random pictures nearly all
        assert not where[number][~changed].any()
        assert where[number].any()


def test_a_box_shows_what_its_kind_says() -> None:
    stream = generator(3)
    for kind in (noise.OTHER, noise.PALE, noise.TURNED):
        spoilt, _ = noise.spoil(IMAGES, ALWAYS, stream, (kind,))
        rows, columns = box_of((spoilt[0] != IMAGES[0]).any(0))
        before, shown = (images[0][:, rows, columns] for images in (IMAGES, spoilt))
        if kind == noise.OTHER:
            assert torch.equal(shown, IMAGES[1][:, rows, columns])
        elif kind == noise.TURNED:
            assert torch.equal(shown, before.flip(1, 2))
        else:
            assert torch.allclose(shown.mean((1, 2)), before.mean((1, 2)), atol=1e-5)
            assert shown.std() < 0.4 * before.std()


def test_a_moved_box_stands_elsewhere_in_the_same_picture() -> None:
    spoilt, _ = noise.spoil(IMAGES, ALWAYS, generator(4), (noise.MOVED,))
    rows, columns = box_of((spoilt[0] != IMAGES[0]).any(0))
    corner = spoilt[0][:, rows.start, columns.start]
    assert (IMAGES[0] == corner[:, None, None]).all(0).sum() == 1


def test_the_share_is_kept_and_none_is_none() -> None:
    half = NoiseKnobs(share=0.5, largest=0.5)
    many = IMAGES.repeat(25, 1, 1, 1)
    spoilt, where = noise.spoil(many, half, generator(5))
    changed = (spoilt != many).flatten(1).any(1)
    assert changed.float().mean() == pytest.approx(0.5, abs=0.06)
    assert torch.equal(where.flatten(1).any(1), changed)
    spoilt, where = noise.spoil(IMAGES, NoiseKnobs(share=0.0, largest=0.5), generator(5))
    assert torch.equal(spoilt, IMAGES) and not where.any()


def test_pictures_of_one_colour_have_no_place_that_counts_as_spoilt() -> None:
    plain = torch.full((8, 3, 32, 32), 0.3)
    assert not noise.spoil(plain, ALWAYS, generator(6))[1].any()


def test_what_validates_is_never_learnt() -> None:
    assert not set(noise.TO_LEARN) & set(noise.TO_VALIDATE)
