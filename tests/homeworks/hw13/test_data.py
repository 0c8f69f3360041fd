"""Readers of homework 13: its own layout, where the given teacher is, ids that count from 0000."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring.core.errors import DataError, RecipeError
from mlspring.core.recipe import dump_recipe, flatten, load_recipe
from mlspring.core.source import Source, official
from mlspring.homeworks.hw13_compression import data
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.spec import SPEC
from tests.tiny.compression import write_food13
from tests.tiny.food import write_food11


def recipe(*overrides: str, size: int = 32) -> Recipe:
    path = SPEC.folder / "recipes" / "world" / "simple.toml"
    return load_recipe(Recipe, path, [f"data.image_size={size}", *overrides])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_food13(tmp_path / "data")


def test_labels_and_ids_come_from_names(folder: Path) -> None:
    loaded = data.load(official(folder), recipe())
    assert loaded.train_images.shape == (66, 32, 32, 3)
    assert np.bincount(loaded.train_labels).tolist() == [6] * 11
    assert loaded.test_ids == [f"{i:04d}" for i in range(11)]
    assert data.test_ids(official(folder)) == loaded.test_ids
    assert loaded.teacher is None


def test_the_official_recipes_cut_the_middle_as_the_sample_does(folder: Path) -> None:
    for level in SPEC.levels:
        path = SPEC.folder / "recipes" / "official" / f"{level}.toml"
        knobs = load_recipe(Recipe, path, ()).data
        assert (knobs.image_size, knobs.resize) == (224, 256)
    wide = Image.new("RGB", (300, 100), "white")
    wide.paste("black", (100, 0, 200, 100))
    wide.save(folder / "food11-hw13" / "training" / "0_0.jpg", quality=95)
    assert data.load(official(folder), recipe()).train_images[0].mean() > 120
    assert data.load(official(folder), recipe("data.resize=36")).train_images[0].max() < 20


def test_a_knob_that_is_left_out_is_not_shown() -> None:
    assert "data.resize" not in flatten(recipe())
    turned = recipe("data.resize=40")
    assert flatten(turned)["data.resize"] == 40
    assert "resize = 40" in dump_recipe(turned)


def test_homework_3_s_folder_serves_too(tmp_path: Path) -> None:
    folder = write_food11(tmp_path / "data")
    assert data.load(official(folder), recipe()).test_ids[0] == "0001"


def test_the_given_teacher_is_found(folder: Path) -> None:
    file = folder / "food11-hw13" / data.TEACHER
    file.write_bytes(b"x")
    assert data.load(official(folder), recipe()).teacher == file.resolve()


def test_another_layout_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder training/.*evaluation/"):
        data.load(official(tmp_path), recipe())


def test_the_fingerprint_follows_pictures_and_labels_only(folder: Path, tmp_path: Path) -> None:
    first = data.load(official(folder), recipe())
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert data.fingerprint(data.load(official(copy), recipe())) == data.fingerprint(first)
    shutil.rmtree(copy / "food11-hw13" / "evaluation")
    assert data.fingerprint(data.load(official(copy), recipe())) == data.fingerprint(first)
    (copy / "food11-hw13" / "training" / "3_0.jpg").rename(
        copy / "food11-hw13" / "training" / "3_99.jpg"
    )
    assert data.fingerprint(data.load(official(copy), recipe())) != data.fingerprint(first)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (tmp_path / "public").mkdir()
    (tmp_path / "private").mkdir()
    for name in ("train_images", "valid_images", "test_images"):
        np.save(tmp_path / "public" / f"{name}.npy", np.zeros((3, 64, 64, 3), np.uint8))
    for name in ("train_labels", "valid_labels"):
        np.save(tmp_path / "public" / f"{name}.npy", np.array([0, 1, 1]))
    rows = "Id,Category,Usage\n0001,3,Public\n0002,4,Private\n0003,5,Private\n"
    (tmp_path / "private" / "answers.csv").write_text(rows)
    return tmp_path


def test_the_world_s_test_pictures_count_from_0000(world: Path) -> None:
    source = Source(kind="world", folder=world / "public")
    assert data.load(source, recipe(size=64)).test_ids == ["0000", "0001", "0002"]
    assert data.test_ids(source) == ["0000", "0001", "0002"]


def test_the_world_has_one_size(world: Path) -> None:
    with pytest.raises(RecipeError, match=r"data\.image_size = 32, but the world is painted at 64"):
        data.load(Source(kind="world", folder=world / "public"), recipe())
    with pytest.raises(RecipeError, match=r"data\.resize = 80, but the world is painted"):
        data.load(Source(kind="world", folder=world / "public"), recipe("data.resize=80", size=64))


def test_a_world_is_written_in_the_layout(world: Path, tmp_path: Path) -> None:
    data.export(world, tmp_path / "out")
    found = sorted(p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.glob("out/*/*/*"))
    assert found == [
        *(f"food11-hw13/evaluation/000{i}.jpg" for i in range(3)),
        *(f"food11-hw13/training/{name}.jpg" for name in ("0_0", "1_0", "1_1")),
        *(f"food11-hw13/validation/{name}.jpg" for name in ("0_0", "1_0", "1_1")),
    ]
    shown = np.load(tmp_path / "out" / "test_images.npy")
    assert np.array_equal(shown, np.load(world / "public" / "test_images.npy")), "JPEG would not"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("student.channels=[64, 64, 64, 100]",),
            "student.channels make 135,043 parameters, at most 100,000",
        ),
        (("data.resize=31",), "data.resize = 31: input should be greater than or equal to 32"),
        (("data.resize=40", "data.image_size=64"), "data.resize = 40 is less than data.image_size"),
        (("student.channels=[1, 2]",), "plain has 4 groups of channels"),
        (("student.channels=[1, 2, 3, -4]",), "-4 channels, expected 1 to 4096"),
        (("student.start=teacher",), "needs student.name = 'residual'"),
        (("compress.keep=[1.5]",), "compress.keep = [1.5], expected falling shares between 0 and"),
        (("compress.keep=[1.0]",), "compress.keep = [1.0], expected falling shares"),
        (("compress.keep=[0.5, 0.0]",), "compress.keep = [0.5, 0.0], expected falling shares"),
        (("compress.keep=[0.5, 0.75]",), "compress.keep = [0.5, 0.75], expected falling shares"),
        (("compress.keep=[0.5, 0.5]",), "compress.keep = [0.5, 0.5], expected falling shares"),
        (("distill.temperature=0.0",), "distill.temperature"),
        (("distill.weight=1.5",), "distill.weight"),
        (("teacher.training=mine",), "teacher.training"),
    ],
)
def test_an_impossible_recipe_is_refused(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(RecipeError) as raised:
        recipe(*overrides)
    assert message in str(raised.value)
