"""How homework 11 shows both domains to a network: views of photos and random changes."""

import pytest
import torch

from mlspring.homeworks.hw11_adaptation import transform
from mlspring.kit.seeding import generator
from tests.tiny.random_domains import recipe


def test_views_are_computed_alike_whatever_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = torch.randint(0, 256, (10, 32, 32, 3), generator=generator(1), dtype=torch.uint8)
    knobs = recipe('data.views=["grey", "sobel", "canny", "contour", "object", "shape"]').data
    whole = transform.views(photos, knobs)
    monkeypatch.setattr(transform, "CHUNK", 3)
    assert torch.equal(transform.views(photos, knobs), whole)
    assert whole.shape == (6, 10, 32, 32)
    assert whole.dtype == torch.uint8
    assert set(whole[2:4].unique().tolist()) <= {0, 255}
    assert whole[3].sum() < whole[2].sum()  # noise has no contours


@pytest.mark.parametrize("sketchy", ["true", "false"])
def test_a_shard_is_changed_as_in_the_whole_batch(sketchy: str) -> None:
    pixels = torch.randint(0, 256, (12, 32, 32), generator=generator(1), dtype=torch.uint8)
    knobs = recipe(f"augment.sketchy={sketchy}", "augment.erase=0.5", "augment.shift=0.2").augment
    whole = transform.vary(pixels, knobs, generator(5))
    part = transform.vary(pixels, knobs, generator(5), slice(4, 9))
    torch.testing.assert_close(part, whole[4:9])


def test_every_picture_is_changed_in_its_own_way() -> None:
    picture = torch.zeros(32, 32, dtype=torch.uint8)
    picture[6:11, 4:28] = 255
    shown = transform.vary(picture.repeat(40, 1, 1), recipe().augment, generator(2))
    assert len(shown.flatten(1).unique(dim=0)) == 40
    mirrored = shown[:, 0, 6:11, :].sum((1, 2)) > 0
    assert mirrored.all()  # a turn by 15 degrees at most leaves the bar where it is


def test_what_a_sketch_shows_beyond_its_edge_is_black() -> None:
    white = torch.full((200, 32, 32), 255, dtype=torch.uint8)
    plain = transform.vary(white, recipe("augment.shift=0.3").augment, generator(0))
    sketchy = ("augment.shift=0.3", "augment.sketchy=true")
    black = transform.vary(white, recipe(*sketchy).augment, generator(0))
    assert plain.min() > 0.999  # mirrored there
    assert 0.1 < (black.amin((1, 2, 3)) == 0).double().mean() <= 1
    assert black.amax((1, 2, 3)).min() == 1


def test_erased_boxes_are_black_and_as_frequent_as_the_recipe_says() -> None:
    white = torch.full((1000, 32, 32), 255, dtype=torch.uint8)
    shown = transform.vary(white, recipe("augment.erase=0.4").augment, generator(3))
    hit = shown.amin((1, 2, 3)) == 0
    assert 0.35 < hit.double().mean() < 0.45
    erased = (shown[hit] == 0).double().mean().item()
    assert erased == pytest.approx((0.03 + 0.2) / 2, abs=0.01)  # the mean of the range of sizes


def test_a_sketch_may_shrink() -> None:
    """A bright picture that shrinks to 1 / 1.3 of its side leaves a black frame."""
    white = torch.full((300, 32, 32), 255, dtype=torch.uint8)
    knobs = recipe("augment.sketchy=true", "augment.shift=0", "augment.zoom_min=1").augment
    areas = transform.vary(white, knobs, generator(0)).mean((1, 2, 3))
    assert areas.min() == pytest.approx(1 / 1.3**2, abs=0.04)
    assert areas.max() > 0.9
