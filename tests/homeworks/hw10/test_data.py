"""Layouts: the course's, with what networks learn from beside it; the world and its export."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError
from mlspring.core.recipe import load_recipe
from mlspring.core.source import Source, official
from mlspring.homeworks.hw10_attack import data
from mlspring.homeworks.hw10_attack.recipe import Recipe
from mlspring.worlds.targets.pictures import benign_ids, tiny_targets_world
from mlspring.worlds.world import build
from tests.tiny.attack import CLASS_NAMES, benign, ids, png, write_targets

FILE = Path(data.__file__).parent / "recipes" / "world" / "simple.toml"
RECIPE = load_recipe(Recipe, FILE, ["networks.source=trained"])


def load(folder: Path, recipe: Recipe = RECIPE) -> data.Data:
    return data.load(official(folder), recipe)


def test_the_course_s_layout_is_read_in_natural_order(tmp_path: Path) -> None:
    folder = write_targets(tmp_path / "given", num=11)
    found = load(folder)
    assert found.test_ids == ids(11) == data.test_ids(official(folder))
    assert found.test_ids[9:11] == ["thinga/thinga10.png", "thinga/thinga11.png"]
    assert np.array_equal(found.test_images, benign(11))
    assert found.labels.tolist() == np.repeat(np.arange(10), 11).tolist()
    assert len(found.train_labels) == 90 and len(found.valid_labels) == 10
    assert np.bincount(found.valid_labels).tolist() == [1] * 10
    assert not found.is_painted


def test_the_class_folders_may_be_given_themselves(tmp_path: Path) -> None:
    folder = write_targets(tmp_path / "given")
    found = load(folder / "data")
    assert found.test_ids == ids()
    assert len(found.train_images) == 0, "what lies beside is not looked for"


def test_training_pictures_may_come_as_a_zip_which_is_unpacked_once(
    tmp_path: Path, isolated_home: Path
) -> None:
    folder = write_targets(tmp_path / "given")
    with zipfile.ZipFile(folder / "zip", "w") as packed:
        for file in sorted((folder / "training").rglob("*.png")):
            packed.write(file, Path("train") / file.relative_to(folder / "training"))
    expected = load(folder)
    (folder / "training").rename(tmp_path / "away")
    (folder / "cifar10").mkdir()
    (folder / "zip").rename(folder / "cifar10" / "some.zip")
    for _ in range(2):
        found = load(folder)
        assert np.array_equal(found.train_images, expected.train_images)
        assert np.array_equal(found.valid_labels, expected.valid_labels)
    assert len(list((isolated_home / "unpacked").glob("[!.]*"))) == 1


def test_shipped_networks_need_no_pictures_to_learn_from(tmp_path: Path) -> None:
    folder = write_targets(tmp_path / "given")
    (folder / "training" / CLASS_NAMES[0] / "0000.png").write_bytes(b"no picture")
    found = load(folder, load_recipe(Recipe, FILE))
    assert found.test_ids == ids() and len(found.train_labels) == len(found.valid_labels) == 0
    with pytest.raises(DataError, match=r"0000\.png"):
        load(folder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data/thingc/notes.txt", b"x", "notes.txt: is no benign picture; expected names like"),
        ("data/thingc/thingc02.png", None, "thingc02.png: is no benign picture"),
        ("data/thingc/thingd3.png", None, "thingd3.png: is no benign picture"),
        ("data/thingc/thingc1.png", b"GIF89a", "thingc1.png: is no PNG"),
        ("data/thingc/thingc1.png", png(np.zeros((16, 32, 3), np.uint8)), "has 32 x 16 pixels"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    folder = write_targets(tmp_path / "given")
    (folder / name).write_bytes(png(benign()[0]) if content is None else content)
    with pytest.raises(DataError) as raised:
        load(folder)
    assert said in str(raised.value)


def test_missing_classes_are_told(tmp_path: Path) -> None:
    folder = write_targets(tmp_path / "given")
    (folder / "data" / CLASS_NAMES[4]).rename(tmp_path / "away")
    with pytest.raises(DataError, match="has 9 classes of benign pictures; expected ten folders"):
        load(folder)
    with pytest.raises(DataError, match=r"(?s)has no benign pictures.*mlspring fetch hw10"):
        load(folder / "training")


def test_what_systems_leave_in_folders_is_passed_over(tmp_path: Path) -> None:
    folder = write_targets(tmp_path / "given")
    for name in ("data/.DS_Store", "data/thinga/Thumbs.db", "data/thinga/._thinga1.png"):
        (folder / name).write_bytes(b"x")
    assert load(folder).test_ids == ids()


def test_an_exported_world_reads_back_as_itself(tmp_path: Path) -> None:
    place = build(tiny_targets_world(), processes=1)
    own = data.load(Source(kind="world", folder=place / "public"), RECIPE)
    data.export(place, tmp_path / "out")
    back = load(tmp_path / "out")
    assert own.test_ids == back.test_ids == benign_ids(2)
    assert np.array_equal(own.test_images, back.test_images)
    assert np.array_equal(own.labels, back.labels)
    assert own.class_names == back.class_names
    every = {image.tobytes() for image in (*own.train_images, *own.valid_images)}
    assert {image.tobytes() for image in (*back.train_images, *back.valid_images)} == every
    assert own.is_painted and back.is_painted, "the shipped networks know what was written out"
    assert np.array_equal(np.load(tmp_path / "out" / "benign_images.npy"), own.test_images)


def test_the_card_and_the_sheet_show_the_benign_pictures(tmp_path: Path) -> None:
    found = load(write_targets(tmp_path / "given"))
    assert data.describe(found)["benign pictures"] == "20, 32 x 32 RGB"
    sheet = data.contact_sheet(found)
    assert list(sheet) == list(CLASS_NAMES)
    assert np.array_equal(sheet["thingb"], benign()[2:4])


def test_the_course_s_own_pictures(real_data: Path) -> None:
    folder = real_data / "hw10" / "data"
    if not folder.is_dir():
        pytest.skip("no official pictures of hw10 here")
    found = load(folder)
    assert len(found.test_ids) == 200
    assert found.class_names[:3] == ("airplane", "automobile", "bird")
    assert found.test_ids[:2] == ["airplane/airplane1.png", "airplane/airplane2.png"]
    assert found.test_images.std() > 40
