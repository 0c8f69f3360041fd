"""Readers of homework 11: any pair of domains in the course's layout, and what is refused."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring import catalog
from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.source import Source, official
from mlspring.homeworks.hw11_adaptation import data
from mlspring.homeworks.hw11_adaptation.spec import SPEC
from mlspring.verbs import board
from mlspring.worlds.domains import tiny_domains_world
from mlspring.worlds.world import build
from tests.tiny.domains import NUM_DRAWINGS, drawing, photo, recipe, write_domains


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_domains(tmp_path / "data")


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        data.load(official(folder), recipe())
    return str(caught.value)


def test_labels_come_from_folders_and_ids_from_names(folder: Path) -> None:
    loaded = data.load(official(folder), recipe())
    assert loaded.source_images.shape == (48, 32, 32, 3)
    assert loaded.target_images.shape == (NUM_DRAWINGS, 32, 32)
    assert loaded.source_images.dtype == loaded.target_images.dtype == np.uint8
    assert np.bincount(loaded.source_labels).tolist() == [16, 16, 16]
    assert loaded.num_classes == 3
    assert loaded.test_ids == [str(i) for i in range(NUM_DRAWINGS)]
    assert data.test_ids(official(folder)) == loaded.test_ids


def test_drawing_and_id_stay_together(folder: Path) -> None:
    """Names without padding sort as 0, 1, 10, 11 ...: ids follow the numbers."""
    for file in drawing(folder).parent.iterdir():
        file.rename(file.with_name(f"{int(file.stem)}.bmp"))
    loaded = data.load(official(folder), recipe())
    assert loaded.test_ids == [str(i) for i in range(NUM_DRAWINGS)]
    with Image.open(drawing(folder, "10.bmp")) as image:
        expected = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR))
    assert np.array_equal(loaded.target_images[10], expected)


def test_photo_and_label_stay_together(folder: Path) -> None:
    Image.new("RGB", (32, 32), (250, 0, 0)).save(photo(folder, "2/35.bmp"))
    loaded = data.load(official(folder), recipe())
    (row,) = np.flatnonzero((loaded.source_images == (250, 0, 0)).all(axis=(1, 2, 3)))
    assert loaded.source_labels[row] == 2


def test_a_folder_inside_or_outside_is_found(folder: Path) -> None:
    ids = data.test_ids(official(folder))
    assert data.test_ids(official(folder / "real_or_drawing")) == ids
    outer = folder / "outer"
    outer.mkdir()
    (folder / "real_or_drawing").rename(outer / "real_or_drawing")
    assert data.test_ids(official(folder)) == ids


def test_drawings_may_lie_in_test_data_itself(folder: Path) -> None:
    expected = data.load(official(folder), recipe())
    inner = drawing(folder).parent
    for file in inner.iterdir():
        file.rename(inner.parent / file.name)
    inner.rmdir()
    loaded = data.load(official(folder), recipe())
    assert np.array_equal(loaded.target_images, expected.target_images)
    assert loaded.test_ids == expected.test_ids


@pytest.mark.parametrize(
    "name", ["Thumbs.db", "desktop.ini", ".DS_Store", "._16.bmp", "3.bmp:Zone.Identifier"]
)
@pytest.mark.parametrize("where", ["train_data", "train_data/1", "test_data", "test_data/0"])
def test_what_systems_leave_is_passed_over(folder: Path, name: str, where: str) -> None:
    (folder / "real_or_drawing" / where / name).write_bytes(b"left by a system")
    (folder / "real_or_drawing" / where / "@eaDir").mkdir()
    loaded = data.load(official(folder), recipe())
    assert len(loaded.source_labels) == 48
    assert len(loaded.target_images) == NUM_DRAWINGS


def test_class_folders_may_have_the_course_s_names(folder: Path) -> None:
    for label in range(3, 10):
        shutil.copytree(photo(folder, "0"), photo(folder, str(label)))
    expected = data.load(official(folder), recipe())
    for label, name in enumerate(expected.class_names):
        photo(folder, str(label)).rename(photo(folder, name.capitalize()))
    loaded = data.load(official(folder), recipe())
    assert np.array_equal(loaded.source_labels, expected.source_labels)
    assert np.array_equal(loaded.source_images, expected.source_images)


# ---- other pairs of domains


def test_any_number_of_classes(folder: Path) -> None:
    for label in range(3, 12):
        shutil.copytree(photo(folder, "0"), photo(folder, str(label)))
    loaded = data.load(official(folder), recipe())
    assert loaded.num_classes == 12
    assert loaded.source_labels[-1] == 11  # 10 and 11 come after 9
    assert loaded.class_names[11] == "11"


def test_any_size_and_type(folder: Path) -> None:
    for number, suffix in enumerate(("jpg", "webp", "gif", "tiff", "ppm"), start=3):
        with Image.open(photo(folder, f"0/{number}.bmp")) as image:
            image.resize((200, 97)).save(photo(folder, f"0/{number}.{suffix}"))
        photo(folder, f"0/{number}.bmp").unlink()
    with Image.open(drawing(folder)) as image:
        image.resize((29, 28)).save(drawing(folder, "00005.png"))
    drawing(folder).unlink()
    loaded = data.load(official(folder), recipe())
    assert loaded.source_images.shape == (48, 32, 32, 3)
    assert loaded.target_images.shape == (NUM_DRAWINGS, 32, 32)


# ---- what is refused, with the file and the reason


def test_a_drawing_without_a_number_is_refused(folder: Path) -> None:
    drawing(folder).rename(drawing(folder, "cat.bmp"))
    message = refusal(folder)
    assert "cat.bmp: is not named by a number" in message
    assert "expected a name like 00042.bmp" in message


def test_a_doubled_id_is_refused(folder: Path) -> None:
    shutil.copy(drawing(folder), drawing(folder, "5.bmp"))
    assert "has the id of 00005.bmp" in refusal(folder) or "has the id of 5.bmp" in refusal(folder)


@pytest.mark.parametrize("name", ["dog", "-1", "1²"])
def test_a_class_folder_without_a_number_is_refused(folder: Path, name: str) -> None:
    photo(folder, "2").rename(photo(folder, name))
    message = refusal(folder)
    assert f"{name}: is no class" in message
    assert "expected a folder called 0 to 2" in message


def test_a_gap_among_classes_is_refused(folder: Path) -> None:
    photo(folder, "1").rename(photo(folder, "7"))
    assert "7: is no class; expected a folder called 0 to 2" in refusal(folder)


def test_one_class_is_too_few(folder: Path) -> None:
    for label in "12":
        shutil.rmtree(photo(folder, label))
    assert "train_data: holds 1 folders; expected 2 to 1000" in refusal(folder)


def test_a_class_with_two_photos_is_refused(folder: Path) -> None:
    for index in range(18, 32):
        photo(folder, f"1/{index}.bmp").unlink()
    expected = "train_data: holds 2 photos of class 1; expected 3 or more"
    assert expected in refusal(folder)


def test_a_foreign_file_is_refused(folder: Path) -> None:
    photo(folder, "1/notes.txt").write_text("x")
    assert "notes.txt: is no picture" in refusal(folder)


def test_two_folders_of_drawings_are_refused(folder: Path) -> None:
    shutil.copytree(drawing(folder).parent, drawing(folder).parent.with_name("1"))
    assert "test_data: holds 0, 1; expected one folder" in refusal(folder)


@pytest.mark.parametrize("closed", ["train_data", "train_data/1", "test_data", "test_data/0"])
def test_a_folder_that_may_not_be_listed_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    target = folder / "real_or_drawing" / closed
    listed = Path.iterdir

    def refuse(self: Path) -> Iterator[Path]:
        if self == target:
            raise PermissionError(13, "Permission denied", str(self))
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", refuse)
    message = refusal(folder)
    assert f"{target}: the folder cannot be read" in message
    assert f"chmod -R u+rX {target}" in message


def test_another_layout_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)has no folder train_data/.*layout"):
        data.load(official(tmp_path), recipe())


# ---- the world and real files


def test_the_world_written_out_is_read_back(tmp_path: Path) -> None:
    folder = build(tiny_domains_world(), processes=1)
    data.export(folder, tmp_path)
    world = data.load(Source(kind="world", folder=folder / "public"), recipe())
    again = data.load(official(tmp_path), recipe())
    assert np.array_equal(again.target_images, world.target_images)
    assert again.test_ids == world.test_ids
    order = np.argsort(world.source_labels, kind="stable")
    assert np.array_equal(again.source_labels, world.source_labels[order])
    # the reader sorts names as the course does: 0, 1, 10, 11 ... within a class
    ours = sorted(picture.tobytes() for picture in again.source_images)
    assert ours == sorted(picture.tobytes() for picture in world.source_images)
    assert not list(tmp_path.rglob("*answer*"))


def test_real_photos_and_sketches_are_read(real_data: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(real_data / "hw11" / "photo_or_sketch.zip", tmp_path)
    loaded = data.load(official(tmp_path), recipe())
    assert np.bincount(loaded.source_labels).tolist() == [189, 202, 182, 186, 199, 280, 432]
    assert loaded.target_images.shape == (3929, 32, 32)
    assert loaded.inverted  # dark strokes on white paper
    assert loaded.class_names == tuple("0123456")
    assert "dark" in data.describe(loaded)["strokes"]


# ---- how many classes a label may be of


def test_classes_are_counted_without_opening_a_picture(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "open", lambda *a, **k: pytest.fail("opened a picture"))
    assert data.count_classes(official(folder)) == 3
    assert data.count_classes(Source(kind="world", folder=folder)) == 10


def test_validate_refuses_a_class_that_the_data_have_not(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "submission.csv"
    labels = [i % 3 for i in range(NUM_DRAWINGS)]
    submission = catalog.part(SPEC, "submission")
    submission.write(file, [str(i) for i in range(NUM_DRAWINGS)], np.array(labels))
    assert "36 rows" in board.validate(SPEC, file, str(folder))
    labels[7] = 3
    submission.write(file, [str(i) for i in range(NUM_DRAWINGS)], np.array(labels))
    with pytest.raises(SubmissionError, match=r"row 9: .*'3'; expected a whole number from 0 to 2"):
        board.validate(SPEC, file, str(folder))


def test_the_contact_sheet_shows_a_row_a_class_and_drawings(folder: Path) -> None:
    loaded = data.load(official(folder), recipe())
    rows = data.contact_sheet(loaded)
    assert list(rows) == ["0", "1", "2", "drawings"]
    assert np.array_equal(rows["1"], loaded.source_images[16:28])
    assert rows["drawings"].shape == (12, 32, 32)
