"""Files of lists that are no such files: nothing is executed, and little never becomes much."""

import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from mlspring.core.errors import SubmissionError
from mlspring.homeworks.hw12_lander import pickled, score, submission
from tests.tiny.landings import IDS, notebook_file, played, write_answers


@pytest.fixture(scope="module")
def lists() -> list[list[int]]:
    return played()


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return write_answers(tmp_path / "answers.csv")


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_bomb_does_not_go_off(tmp_path: Path, answers: Path) -> None:
    crater = tmp_path / "crater"
    array = np.empty(5, dtype=object)
    array[:] = [[0], [Bomb(crater)], [0], [0], [0]]
    np.save(tmp_path / "Action_List.npy", array, allow_pickle=True)
    with pytest.raises(SubmissionError, match=r"names '(posix|nt).mkdir'"):
        score.score(tmp_path / "Action_List.npy", answers)
    assert not crater.exists()
    np.load(tmp_path / "Action_List.npy", allow_pickle=True)
    assert crater.exists(), "it would have gone off"


@pytest.mark.parametrize("thing", [[1, [2]], {"a": 1}, [[1.5]], "text", [["a"]], [b"1"]], ids=str)
def test_other_pickles_are_no_lists(thing: object) -> None:
    array = np.empty(1, dtype=object)
    array[0] = thing
    header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header = header.ljust(127) + b"\n"
    assert pickled.lists_in(header + pickle.dumps(_of_one([1, 2]), protocol=4), ["1"]) == [[1, 2]]
    with pytest.raises(ValueError):
        pickled.lists_in(header + pickle.dumps(array, protocol=4), ["1"])


def _of_one(item: object) -> np.ndarray:
    array = np.empty(1, dtype=object)
    array[0] = item
    return array


def test_a_cut_pickle_is_damaged(lists: list[list[int]], tmp_path: Path) -> None:
    content = notebook_file(lists, tmp_path / "a.npy").read_bytes()
    for end in range(0, len(content) - 1, 37):
        with pytest.raises(ValueError):
            pickled.lists_in(content[:end], IDS)


def test_lists_of_one_length_are_a_table(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[0, 1], [2, 3]]))
    assert pickled.lists_in((tmp_path / "a.npy").read_bytes(), IDS[:2]) == [[0, 1], [2, 3]]
    np.save(tmp_path / "b.npy", np.array([[0, 1], [2, 3], [1, 0]]).T)
    assert pickled.lists_in((tmp_path / "b.npy").read_bytes(), IDS[:2]) == [[0, 2, 1], [1, 3, 0]]


def npy_header(rest: str) -> bytes:
    return (b"\x93NUMPY\x01\x00v\x00{" + rest.encode() + b", }").ljust(127) + b"\n"


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ("(5, 99999999999999)", "list 1 has 99,999,999,999,999 actions"),
        ("(99999999999999, 0)", "has 99,999,999,999,999 lists"),
        ("(5, 0)", "list 1 has 0 actions"),
        ("(5, 9)", "holds 80 bytes, which are not int64"),
        ("(10,)", "expected lists"),
    ],
)
def test_a_table_that_says_it_is_huge_is_not_believed(shape: str, sentence: str) -> None:
    header = npy_header(f"'descr': '<i8', 'fortran_order': False, 'shape': {shape}")
    with pytest.raises(ValueError, match=sentence):
        pickled.lists_in(header + bytes(80), IDS)


OBJECTS = npy_header("'descr': '|O', 'fortran_order': False, 'shape': (5,)")


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
    assert pickled.lists_in(content, IDS) == [[2, 2, 2]] * 5


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (array_of(b"](" + one_list(20_000) + b"h\x00" * 20_000 + b"e"), "has 20,001 lists"),
        (array_of(b"](" + one_list(20_000) + b"h\x00" * 4 + b"e"), "list 1 has 20,000 actions"),
        (array_of(b"](" + b"N" * 200_000 + b"e"), "has more than 101,000 parts"),
        (array_of(doubled(60)), "has 2 lists"),
        (array_of(b"](" + doubled(60) + b"h\x3ch\x3ch\x3ch\x3ce"), "other than whole numbers"),
        (array_of(b"]q\x00h\x00a"), "has 1 list,"),
        (array_of(b"](" + b"](]]e" * 5 + b"e"), "other than whole numbers"),
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


def npz_file(path: Path, **arrays: object) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def test_an_npz_says_the_same(lists: list[list[int]], tmp_path: Path) -> None:
    lengths = [len(row) for row in lists]
    for dtype in (np.uint8, np.int64, ">i4"):
        file = npz_file(
            tmp_path / "a.npz",
            lengths=np.array(lengths),
            actions=np.concatenate(lists).astype(dtype),
        )
        assert [row.tolist() for row in submission.read(file, IDS).actions] == lists


FIVES = np.full(5, 5)
ONES = np.ones(25, np.uint8)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"lengths": FIVES}, "holds 'lengths.npy'; a .npz of lists holds actions and lengths"),
        (
            {"lengths": FIVES, "actions": ONES, "more": ONES},
            "holds 'actions.npy, lengths.npy, more",
        ),
        ({"lengths": FIVES[:4], "actions": ONES}, "has 4 lists, expected 5"),
        ({"lengths": FIVES, "actions": ONES[1:]}, "has 24 actions, but the lengths add up to 25"),
        ({"lengths": FIVES - 5, "actions": ONES}, "list 1 has 0 actions"),
        ({"lengths": FIVES - 6, "actions": ONES}, "list 1 has -1 actions"),
        ({"lengths": FIVES * 300, "actions": ONES}, "list 1 has 1,500 actions"),
        ({"lengths": FIVES, "actions": ONES * 4}, "list 1, action 1 is 4"),
        ({"lengths": FIVES, "actions": ONES * 0.5}, "float64 of shape .*, expected whole numbers"),
        ({"lengths": FIVES, "actions": ONES[None]}, "actions has shape .*, expected a row"),
        ({"lengths": FIVES, "actions": ONES.astype(object)}, "expected whole numbers"),
        ({"lengths": FIVES, "actions": np.ones(10**7, np.uint8)}, "unpacks to more than 50,128"),
        ({"lengths": np.ones(10**6), "actions": ONES}, "lengths.npy unpacks to more than 10,168"),
    ],
)
def test_wrong_npz_are_rejected(arrays: dict, sentence: str, tmp_path: Path) -> None:
    file = npz_file(tmp_path / "a.npz", **arrays)
    with pytest.raises(SubmissionError, match=sentence):
        submission.read(file, IDS)


@pytest.mark.parametrize("claimed", [60_000, 200, 10**9])
def test_an_npz_s_own_word_for_its_size_is_not_believed(claimed: int, tmp_path: Path) -> None:
    """The entry ``actions`` tells another size than it has, or its header does."""
    whole = npz_file(tmp_path / "a.npz", actions=np.ones(60_000 - 128, np.uint8), lengths=FIVES)
    content = whole.read_bytes().replace(*(n.to_bytes(4, "little") for n in (60_000, claimed)))
    whole.write_bytes(content)
    with pytest.raises(SubmissionError, match=r"unpacks to more than|is a damaged .npz|bytes"):
        submission.read(whole, IDS)
    head = npy_header(f"'descr': '<i8', 'fortran_order': False, 'shape': ({claimed},)")
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("actions.npy", head + bytes(80))
        archive.writestr("lengths.npy", head + bytes(40))
    with pytest.raises(SubmissionError, match="holds 80 bytes, which are not int64"):
        submission.read(whole, IDS)


@pytest.mark.parametrize(
    "content", [b"hello", b"\x80\x04]q\x00.", b"\x89PNG\r\n", b"1,2,3\n", bytes(99), b"PK\x05\x06"]
)
def test_another_format_is_told_those_that_are_read(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(SubmissionError, match="in none of the formats") as told:
        submission.read(tmp_path / "a.bin", IDS)
    assert all(f".{name}" in str(told.value) for name in ("json", "npz", "npy", "safetensors"))


def test_a_file_of_lists_is_no_larger_than_lists(lists: list[list[int]], tmp_path: Path) -> None:
    wide = tmp_path / "wide.json"
    wide.write_text("\ufeff" + json.dumps({"actions": lists}, indent=8))
    assert [row.tolist() for row in submission.read(wide, IDS).actions] == lists
    wide.write_text("[" + "[]," * 200_000 + "[]]")
    with pytest.raises(SubmissionError, match=r"has 600.\d kB; the lists need at most 345.0 kB"):
        submission.read(wide, IDS)


def test_many_empty_lists_of_a_safetensors_are_not_made(tmp_path: Path) -> None:
    tensors = {"actions": np.zeros(0, np.uint8), "lengths": np.zeros(400_000, np.int64)}
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors))
    with pytest.raises(SubmissionError, match="has 400,000 lists, expected 5"):
        submission.read(path, IDS)
