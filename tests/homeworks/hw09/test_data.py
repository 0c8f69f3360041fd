"""Which pictures are explained, from each layout, and what is told where some are missing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring.core.errors import DataError, RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.source import Source, official
from mlspring.homeworks.hw09_explain import data as part
from mlspring.homeworks.hw09_explain import network
from mlspring.homeworks.hw09_explain.recipe import Recipe
from mlspring.homeworks.hw09_explain.spec import SPEC
from mlspring.worlds.food import painter, tiny_food_world
from mlspring.worlds.food_masks import dish_mask
from mlspring.worlds.world import build
from tests.tiny.explained import SMALL
from tests.tiny.food import square, write_food11


def recipe(*more: str) -> Recipe:
    return load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "all.toml", [*SMALL, *more])


def test_pictures_are_taken_class_by_class_and_then_the_second_of_each() -> None:
    labels = np.array([2, 0, 2, 1, 0, 0, 1])
    assert part.turn_by_turn(labels, 1).tolist() == [1, 3, 0]
    assert part.turn_by_turn(labels, 2).tolist() == [1, 3, 0, 4, 6, 2]
    assert part.turn_by_turn(labels, 9).tolist() == [1, 3, 0, 4, 6, 2, 5]


def test_a_food_11_folder_is_trained_on_and_explained(tmp_path: Path) -> None:
    found = part.load(official(write_food11(tmp_path)), recipe())
    assert found.labels.tolist() == list(range(11))
    assert found.images.shape == (11, 32, 32, 3)
    assert found.masks is None and found.checkpoint is None
    assert len(found.pictures.train_images) == 66
    network.demand_training_pictures(found)
    assert part.describe(found)["the dish's pixels"] == "not known"
    assert list(part.contact_sheet(found))[:2] == ["explained", "bread"]


@pytest.mark.parametrize("inside", ["", "food"])
def test_the_course_s_own_folder_is_ordered_by_class_and_number(
    inside: str, tmp_path: Path
) -> None:
    folder = tmp_path / inside
    folder.mkdir(exist_ok=True)
    for label, number in ((3, 0), (0, 10), (0, 2), (10, 1)):
        square(label, number).save(folder / f"{label}_{number}.jpg")
    if not inside:
        (tmp_path / "checkpoint.pth").unlink(missing_ok=True)
    found = part.load(official(tmp_path), recipe("explain.pictures=5"))
    assert found.pictures.valid_labels.tolist() == [0, 0, 3, 10]
    second = np.asarray(square(0, 2).convert("RGB"), np.int64)
    assert np.abs(found.pictures.valid_images[0].astype(np.int64) - second).mean() < 12
    assert found.labels.tolist() == [0, 3, 10, 0]
    with pytest.raises(DataError, match="no training pictures") as told:
        network.demand_training_pictures(found)
    assert "network.file" in str(told.value)


def test_the_course_s_checkpoint_beside_the_pictures_is_found(tmp_path: Path) -> None:
    (tmp_path / "food").mkdir()
    square(0, 0).save(tmp_path / "food" / "0_0.jpg")
    (tmp_path / "checkpoint.pth").write_bytes(b"x")
    found = part.load(official(tmp_path), recipe())
    assert found.checkpoint is not None and found.checkpoint.name == "checkpoint.pth"
    named = recipe("network.file=checkpoint.pth")
    assert network.given_file(named, found) == found.checkpoint
    with pytest.raises(DataError, match="there is no such file"):
        network.given_file(recipe("network.file=other.pth"), found)


@pytest.mark.parametrize("name", ["bread.jpg", "11_0.jpg", "x_1.jpg"])
def test_a_name_without_a_class_is_told(name: str, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / name)
    with pytest.raises(DataError, match=name.partition(".")[0]):
        part.load(official(tmp_path), recipe())


def test_the_world_knows_its_dishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSPRING_HOME", str(tmp_path))
    public = build(tiny_food_world(), processes=1) / "public"
    source = Source(kind="world", folder=public)
    with pytest.raises(RecipeError, match="painted at 64"):
        part.load(source, recipe())
    found = part.load(source, recipe("data.image_size=64"))
    assert found.masks is not None
    assert found.masks.shape == (11, 64, 64)
    rng, _ = painter("valid", int(found.rows[3]))
    # The masks are of the world in full size; the tiny one has other pictures in these rows.
    assert np.array_equal(found.masks[3], dish_mask(rng, painter("valid", int(found.rows[3]))[1]))
    assert "their dishes" in part.contact_sheet(found)
