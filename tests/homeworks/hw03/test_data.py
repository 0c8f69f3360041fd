"""Readers of homework 3: Food-11's layout, its errors, and the world in the same shape."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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


def test_picture_and_label_stay_together(folder: Path) -> None:
    loaded = data.load(official(folder), recipe())
    means = [loaded.train_images[loaded.train_labels == c].mean() for c in (0, 10)]
    file = folder / "food11" / "training" / "10_3.jpg"
    row = sorted(p.name for p in file.parent.iterdir()).index(file.name)
    assert loaded.train_labels[row] == 10
    assert abs(loaded.train_images[row].mean() - means[1]) < abs(means[0] - means[1]) / 4


def test_an_unchanged_folder_is_decoded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = data.load(official(folder), recipe())
    monkeypatch.setattr(Image, "open", lambda *a, **k: pytest.fail("decoded again"))
    again = data.load(official(folder), recipe())
    assert np.array_equal(first.train_images, again.train_images)


def test_a_folder_inside_or_outside_food11_is_found(folder: Path) -> None:
    assert data.test_ids(official(folder / "food11")) == data.test_ids(official(folder))


def test_a_folder_without_test_part_still_loads(folder: Path) -> None:
    shutil.rmtree(folder / "food11" / "test")
    loaded = data.load(official(folder), recipe())
    assert loaded.test_ids == []
    assert len(loaded.test_images) == 0


def test_grey_and_cmyk_pictures_become_rgb(folder: Path) -> None:
    file = folder / "food11" / "training" / "0_0.jpg"
    Image.open(file).convert("CMYK").save(file)
    Image.open(file).convert("L").save(file.with_name("1_0.jpg"))
    loaded = data.load(official(folder), recipe())
    assert loaded.train_images.shape == (66, 32, 32, 3)


@pytest.mark.parametrize(
    "name", ["11_0.jpg", "x_0.jpg", "-1_0.jpg", "12.jpg", "_3.jpg", "1٣_0.jpg"]
)
def test_a_bad_label_names_the_file(folder: Path, name: str) -> None:
    part = folder / "food11" / "training"
    (part / "0_0.jpg").rename(part / name)
    with pytest.raises(DataError, match=rf"{name}: has no label 0\.\.10"):
        data.load(official(folder), recipe())


@pytest.mark.parametrize("content", [b"", b"no picture", "half"])
def test_a_broken_picture_names_the_file(folder: Path, content: bytes | str) -> None:
    file = folder / "food11" / "validation" / "3_1.jpg"
    file.write_bytes(file.read_bytes()[:400] if isinstance(content, str) else content)
    with pytest.raises(DataError, match=r"3_1\.jpg"):
        data.load(official(folder), recipe())


def test_a_doubled_id_is_refused(folder: Path) -> None:
    file = folder / "food11" / "test" / "0003.jpg"
    shutil.copy(file, file.with_suffix(".png"))
    with pytest.raises(DataError, match=r"0003\.png: has the id of 0003\.jpg"):
        data.test_ids(official(folder))


def test_a_foreign_file_is_refused_and_a_hidden_one_passed_over(folder: Path) -> None:
    (folder / "food11" / "training" / "._0_0.jpg").write_bytes(b"resource fork")
    assert len(data.load(official(folder), recipe()).train_labels) == 66
    (folder / "food11" / "training" / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"notes\.txt: is no picture"):
        data.load(official(folder), recipe())


def test_another_layout_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder training/.*Food-11's layout"):
        data.load(official(tmp_path), recipe())


@pytest.mark.parametrize(
    ("method", "closed", "message"),
    [
        ("stat", "food11/training", r"food11: the folder cannot be read\n  -> chmod -R u\+rX"),
        ("iterdir", "food11/training", r"training: the folder cannot be read\n  -> chmod -R u\+rX"),
        ("stat", "food11/training/3_1.jpg", r"3_1\.jpg: cannot be read \(Permission denied\)"),
    ],
)
def test_what_may_not_be_read_or_entered_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, method: str, closed: str, message: str
) -> None:
    """As the system refuses: food11/ without x, training/ without r, training/ without x."""
    original = getattr(Path, method)

    def refuse(self: Path, *arguments: object, **options: object) -> object:
        if self == folder / closed:
            raise PermissionError(13, "Permission denied")
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(DataError, match=message):
        data.load(official(folder), recipe())


def test_a_file_in_the_place_of_a_part_is_named(folder: Path) -> None:
    shutil.rmtree(folder / "food11" / "validation")
    (folder / "food11" / "validation").write_text("x")
    with pytest.raises(DataError, match="validation: is a file; expected a folder of pictures"):
        data.load(official(folder), recipe())


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
