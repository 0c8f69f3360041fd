"""Action lists: whole numbers in any wrapper; anything else is named with its place."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import SubmissionError
from mlspring.homeworks.hw12_lander import submission
from tests.homeworks.hw12.cases import OBJECTS, objects
from tests.tiny.landings import IDS

SHORT = [[0, 2, 1], [3], [1, 1], [2, 0, 0, 3], [0]]
WRAPPERS = {
    "int": list,
    "tuple": tuple,
    "NumPy's integers": lambda row: [np.int64(a) for a in row],
    "unsigned bytes": lambda row: [np.uint8(a) for a in row],
    "big-endian": lambda row: [np.array(a, ">i4") for a in row],
    "arrays of no dimension": lambda row: [np.array(a) for a in row],
    "arrays of one": lambda row: [np.array([a]) for a in row],
    "arrays of one in two dimensions": lambda row: [np.array([[a]], np.int32) for a in row],
    "a list that is an array": np.array,
    "a column": lambda row: np.array(row)[:, None],
    "an array of objects": lambda row: np.array(row, dtype=object),
}


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_whole_numbers_are_read_in_any_wrapper(
    wrap: Callable[[list[int]], object], protocol: int, tmp_path: Path
) -> None:
    content = OBJECTS + pickle.dumps(objects([wrap(row) for row in SHORT]), protocol=protocol)
    (tmp_path / "a.npy").write_bytes(content)
    assert [row.tolist() for row in submission.read(tmp_path / "a.npy", IDS).actions] == SHORT


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, ">i4", object])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("column", [False, True])
def test_lists_of_one_length_are_a_table(
    dtype: object, order: str, column: bool, tmp_path: Path
) -> None:
    table = np.array([[0, 1, 3], [2, 3, 1]], dtype, order=order)
    np.save(tmp_path / "a.npy", table[:, :, None] if column else table)
    actions = submission.read(tmp_path / "a.npy", IDS[:2]).actions
    assert [row.tolist() for row in actions] == [[0, 1, 3], [2, 3, 1]]


@pytest.mark.parametrize(
    ("element", "words"),
    [
        (2.0, "list 2, action 3 is 2.0, expected 0, 1, 2 or 3: append int"),
        (np.float32(1.5), "list 2, action 3 is 1.5, expected 0, 1, 2 or 3: append int"),
        (np.array([2.0]), "list 2, action 3 is 2.0, expected 0, 1, 2 or 3: append int"),
        (torch.tensor(2), "list 2, action 3 is a torch tensor, .* append int"),
        (torch.nn.Parameter(torch.ones(1)), "list 2, action 3 is a torch tensor, .* append int"),
        (np.array([1, 2]), r"list 2, action 3 is an array of shape \(2,\), .* append int"),
        (True, "list 2, action 3 is True, .* append int"),
        (np.bool_(True), "list 2, action 3 is True, .* append int"),
        ("2", "list 2, action 3 is a str, .* append int"),
        (None, "list 2, action 3 is None, .* append int"),
        (np.array([7]), "list 2, action 3 is 7, expected 0, 1, 2 or 3;"),
        (-1, "list 2, action 3 is -1, expected 0, 1, 2 or 3;"),
    ],
    ids=str,
)
def test_other_wrappers_are_named_with_list_and_step_and_what_to_write(
    element: object, words: str, tmp_path: Path
) -> None:
    rows = [[0], [0, 1, element], [0], [0], [0]]
    (tmp_path / "a.npy").write_bytes(OBJECTS + pickle.dumps(objects(rows), protocol=4))
    with pytest.raises(SubmissionError, match=words):
        submission.read(tmp_path / "a.npy", IDS)


def test_whole_episodes_of_tensors_are_told_alike(tmp_path: Path) -> None:
    """The longest lists there are: the advice must not give way to a bound on the file."""
    rows = [[torch.tensor(0)] * 1000] + [[torch.tensor(n % 4) for n in range(600)]] * 4
    (tmp_path / "a.npy").write_bytes(OBJECTS + pickle.dumps(objects(rows), protocol=4))
    with pytest.raises(SubmissionError, match=r"list 1, action 1 is a torch tensor, .*append int"):
        submission.read(tmp_path / "a.npy", IDS)


def test_a_list_of_floats_in_an_array_is_told_alike(tmp_path: Path) -> None:
    rows = [np.array([0.0, 1.0])] + [[0]] * 4
    (tmp_path / "a.npy").write_bytes(OBJECTS + pickle.dumps(objects(rows), protocol=4))
    with pytest.raises(SubmissionError, match=r"list 1, action 1 is 0.0, .* append int"):
        submission.read(tmp_path / "a.npy", IDS)
