"""The dish of a painted photo: exactly what was served and can still be seen."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring.worlds import food_photo
from mlspring.worlds.food import painter, tiny_food_world
from mlspring.worlds.food_masks import dish_mask, masks
from mlspring.worlds.food_photo import photo
from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import Spot
from mlspring.worlds.world import build

BREAD = 0


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.float64]]:
    """Let every dish be one square on the canvas's pixels 32 to 79; return where it was served."""
    places: list[NDArray[np.float64]] = []

    def square(canvas: Canvas, place: Spot) -> None:
        places.append(place.at)
        corners = np.array([[32, 32], [79, 32], [79, 79], [32, 79]])
        canvas.fill(corners, (200, 10, 10), 40.0, Material.PEEL)

    monkeypatch.setattr(food_photo, "DISHES", ((square,),) * 11)
    for nothing in ("_neighbour", "_garnish", "clutter"):
        monkeypatch.setattr(food_photo, nothing, lambda *_: None)
    monkeypatch.setattr(food_photo, "_side_dish", lambda _canvas, place, _label: place)
    return places


def test_a_painter_paints_the_world_s_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLSPRING_HOME", str(tmp_path))
    public = build(tiny_food_world(), processes=1) / "public"
    for split, rows in (("train", (0, 40)), ("valid", (0, 7, 21)), ("test", (3,))):
        images = np.load(public / f"{split}_images.npy", allow_pickle=False)
        for row in rows:
            rng, label = painter(split, row, scale=0.01)
            assert np.array_equal(photo(rng, label), images[row])
            if split != "test":
                assert np.load(public / f"{split}_labels.npy", allow_pickle=False)[row] == label


def test_the_mask_is_the_square_that_was_served(served: list[NDArray[np.float64]]) -> None:
    mask = dish_mask(np.random.default_rng(0), BREAD)
    expected = np.zeros((64, 64), bool)
    expected[16:40, 16:40] = True
    assert served
    assert np.array_equal(mask, expected)


def test_what_covers_the_dish_is_not_the_dish(
    served: list[NDArray[np.float64]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cover(canvas: Canvas, *_: object) -> None:
        corners = np.array([[0, 0], [127, 0], [127, 47], [0, 47]])
        canvas.fill(corners, (10, 10, 200), 60.0, Material.CHINA)

    monkeypatch.setattr(food_photo, "_garnish", cover)
    seen = [dish_mask(np.random.default_rng(number), BREAD) for number in range(20)]
    tops = {int(np.flatnonzero(mask.any(1))[0]) for mask in seen}
    assert tops == {16, 24}, "garnish lies on three dishes in ten"


def test_food_beside_the_dish_and_on_another_plate_is_not_the_dish(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(food_photo, "DISHES", ((lambda *_: None,), *food_photo.DISHES[1:]))
    masks_of_nothing = [dish_mask(np.random.default_rng(number), BREAD) for number in range(40)]
    assert not np.any(masks_of_nothing)


def test_looking_changes_no_picture() -> None:
    before = photo(*painter("valid", 5))
    assert masks([5]).shape == (1, 64, 64)
    assert np.array_equal(photo(*painter("valid", 5)), before)


def test_a_dish_is_a_part_of_its_picture_in_every_class() -> None:
    numbers = range(66)
    shares = masks(numbers).mean((1, 2))
    labels = {painter("valid", number)[1] for number in numbers}
    assert labels == set(range(11))
    assert shares.min() > 0.01 and shares.max() < 0.9
    assert 0.1 < shares.mean() < 0.5
