"""IDX files: written and read back, by hand, and any bytes at all."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlspring.core import idx
from mlspring.core.errors import DataError


def read(path: Path, *item: int) -> np.ndarray:
    return idx.read_idx(path, item, fix="fetch it again")


@pytest.mark.parametrize("name", ["digits", "digits.gz"])
def test_what_is_written_is_read_back(name: str, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (5, 3, 2))
    idx.write_idx(tmp_path / name, array)
    assert (read(tmp_path / name, 3, 2) == array).all()


def test_a_file_made_by_hand_is_read(tmp_path: Path) -> None:
    file = tmp_path / "labels"
    file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 255]))
    assert read(file).tolist() == [7, 8, 255]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (bytes([0, 0, 9, 1, 0, 0, 0, 0]), "begins with the bytes 00 00 09 01"),
        (bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5]), "unsigned bytes with 1 axes"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 5]), "holds 1 bytes; expected 2 as"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 1, 5, 5]), "holds more bytes; expected 1 as"),
        (bytes([0, 0, 8, 1, 255, 255, 255, 255]), "4294967295; expected up to 1,000,000"),
        (b"", r"begins with the bytes \(none\)"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_a_sentence(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "labels"
    file.write_bytes(content)
    with pytest.raises(DataError, match=sentence) as told:
        read(file)
    assert "fetch it again" in str(told.value)


@settings(max_examples=60, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=40),
        st.binary(max_size=40).map(lambda rest: bytes([0, 0, 8, 1, 0, 0, 0, 3]) + rest),
    ),
    packed=st.sampled_from([None, 0, 5]),
)
def test_any_bytes_give_an_array_or_a_sentence(
    content: bytes, packed: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Plain, gzipped, and gzipped with the last bytes missing."""
    file = tmp_path_factory.mktemp("idx") / ("x" if packed is None else "x.gz")
    whole = content if packed is None else gzip.compress(content)
    file.write_bytes(whole[: len(whole) - (packed or 0)])
    try:
        assert read(file).ndim == 1
    except DataError as error:
        assert error.file == file
