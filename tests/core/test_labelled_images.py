"""Labelled pictures in three parts: read from folders as people have them, written from worlds."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring.core import labelled_images
from mlspring.core.errors import DataError, RecipeError
from mlspring.core.labelled_images import LabelledImages, Layout
from mlspring.core.source import Source, official
from tests.tiny.food import write_food11

NAMES = tuple(f"food {number}" for number in range(11))
LAYOUT = Layout(
    homework="hw03",
    folder="food11",
    test=("test", "evaluation"),
    first_id=1,
    class_names=NAMES,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_food11(tmp_path / "data")


def load(folder: Path, size: int = 32, resize: int | None = None) -> LabelledImages:
    return labelled_images.load(official(folder), LAYOUT, size, resize)


def ids(folder: Path) -> list[str]:
    return labelled_images.test_ids(official(folder), LAYOUT)


def test_labels_and_ids_come_from_names(folder: Path) -> None:
    loaded = load(folder)
    assert loaded.train_images.shape == (66, 32, 32, 3)
    assert loaded.valid_images.shape == (22, 32, 32, 3)
    assert loaded.train_images.dtype == np.uint8
    assert np.bincount(loaded.train_labels).tolist() == [6] * 11
    assert np.bincount(loaded.valid_labels).tolist() == [2] * 11
    assert loaded.test_ids == ids(folder) == [f"{i:04d}" for i in range(1, 12)]
    assert isinstance(loaded.valid_images, np.memmap)


@pytest.mark.parametrize("by_name", [False, True])
def test_the_same_pictures_in_a_folder_for_each_class_are_read(folder: Path, by_name: bool) -> None:
    before = load(folder)
    for part, other in (("training", "train"), ("validation", "val"), ("test", "evaluation")):
        (folder / "food11" / part).rename(folder / "food11" / other)
        if other == "evaluation":
            continue
        for file in sorted((folder / "food11" / other).iterdir()):
            label = int(file.name.partition("_")[0])
            target = file.parent / (NAMES[label].upper() if by_name else str(label))
            target.mkdir(exist_ok=True)
            file.rename(target / file.name)
    after = load(folder)
    for label in range(11):
        mine, theirs = (x.train_images[x.train_labels == label] for x in (before, after))
        assert np.array_equal(mine, theirs)
    assert np.array_equal(before.test_images, after.test_images)


def test_picture_and_label_stay_together(folder: Path) -> None:
    loaded = load(folder)
    means = [loaded.train_images[loaded.train_labels == c].mean() for c in (0, 10)]
    file = folder / "food11" / "training" / "10_3.jpg"
    row = sorted(p.name for p in file.parent.iterdir()).index(file.name)
    assert loaded.train_labels[row] == 10
    assert abs(loaded.train_images[row].mean() - means[1]) < abs(means[0] - means[1]) / 4


def test_an_unchanged_folder_is_decoded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(folder)
    monkeypatch.setattr(Image, "open", lambda *a, **k: pytest.fail("decoded again"))
    again = load(folder)
    assert np.array_equal(first.train_images, again.train_images)


def test_a_folder_inside_or_outside_food11_is_found(folder: Path) -> None:
    assert ids(folder / "food11") == ids(folder)


def test_a_folder_without_test_part_still_loads(folder: Path) -> None:
    shutil.rmtree(folder / "food11" / "test")
    loaded = load(folder)
    assert loaded.test_ids == []
    assert len(loaded.test_images) == 0


def test_grey_and_cmyk_pictures_become_rgb(folder: Path) -> None:
    file = folder / "food11" / "training" / "0_0.jpg"
    Image.open(file).convert("CMYK").save(file)
    Image.open(file).convert("L").save(file.with_name("1_0.jpg"))
    loaded = load(folder)
    assert loaded.train_images.shape == (66, 32, 32, 3)


@pytest.mark.parametrize("part", ["training", "validation"])
@pytest.mark.parametrize(
    "name", ["11_0.jpg", "x_0.jpg", "-1_0.jpg", "12.jpg", "_3.jpg", "1٣_0.jpg"]
)
def test_a_bad_label_names_the_file(folder: Path, name: str, part: str) -> None:
    file = folder / "food11" / part / "0_0.jpg"
    file.rename(file.with_name(name))
    with pytest.raises(DataError, match=rf"{name}: has no label 0\.\.10"):
        load(folder)


@pytest.mark.parametrize("name", ["validation/3_1.jpg", "test/0003.jpg"])
@pytest.mark.parametrize("content", [b"", b"no picture", "half"])
def test_a_broken_picture_names_the_file(folder: Path, name: str, content: bytes | str) -> None:
    file = folder / "food11" / name
    file.write_bytes(file.read_bytes()[:400] if isinstance(content, str) else content)
    with pytest.raises(DataError, match=file.name):
        load(folder)


def test_a_doubled_id_is_refused(folder: Path) -> None:
    file = folder / "food11" / "test" / "0003.jpg"
    shutil.copy(file, file.with_suffix(".png"))
    with pytest.raises(DataError, match=r"0003\.png: has the id of 0003\.jpg"):
        ids(folder)


def test_a_foreign_file_is_refused_and_a_hidden_one_passed_over(folder: Path) -> None:
    (folder / "food11" / "training" / "._0_0.jpg").write_bytes(b"resource fork")
    assert len(load(folder).train_labels) == 66
    (folder / "food11" / "training" / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"notes\.txt: is no picture"):
        load(folder)


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
        load(folder)


def test_a_file_in_the_place_of_a_part_is_named(folder: Path) -> None:
    shutil.rmtree(folder / "food11" / "validation")
    (folder / "food11" / "validation").write_text("x")
    with pytest.raises(DataError, match="validation: is a file; expected a folder of pictures"):
        load(folder)


def test_another_layout_is_explained_with_the_homework_s_own_commands(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        load(tmp_path)
    for part in ("no folder training/", "training/, validation/ and test/", "mlspring fetch hw03"):
        assert part in str(raised.value)


def test_pictures_of_other_kinds_and_sides_show_what_they_show(folder: Path) -> None:
    part = folder / "food11" / "training"
    red, blue = Image.new("RGB", (29, 28), "red"), Image.new("RGB", (64, 48), "blue")
    red.quantize(2).save(part / "0_0.bmp")  # colours by a palette
    blue.convert("RGBA").save(part / "0_1.png")
    with Image.open(part / "0_0.bmp") as stored:
        assert stored.mode == "P"
    for old in ("0_0.jpg", "0_1.jpg"):
        (part / old).unlink()
    loaded = load(folder)
    assert (loaded.train_images[0] == (255, 0, 0)).all()
    assert (loaded.train_images[1] == (0, 0, 255)).all()
    assert loaded.train_labels[:3].tolist() == [0, 0, 0]


def test_with_resize_the_middle_is_cut_out(folder: Path) -> None:
    wide = Image.new("RGB", (300, 100), "white")
    wide.paste("black", (100, 0, 200, 100))
    wide.save(folder / "food11" / "training" / "0_0.jpg", quality=95)
    squeezed, cut = load(folder).train_images[0], load(folder, resize=36).train_images[0]
    assert cut.shape == squeezed.shape == (32, 32, 3)
    assert cut.max() < 20 and squeezed.mean() > 120


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Return a world of three pictures a part, each of one grey."""
    (tmp_path / "public").mkdir()
    for number, name in enumerate(("train", "valid", "test")):
        greys = np.arange(3, dtype=np.uint8)[:, None, None, None] * 60 + number
        np.save(tmp_path / "public" / f"{name}_images.npy", np.tile(greys, (1, 32, 32, 3)))
        if name != "test":
            np.save(tmp_path / "public" / f"{name}_labels.npy", np.array([10, 1, 10]))
    return tmp_path


@pytest.mark.parametrize("first", [0, 1])
def test_a_world_s_test_pictures_count_from_the_layout_s_first_id(world: Path, first: int) -> None:
    source, layout = Source(kind="world", folder=world / "public"), replace(LAYOUT, first_id=first)
    expected = [f"{first + i:04d}" for i in range(3)]
    assert labelled_images.test_ids(source, layout) == expected
    assert labelled_images.load(source, layout, 32).test_ids == expected


def test_a_world_has_one_size(world: Path) -> None:
    source = Source(kind="world", folder=world / "public")
    with pytest.raises(RecipeError, match=r"data\.image_size = 64, but the world is painted at 32"):
        labelled_images.load(source, LAYOUT, 64)


def test_a_world_that_was_written_is_read_as_it_was(world: Path, tmp_path: Path) -> None:
    """JPEG keeps a grey; names are in the order of the files, so labels tell what is what."""
    labelled_images.export(world, tmp_path / "out", LAYOUT)
    files = sorted(p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.glob("out/*/*/*"))
    assert files == [
        *(f"food11/test/000{i}.jpg" for i in (1, 2, 3)),
        *(f"food11/training/{name}.jpg" for name in ("10_0", "10_1", "1_0")),
        *(f"food11/validation/{name}.jpg" for name in ("10_0", "10_1", "1_0")),
    ]
    loaded = load(tmp_path / "out")
    assert loaded.train_labels.tolist() == [10, 10, 1]
    for images, greys in (
        (loaded.train_images, (0, 120, 60)),
        (loaded.valid_images, (1, 121, 61)),
        (loaded.test_images, (2, 62, 122)),
    ):
        assert [int(image.mean().round()) for image in images] == [*greys]


def test_the_data_card_counts_and_shows_each_class(folder: Path) -> None:
    for index in range(7):
        (folder / "food11" / "training" / "0_0.jpg").with_name(f"10_{20 + index}.jpg").write_bytes(
            (folder / "food11" / "training" / "10_0.jpg").read_bytes()
        )
    loaded = load(folder)
    card = labelled_images.describe(loaded, NAMES)
    assert card["pictures"] == "73 training, 22 validation, 11 test; 32 x 32 RGB"
    assert card["classes"].startswith("0 food 0, 1 food 1, ")
    assert card["training pictures a class"] == "6, " * 10 + "13"
    assert card["majority class"] == "0.178 of the training pictures"
    sheet = labelled_images.contact_sheet(loaded, NAMES)
    assert list(sheet) == [*NAMES]
    assert [len(pictures) for pictures in sheet.values()] == [6] * 10 + [12]
    assert np.array_equal(sheet["food 3"], loaded.train_images[loaded.train_labels == 3])
