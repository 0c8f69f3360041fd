"""Readers of homework 3: Food-11's layout, real photos, and the world in the same shape."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError, RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.source import official
from mlspring.homeworks.hw03_food_cnn import data
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.homeworks.hw03_food_cnn.spec import SPEC
from tests.tiny.food import write_food11


def recipe(size: int = 32) -> Recipe:
    path = SPEC.folder / "recipes" / "world" / "simple.toml"
    return load_recipe(Recipe, path, [f"data.image_size={size}"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_food11(tmp_path / "data")


def test_labels_and_ids_come_from_names(folder: Path) -> None:
    loaded = data.load(official(folder), recipe())
    assert loaded.train_images.shape == (66, 32, 32, 3)
    assert loaded.train_images.dtype == np.uint8
    assert np.bincount(loaded.train_labels).tolist() == [6] * 11
    assert loaded.test_ids == [f"{i:04d}" for i in range(1, 12)]
    assert data.test_ids(official(folder)) == loaded.test_ids


def test_another_layout_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)no folder training/.*mlspring fetch hw03"):
        data.load(official(tmp_path), recipe())


def test_real_photos_are_read(real_data: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(real_data / "hw03" / "grocery11.zip", tmp_path)
    loaded = data.load(official(tmp_path), recipe(64))
    assert np.bincount(loaded.train_labels).tolist() == [
        278, 247, 181, 182, 154, 112, 127, 116, 75, 70, 57,
    ]  # fmt: skip
    assert loaded.valid_images.shape == (165, 64, 64, 3)


def test_the_world_has_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("train_images", "valid_images", "test_images"):
        np.save(tmp_path / f"{name}.npy", np.zeros((3, 64, 64, 3), np.uint8))
    for name in ("train_labels", "valid_labels"):
        np.save(tmp_path / f"{name}.npy", np.zeros(3, np.int64))
    source = data.Source(kind="world", folder=tmp_path)
    assert data.load(source, recipe(64)).test_ids == ["0001", "0002", "0003"]
    with pytest.raises(RecipeError, match=r"data\.image_size = 32, but the world is painted at 64"):
        data.load(source, recipe(32))
