"""From folders of pictures and from the world to faces in memory."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring.core.errors import DataError
from mlspring.core.source import Source, official
from mlspring.homeworks.hw06_gan import data
from mlspring.worlds.faces.face_world import tiny_face_world
from mlspring.worlds.world import build
from tests.tiny.gan import blots, jpeg, write_faces

load = partial(data.load, recipe=None)


def test_a_folder_is_read_and_a_twentieth_held_out(tmp_path: Path) -> None:
    found = load(official(write_faces(tmp_path, 60)))
    assert found.train.shape == (57, 64, 64, 3) and found.valid.shape == (3, 64, 64, 3)
    assert found.train.dtype == np.uint8
    assert found.test_ids[0] == "1.jpg" and len(found.test_ids) == 1000
    assert data.describe(found)["faces to learn from"] == "57, 64 x 64 RGB"
    assert [len(row) for row in data.contact_sheet(found).values()] == [12, 12, 12, 12]


def test_faces_of_any_size_become_64_pixels_and_folders_may_be_nested(tmp_path: Path) -> None:
    place = tmp_path / "faces" / "faces"
    place.mkdir(parents=True)
    for number, picture in enumerate(blots(40)):
        Image.fromarray(picture).resize((96, 80)).save(place / f"{number}.jpg")
    assert load(official(tmp_path)).train.shape == (38, 64, 64, 3)


def test_pictures_may_lie_in_the_given_folder_itself(tmp_path: Path) -> None:
    for number, picture in enumerate(blots(40)):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(picture))
    assert len(data.face_files(tmp_path)) == 40


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    folder = write_faces(tmp_path, 40)
    (folder / "faces" / "17.jpg").write_bytes(jpeg(blots(1)[0])[:300])
    with pytest.raises(DataError, match=r"17\.jpg: is a broken image"):
        load(official(folder))
    (folder / "faces" / "17.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"17\.jpg"):
        load(official(folder))


def test_what_is_no_picture_and_too_few_are_told(tmp_path: Path) -> None:
    folder = write_faces(tmp_path, 40)
    (folder / "faces" / "list.txt").write_text("x")
    with pytest.raises(DataError, match=r"list\.txt: is no picture"):
        load(official(folder))
    (folder / "faces" / "list.txt").unlink()
    (folder / "faces" / "3.jpg").unlink()
    with pytest.raises(DataError, match=r"holds 39 pictures; expected at least 40"):
        load(official(folder))


def test_the_world_is_read_and_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSPRING_HOME", str(tmp_path / "home"))
    world = build(tiny_face_world(), processes=1)
    found = load(Source(kind="world", folder=world / "public"))
    assert found.train.shape == (61, 64, 64, 3) and found.valid.shape == (3, 64, 64, 3)
    assert np.load(data.answers(world)).shape == (16, 64, 64, 3)
    data.export(world, tmp_path / "out")
    again = load(official(tmp_path / "out"))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["faces"]
    assert len(again.train) == 61
    first = np.load(world / "public" / "faces.npy")[0]
    with Image.open(tmp_path / "out" / "faces" / "0.jpg") as image:
        assert np.abs(np.asarray(image).astype(int) - first).mean() < 6
