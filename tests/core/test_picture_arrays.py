"""Pictures in one .npy file: what is refused, in which words, and what a fingerprint sees."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlspring.core.errors import DataError
from mlspring.core.picture_arrays import fingerprint, open_pictures

TOLD = {"expected": "five pictures", "fix": "make them again"}


def saved(path: Path, array: Any) -> Path:
    np.save(path, array)
    return path


def test_pictures_are_a_map_that_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    there = np.arange(5 * 4 * 4 * 3, dtype=np.uint8).reshape(5, 4, 4, 3)
    file = saved(tmp_path / "a.npy", there)
    pictures = open_pictures(file, count=5, side=4, **TOLD)
    assert isinstance(pictures, np.memmap)
    pictures[0] = 7
    assert np.array_equal(np.load(file), there)


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((5, 4, 4, 3), np.float32), r"is float32 \(5, 4, 4, 3\)"),
        (np.zeros((5, 4, 5, 3), np.uint8), r"is uint8 \(5, 4, 5, 3\)"),
        (np.zeros((5, 4, 4, 1), np.uint8), r"is uint8 \(5, 4, 4, 1\)"),
        (np.zeros((5, 8, 8, 3), np.uint8), r"is uint8 \(5, 8, 8, 3\)"),
        (np.zeros((6, 4, 4, 3), np.uint8), r"is uint8 \(6, 4, 4, 3\)"),
        (np.zeros(5, np.uint8), r"is uint8 \(5,\)"),
        (np.zeros((), np.uint8), r"is uint8 \(\)"),
        (np.array([{}]), "cannot be read as .npy"),
    ],
)
def test_other_arrays_are_refused_with_what_they_are(
    tmp_path: Path, array: Any, found: str
) -> None:
    with pytest.raises(DataError, match=rf"(?s){found}.*five pictures.*make them again"):
        open_pictures(saved(tmp_path / "a.npy", array), count=5, side=4, **TOLD)


@pytest.mark.parametrize(
    ("content", "found"), [(None, "is missing"), (b"", "cannot be read"), (b"x" * 99, "cannot be")]
)
def test_a_file_that_is_no_array_is_told(tmp_path: Path, content: bytes | None, found: str) -> None:
    file = tmp_path / "a.npy"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=found):
        open_pictures(file, **TOLD)


def test_a_fingerprint_sees_bytes_shapes_and_order() -> None:
    one, other = np.arange(6), np.arange(6) + 1
    assert fingerprint(one, other) == fingerprint(one.copy(), other)
    different = [(one,), (other, one), (one.reshape(2, 3), other), (one, one)]
    assert len({fingerprint(*arrays) for arrays in [(one, other), *different]}) == 5
    assert fingerprint(np.arange(12)[::2]) == fingerprint(np.arange(0, 12, 2))
