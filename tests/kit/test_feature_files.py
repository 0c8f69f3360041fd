"""Files of features: each way in which one can be damaged; nothing in one is executed."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import DataError
from mlspring.kit.feature_files import read_features, save_features


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "1-2-3.pt"


def test_what_is_saved_is_read(file: Path) -> None:
    features = np.random.default_rng(0).normal(0, 1, (200, 39)).astype(np.float32)
    save_features(file, features[50:60])
    assert np.array_equal(read_features(file, 39), features[50:60])
    assert file.stat().st_size < 10 * 39 * 4 + 3000, "and not the whole array"


class Opens:
    """A pickle that opens a file when it is unpickled carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.path), "w")


def saved(value: object) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


BAD = {
    "cut short": (saved(torch.zeros(50, 39))[:3000], "cannot be read as a tensor"),
    "no bytes": (b"", "cannot be read as a tensor"),
    "text": (b"0.1 0.2 0.3\n", "cannot be read as a tensor"),
    "a list": (pickle.dumps([1.0, 2.0]), "cannot be read as a tensor"),
    "a dict of tensors": (saved({"feat": torch.zeros(5, 39)}), "holds a dict, not a plain tensor"),
    "sparse": (saved(torch.zeros(5, 39).to_sparse()), "not a plain tensor"),
    "float64": (saved(torch.zeros(5, 39, dtype=torch.float64)), "holds float64 numbers"),
    "int64": (saved(torch.zeros(5, 39, dtype=torch.int64)), "holds int64 numbers"),
    "bfloat16": (saved(torch.zeros(5, 39, dtype=torch.bfloat16)), "holds bfloat16 numbers"),
    "40 features": (saved(torch.zeros(5, 40)), r"holds a tensor \(5, 40\)"),
    "one axis": (saved(torch.zeros(39)), r"holds a tensor \(39,\)"),
    "one frame a billion times": (
        saved(torch.zeros(1, 39).expand(10**9, 39)),
        r"holds a tensor \(1000000000, 39\)",
    ),
    "no frame": (saved(torch.zeros(0, 39)), "is an empty utterance"),
    "nan": (saved(torch.zeros(5, 39).index_fill(0, torch.tensor(3), float("nan"))), "frame 3 hol"),
    "inf": (saved(torch.full((5, 39), float("inf"))), "frame 0 holds inf"),
}


@pytest.mark.parametrize("content", BAD)
def test_a_damaged_tensor_is_told_with_its_file(content: str, file: Path) -> None:
    data, words = BAD[content]
    file.write_bytes(data)
    with pytest.raises(DataError, match=rf"1-2-3\.pt: .*{words}") as told:
        read_features(file, 39)
    assert "expected" in str(told.value) or "->" in str(told.value)
    assert len(str(told.value)) < 700


@pytest.mark.parametrize("wrap", [saved, pickle.dumps])
def test_nothing_is_executed(wrap: Callable[[object], bytes], file: Path, tmp_path: Path) -> None:
    trap = tmp_path / "opened"
    file.write_bytes(wrap(Opens(trap)))
    with pytest.raises(DataError, match="cannot be read as a tensor"):
        read_features(file, 39)
    assert not trap.exists()


def test_every_cut_of_a_tensor_is_told(file: Path) -> None:
    whole = saved(torch.zeros(50, 39))
    assert zipfile.is_zipfile(io.BytesIO(whole))
    for length in range(0, len(whole) - 1, 401):
        file.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"1-2-3\.pt"):
            read_features(file, 39)


def test_a_view_of_a_larger_tensor_is_read_as_what_it_is(file: Path) -> None:
    wide = torch.arange(39 * 100, dtype=torch.float32).view(100, 39)
    torch.save(wide[10:20], file)
    assert read_features(file, 39).tolist() == wide[10:20].tolist()
    torch.save(torch.nn.Parameter(wide[:2]), file)
    assert read_features(file, 39).tolist() == wide[:2].tolist()


def test_an_absent_tensor_is_told(file: Path) -> None:
    with pytest.raises(DataError, match=r"1-2-3\.pt: is missing; the split names it"):
        read_features(file, 39)
