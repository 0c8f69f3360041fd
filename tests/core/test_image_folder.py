"""Folders of pictures as people have them: where they are found, what is said of others."""

from pathlib import Path

import pytest

from mlspring.core.errors import DataError
from mlspring.core.image_folder import (
    entries,
    find,
    folders,
    label_of,
    labelled_pictures,
    pictures,
    pictures_to_predict,
    unambiguous,
)

CLASSES = ("Bread", "Dairy", "Egg")


def make(folder: Path, *names: str) -> Path:
    """Make empty files, and folders where a name ends with a slash."""
    for name in names:
        path = folder / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()
    return folder


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


# ---- where it lies


@pytest.mark.parametrize("above", ["", "food11/", "archive/food11/"])
def test_a_part_is_found_up_to_two_folders_below(above: str, tmp_path: Path) -> None:
    make(tmp_path, f"{above}training/0_1.jpg")
    assert find(tmp_path, "training") == tmp_path / above / "training"


def test_deeper_folders_are_not_searched(tmp_path: Path) -> None:
    make(tmp_path, "a/b/c/training/")
    assert find(tmp_path, "training") is None


def test_the_nearest_counts_and_of_one_folder_the_earlier_name(tmp_path: Path) -> None:
    make(tmp_path, "a/train/", "a/training/", "a/b/training/")
    assert find(tmp_path, "training", "train") == tmp_path / "a" / "training"
    assert find(tmp_path, "train", "training") == tmp_path / "a" / "train"


def test_two_that_are_equally_near_are_both_named(tmp_path: Path) -> None:
    make(tmp_path, "a/training/", "b/training/")
    with pytest.raises(DataError, match=r"holds a.training and b.training") as told:
        find(tmp_path, "training")
    assert str(tmp_path / "a") in str(told.value.fix)


# ---- what it holds


def test_what_a_system_leaves_is_passed_over_and_the_rest_is_sorted(tmp_path: Path) -> None:
    make(tmp_path, "b.jpg", "a.PNG", "Thumbs.db", ".DS_Store", "10.jpg", "inner/", "odd.JPG/")
    assert names(entries(tmp_path)) == ["10.jpg", "a.PNG", "b.jpg", "inner", "odd.JPG"]
    assert names(folders(tmp_path)) == ["inner"], "a folder called like a picture is no part"


def test_only_pictures_and_at_least_one(tmp_path: Path) -> None:
    assert names(pictures(make(tmp_path / "a", "2.JPG", "1.png"), "0.jpg")) == ["1.png", "2.JPG"]
    with pytest.raises(DataError, match=r"notes\.txt: is no picture"):
        pictures(make(tmp_path / "b", "1.png", "notes.txt"), "0.jpg")
    with pytest.raises(DataError, match="holds no picture"):
        pictures(make(tmp_path / "c", "Thumbs.db"), "0.jpg")
    for missing, said in ((tmp_path / "d", "is missing"), (tmp_path / "a" / "1.png", "is a file")):
        with pytest.raises(DataError, match=said):
            pictures(missing, "0.jpg")


def test_two_pictures_of_one_id_are_both_named(tmp_path: Path) -> None:
    files = pictures(make(tmp_path, "1.jpg", "1.png", "2.jpg"), "0.jpg")
    with pytest.raises(DataError, match=r"1\.png: has the id of 1\.jpg"):
        unambiguous(files, lambda file: file.stem)
    assert unambiguous(files[1:], lambda file: file.stem) == files[1:]


def test_pictures_to_predict_may_lie_in_one_folder_of_their_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = make(tmp_path / "plain", "test/1.jpg", "test/2.jpg")
    nested = make(tmp_path / "nested", "test/unknown/1.jpg", "test/unknown/2.jpg")
    for folder in (plain, nested):
        assert names(list(pictures_to_predict(folder, "test"))) == ["1.jpg", "2.jpg"]
    assert capsys.readouterr().err == ""
    with pytest.raises(DataError, match="is no picture"):
        pictures_to_predict(make(tmp_path / "two", "test/a/1.jpg", "test/b/2.jpg"), "test")
    assert pictures_to_predict(make(tmp_path / "none", "training/"), "test") == []
    assert "no folder test/, so nothing can be handed in" in capsys.readouterr().err


# ---- classes


@pytest.mark.parametrize(
    ("name", "label"), [("0_1.jpg", 0), ("2_any.thing_x.png", 2), ("02_1.jpg", 2)]
)
def test_a_label_stands_before_the_first_underscore(name: str, label: int) -> None:
    assert label_of(Path(name), 3, "0_1.jpg") == label


@pytest.mark.parametrize(
    "name", ["3_1.jpg", "1.jpg", "-1_1.jpg", "_1.jpg", "a_1.jpg", "²_1.jpg", "٢_1.jpg", "1.0_1.jpg"]
)
def test_a_name_without_a_label_is_told(name: str) -> None:
    with pytest.raises(DataError, match=r"has no label 0\.\.2 before an underscore"):
        label_of(Path(name), 3, "0_1.jpg")


def test_a_label_of_very_many_digits_is_no_number() -> None:
    with pytest.raises(DataError, match="has no label"):
        label_of(Path("0" * 100_000 + "1_1.jpg"), 3, "0_1.jpg")


def test_both_layouts_give_pictures_and_classes(tmp_path: Path) -> None:
    flat = make(tmp_path / "flat", "1_0.jpg", "0_7.jpg", "2_0.jpg")
    files, labels = labelled_pictures(flat, CLASSES, "0_1.jpg")
    assert (names(files), labels) == (["0_7.jpg", "1_0.jpg", "2_0.jpg"], [0, 1, 2])
    mixed = make(tmp_path / "mixed", "0/5.jpg", "dairy/8.jpg", "dairy/3.jpg", "EGG/1.jpg")
    files, labels = labelled_pictures(mixed, CLASSES, "0_1.jpg")
    found = dict(zip(names(files), labels, strict=True))
    assert found == {"5.jpg": 0, "3.jpg": 1, "8.jpg": 1, "1.jpg": 2}


@pytest.mark.parametrize("name", ["3", "Fruit", "-1"])
def test_a_folder_of_no_class_is_told(name: str, tmp_path: Path) -> None:
    make(tmp_path, "0/1.jpg", f"{name}/1.jpg")
    with pytest.raises(DataError, match=f"{name}: is no class"):
        labelled_pictures(tmp_path, CLASSES, "0_1.jpg")
