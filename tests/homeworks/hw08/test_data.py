"""The two arrays: memory maps, and each way to be wrong told before training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError
from mlspring.core.source import official
from mlspring.homeworks.hw08_anomaly import data
from mlspring.homeworks.hw08_anomaly.recipe import Recipe
from mlspring.homeworks.hw08_anomaly.spec import SPEC
from mlspring.verbs import recipes
from tests.tiny.anomaly import face, write_faces


def recipe(held_out: int = 8) -> Recipe:
    path = recipes.find_recipe(SPEC, "world/simple", "world")
    loaded: Recipe = recipes.load(SPEC, path, [f"data.held_out={held_out}"])
    return loaded


def test_the_pictures_are_memory_maps_and_the_last_rows_are_held_out(tmp_path: Path) -> None:
    source = official(write_faces(tmp_path / "here"))
    loaded = data.load(source, recipe())
    for part in (loaded.train, loaded.held_out, loaded.test):
        assert isinstance(part, np.memmap)
    assert (len(loaded.train), len(loaded.held_out), len(loaded.test)) == (32, 8, 16)
    assert np.array_equal(loaded.held_out[0], face(32))
    assert data.test_ids(source) == [str(row) for row in range(16)]


def test_files_without_the_archive_s_folder_are_found(tmp_path: Path) -> None:
    folder = write_faces(tmp_path / "here") / "data"
    assert len(data.load(official(folder), recipe()).test) == 16


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = write_faces(tmp_path / "here")
    (folder / "data" / "testingset.npy").unlink()
    with pytest.raises(DataError, match=r"holds no testingset\.npy"):
        data.load(official(folder), recipe())


def test_holding_out_more_than_there_are_is_told(tmp_path: Path) -> None:
    folder = write_faces(tmp_path / "here")
    with pytest.raises(DataError, match=r"40 pictures, of which data\.held_out = 40"):
        data.load(official(folder), recipe(40))


def saved(array: object, **options: bool) -> Callable[[Path], None]:
    return lambda path: np.save(path, array, **options)


PICTURES = np.zeros((5, 64, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (saved(np.array([{}, []], object), allow_pickle=True), "Python objects, which are never"),
        (saved(PICTURES.astype(np.float32)), "holds float32"),
        (saved(PICTURES[:, :32]), "shape 5 x 32 x 64 x 3"),
        (saved(PICTURES[0]), "shape 64 x 64 x 3"),
        (saved(PICTURES.transpose(0, 3, 1, 2)), "shape 5 x 3 x 64 x 64"),
        (saved(np.asfortranarray(PICTURES + 1)), "column by column"),
        (saved(PICTURES[:0]), "holds no picture"),
        (lambda path: path.write_bytes(b""), "no .npy file"),
        (lambda path: path.write_bytes(b"\x80\x04\x95pickle"), "no .npy file"),
    ],
)
def test_what_is_no_array_of_pictures_is_told(
    write: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    folder = write_faces(tmp_path / "here")
    write(folder / "data" / "trainingset.npy")
    with pytest.raises(DataError, match=words) as told:
        data.load(official(folder), recipe())
    assert "trainingset.npy" in str(told.value) and "uint8 (pictures, 64, 64, 3)" in str(told.value)


@pytest.mark.parametrize(("change", "words"), [(-1, "is cut off"), (7, "longer than it says")])
def test_a_file_of_another_length_than_it_says_is_told(
    change: int, words: str, tmp_path: Path
) -> None:
    folder = write_faces(tmp_path / "here")
    path = folder / "data" / "testingset.npy"
    content = path.read_bytes()
    path.write_bytes(content[:change] if change < 0 else content + b"\0" * change)
    with pytest.raises(DataError, match=words):
        data.test_ids(official(folder))
