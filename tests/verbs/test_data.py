"""A world written out in the official layout: complete, or not at all."""

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mlspring import catalog
from mlspring.core import files
from mlspring.core.errors import MachineError, UserError
from mlspring.verbs import data, sources


@pytest.fixture
def worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders ``hw01`` and ``hw03`` in the shape of their worlds, with next to nothing in them."""
    made = tmp_path / "worlds"
    for name in ("hw01", "hw03"):
        (made / name / "public").mkdir(parents=True)
        (made / name / "private").mkdir()
        (made / name / "private" / "answers.csv").write_text("answers")
    for name in ("covid.train.csv", "covid.test.csv"):
        (made / "hw01" / "public" / name).write_text(name)
    for part in ("train", "valid", "test"):
        pixels = np.zeros((3, 8, 8, 3), np.uint8)
        np.save(made / "hw03" / "public" / f"{part}_images.npy", pixels)
        np.save(made / "hw03" / "public" / f"{part}_labels.npy", np.arange(3))
    monkeypatch.setattr(sources, "world_folder", lambda spec: made / spec.id)
    return made


def names(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_a_world_is_written_with_its_answers_apart(worlds: Path, tmp_path: Path) -> None:
    said = data.export(catalog.find("hw01"), tmp_path / "out" / "hw01", answers=True)
    assert names(tmp_path / "out" / "hw01") == [
        "private/answers.csv",
        "public/covid.test.csv",
        "public/covid.train.csv",
    ]
    assert f"{tmp_path / 'out' / 'hw01' / 'public'}: official layout" in said
    assert "no board can tell" in said
    said = data.export(catalog.find("hw03"), tmp_path / "out" / "hw03")
    assert "answers" not in said
    assert names(tmp_path / "out" / "hw03")[:3] == [
        "public/food11/test/0001.jpg",
        "public/food11/test/0002.jpg",
        "public/food11/test/0003.jpg",
    ]
    with pytest.raises(UserError, match="is not empty"):
        data.export(catalog.find("hw01"), tmp_path / "out" / "hw03")


@pytest.mark.parametrize("last", ["covid.test.csv", "answers.csv"])
def test_a_full_disk_leaves_no_half_of_the_tables(
    worlds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    original = shutil.copyfile

    def copy(source: Path, to: Path) -> Path:
        if source.name == last:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(source, to)

    monkeypatch.setattr(shutil, "copyfile", copy)
    with pytest.raises(MachineError, match="out: the disk is full; nothing was left behind"):
        data.export(catalog.find("hw01"), tmp_path / "out", answers=True)
    assert list(tmp_path.iterdir()) == [worlds]


def test_a_full_disk_leaves_no_half_of_the_pictures(
    worlds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Image.Image.save

    def save(self: Image.Image, path: Path, **options: object) -> None:
        if path.parent.name == "test":
            raise OSError("encoder error -2 when writing image file")  # Pillow loses the number
        original(self, path, **options)

    monkeypatch.setattr(Image.Image, "save", save)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda place: SimpleNamespace(free=0))
    with pytest.raises(MachineError, match="out: the disk is full; nothing was left behind"):
        data.export(catalog.find("hw03"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == [worlds]


def test_ctrl_c_leaves_nothing(
    worlds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(source: Path, to: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfile", stop)
    with pytest.raises(KeyboardInterrupt):
        data.export(catalog.find("hw01"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == [worlds]
