"""Files of lists that are no such files: nothing is executed, and little never becomes much."""

import os
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from mlspring.core.errors import SubmissionError
from mlspring.homeworks.hw12_lander import submission
from mlspring.worlds.lander import action_lists
from tests.homeworks.hw12.cases import OBJECTS, npy_header
from tests.tiny.landings import IDS, notebook_file, played


@pytest.fixture(scope="module")
def lists() -> list[list[int]]:
    return played()


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_bomb_does_not_go_off(tmp_path: Path) -> None:
    crater = tmp_path / "crater"
    array = np.empty(5, dtype=object)
    array[:] = [[0], [Bomb(crater)], [0], [0], [0]]
    np.save(tmp_path / "Action_List.npy", array, allow_pickle=True)
    with pytest.raises(SubmissionError, match=r"names '(posix|nt).mkdir'"):
        submission.read(tmp_path / "Action_List.npy", IDS)
    assert not crater.exists()
    np.load(tmp_path / "Action_List.npy", allow_pickle=True)
    assert crater.exists(), "it would have gone off"


@pytest.mark.parametrize("thing", [[1, [2]], {"a": 1}, [[1.5]], "text", [["a"]], [b"1"]], ids=str)
def test_other_pickles_are_no_lists(thing: object, tmp_path: Path) -> None:
    file = notebook_file([[1, 2]], tmp_path / "a.npy")
    assert [row.tolist() for row in submission.read(file, ["1"]).actions] == [[1, 2]]
    with pytest.raises(SubmissionError):
        submission.read(notebook_file([thing], tmp_path / "b.npy"), ["1"])


def test_a_cut_pickle_is_damaged(lists: list[list[int]], tmp_path: Path) -> None:
    content = notebook_file(lists, tmp_path / "a.npy").read_bytes()
    for end in range(8, len(content) - 1, 37):
        (tmp_path / "cut.npy").write_bytes(content[:end])
        with pytest.raises(SubmissionError):
            submission.read(tmp_path / "cut.npy", IDS)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ("(5, 99999999999999)", "holds 80 bytes, which are not <i8"),
        ("(99999999999999, 0)", "holds 80 bytes, which are not <i8"),
        ("(5, 9)", "holds 80 bytes, which are not <i8"),
        ("(10, 1)", "has 10 lists, expected 5"),
        ("(10,)", "has 10 lists, expected 5"),
        ("(" + "9" * 5000 + ",)", "damaged .npy header"),
    ],
)
def test_a_table_that_says_it_is_huge_is_not_believed(
    shape: str, sentence: str, tmp_path: Path
) -> None:
    header = npy_header(f"'descr': '<i8', 'fortran_order': False, 'shape': {shape}")
    (tmp_path / "a.npy").write_bytes(header + bytes(80))
    with pytest.raises(SubmissionError, match=sentence):
        submission.read(tmp_path / "a.npy", IDS)


def array_of(elements: bytes) -> bytes:
    """Return the opcodes of an object array whose list of elements these opcodes make."""
    made = b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n(tR"
    return OBJECTS + made + b"(K\x01)N\x89" + elements + b"tb."


def one_list(length: int) -> bytes:
    """Return the opcodes of a list of twos, remembered as number 0."""
    return b"](" + b"K\x02" * length + b"eq\x00"


def doubled(times: int) -> bytes:
    """Return the opcodes of a list of two references to a list of two references to .."""
    opcodes = b"]q\x00"
    for number in range(times):
        opcodes = b"](" + opcodes + bytes([0x68, number]) + b"eq" + bytes([number + 1])
    return opcodes


def test_a_list_named_five_times_is_five_lists() -> None:
    content = array_of(b"](" + one_list(3) + b"h\x00" * 4 + b"e")
    lists = action_lists.checked(action_lists.from_npy(content, IDS), IDS)
    assert [row.tolist() for row in lists] == [[2, 2, 2]] * 5


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (array_of(b"](" + one_list(20_000) + b"h\x00" * 20_000 + b"e"), "has 20,001 lists"),
        (array_of(b"](" + one_list(20_000) + b"h\x00" * 4 + b"e"), "list 1 has 20,000 actions"),
        (array_of(b"](" + b"N" * 400_000 + b"e"), "has more than 301,000 parts"),
        (array_of(doubled(60)), "has 2 lists"),
        (array_of(b"](" + doubled(60) + b"h\x3ch\x3ch\x3ch\x3ce"), "list 1, action 1 is a list"),
        (array_of(b"]q\x00h\x00a"), "has 1 list,"),
        (array_of(b"](" + b"](]]e" * 5 + b"e"), "list 1, action 1 is a list"),
        (array_of(doubled(60) + b"\x8c\x01x\x93"), "is a damaged pickle at STACK_GLOBAL"),
        (array_of(b"\x8c\x01x" + doubled(60) + b"\x93"), "is a damaged pickle at STACK_GLOBAL"),
        (array_of(b"](" + b"]" * 45_000 + b"a" * 44_999 + b"e"), "has 1 list,"),
        (array_of(b"](](\x8a\xff" + b"\x7f" * 255 + b"e" + b"](K\x01e" * 4 + b"e"), "action 1 is"),
        (array_of(b"](](\x8b\x00\x00\x01\x00" + b"\x7f" * 65536 + b"ee"), "opcode LONG4"),
        (array_of(b"](](I" + b"9" * 9000 + b"\nee"), "4300 digits"),
    ],
    ids=[
        "many references",
        "long list",
        "many parts",
        "doubling",
        "doubling in lists",
        "itself",
        "nested",
        "name of lists",
        "module of lists",
        "deep",
        "large number",
        "huge number",
        "long number",
    ],
)
def test_little_that_would_become_much_is_refused(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    """2**60 elements or 400 million would not end; here nothing is made before it is counted."""
    path = tmp_path / "Action_List.npy"
    path.write_bytes(content)
    with pytest.raises(SubmissionError, match=sentence) as told:
        submission.read(path, IDS)
    assert len(str(told.value)) < 500


@pytest.mark.parametrize(
    "content", [b"hello", b"\x80\x04]q\x00.", b"\x89PNG\r\n", b"1,2,3\n", bytes(99), b"PK\x05\x06"]
)
def test_another_format_is_told_those_that_are_read(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(SubmissionError, match="in none of the formats") as told:
        submission.read(tmp_path / "a.bin", IDS)
    assert all(f".{name}" in str(told.value) for name in ("json", "npy", "safetensors"))


def test_many_empty_lists_of_a_safetensors_are_not_made(tmp_path: Path) -> None:
    tensors = {"actions": np.zeros(0, np.uint8), "lengths": np.zeros(400_000, np.int64)}
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors))
    with pytest.raises(SubmissionError, match="has 400,000 lists, expected 5"):
        submission.read(path, IDS)
