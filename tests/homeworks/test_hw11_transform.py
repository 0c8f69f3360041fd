"""How homework 11 shows both domains to a network: views of photos and random changes."""

import math

import pytest
import torch

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw11_adaptation import transform
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.homeworks.hw11_adaptation.spec import SPEC
from mlspring.kit.seeding import generator


def recipe(*overrides: str) -> Recipe:
    path = SPEC.folder / "recipes" / "world" / "simple.toml"
    return load_recipe(Recipe, path, ["model.width=4", *overrides])


def test_thick_lines_are_two_pixels_wide_and_no_others() -> None:
    picture = torch.zeros(2, 5, 5, dtype=torch.uint8)
    picture[:, 2, 1:4] = 255
    thick = torch.tensor([True, False])
    changed = transform.vary(picture, transform.Draws(thick=thick))
    assert changed[0, 0].nonzero().tolist() == [[y, x] for y in (2, 3) for x in (1, 2, 3, 4)]
    assert torch.equal(changed[1:], transform.to_input(picture[1:]))
    drawn = transform.draw(recipe("augment.thick=0.3").augment, 1000, generator(0))
    assert 250 < drawn.thick.sum() < 350
    assert torch.equal(drawn[10:20].thick, drawn.thick[10:20])
    assert transform.draw(recipe().augment, 8, generator(0)).thick is None


def test_a_frame_leaves_an_oval_or_everything() -> None:
    white = torch.full((3, 40, 40), 255, dtype=torch.uint8)
    ovals = torch.tensor([[0.5, 1.0], [0.8, 0.8], [2.0, 2.0]])
    found = transform.vary(white, transform.Draws(ovals=ovals))[:, 0]
    assert set(found.unique().tolist()) == {0.0, 1.0}
    assert found[0].mean() == pytest.approx(math.pi / 4 * 0.5, abs=0.01)  # narrow and high
    assert found[0, 20].sum() == 20
    assert found[0, :, 20].sum() > 36
    assert found[1].mean() == pytest.approx(math.pi / 4 * 0.64, abs=0.01)
    assert found[2].min() == 1
    drawn = transform.draw(recipe("augment.frame=0.5").augment, 1000, generator(0)).ovals
    assert 0.4 < (drawn[:, 0] == 2).float().mean() < 0.6
    low, high = transform.OVAL
    assert torch.all((drawn == 2) | ((drawn >= low) & (drawn < high)))


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


def test_cut_ends_are_black_and_white_and_the_rest_is_spread() -> None:
    picture = torch.tensor([0, 51, 102, 204, 255], dtype=torch.uint8).repeat(2, 5, 1)
    ends = torch.tensor([[0.2, 0.4], [0.0, 0.0]])  # 0.2 becomes 0, 0.6 becomes 1
    found = transform.vary(picture, transform.Draws(ends=ends))[:, 0]
    torch.testing.assert_close(found[0, 0], torch.tensor([0.0, 0.0, 0.5, 1.0, 1.0]))
    torch.testing.assert_close(found[1:], transform.to_input(picture[1:])[:, 0])
    drawn = transform.draw(recipe("augment.contrast=0.3").augment, 1000, generator(0)).ends
    assert drawn.shape == (1000, 2)
    assert 0 <= drawn.min() < 0.01
    assert 0.29 < drawn.max() < 0.3
    assert transform.draw(recipe().augment, 8, generator(0)).ends is None


def test_beyond_a_picture_is_a_mirror_or_the_dark() -> None:
    picture = torch.full((1, 8, 8), 255, dtype=torch.uint8)
    far = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])  # twice the window
    mirrored = transform.vary(picture, transform.Draws(maps=far))
    dark = transform.vary(picture, transform.Draws(maps=far, dark=True))
    assert mirrored.min() == 1
    assert dark.mean() == pytest.approx(1 / 4)
    assert dark[0, 0, 2:6, 2:6].min() == 1
    drawn = [
        transform.draw(recipe(*k).augment, 8, generator(0)) for k in ((), ("augment.beyond=dark",))
    ]
    assert [draws.dark for draws in drawn] == [False, True]
    assert drawn[1][2:4].dark


def test_a_crop_may_be_larger_than_the_picture() -> None:
    knobs = recipe("augment.zoom_max=1.5", "augment.flip=0", "augment.rotate=0").augment
    sides = transform.draw(knobs, 1000, generator(0)).maps[:, 0, 0]
    assert 1.0 <= sides.min() < 1.01
    assert 1.49 < sides.max() <= 1.5


def test_clutter_is_a_photo_s_border_over_a_drawing() -> None:
    photos = torch.zeros(3, 8, 8, dtype=torch.uint8)
    photos[:, 3:5, 3:5] = 255  # an object in the centre
    drawings = torch.zeros(3, 1, 8, 8)
    drawings[:, :, 4] = 0.6
    found = transform.cluttered(drawings, photos, torch.tensor([0.0, 0.5, 1.0]))
    assert torch.equal(found[0], drawings[0])
    assert found[1, 0, 0, 0] == 0.5  # the object came to the corners
    assert found[2, 0, 7, 7] == 1
    assert torch.equal(found[:, :, 4], drawings[:, :, 4])
    strength = transform.draw_clutter(0.3, 2000, generator(0))
    assert 0.25 < (strength > 0).float().mean() < 0.35
    assert strength.max() < 1


def test_contrast_leaves_the_other_choices_as_they_are() -> None:
    plain = transform.draw(recipe("augment.erase=0.5").augment, 8, generator(0))
    more = transform.draw(
        recipe("augment.erase=0.5", "augment.contrast=0.3").augment, 8, generator(0)
    )
    assert torch.equal(plain.maps, more.maps)
    assert torch.equal(plain.holes, more.holes)
