"""The course's folder: read, written, and each way in which it can be damaged."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import DataError
from mlspring.homeworks.hw02_phonemes import libriphone
from mlspring.kit.feature_files import read_features
from tests.tiny.phones import features_of, labels_of, name_of, write_libriphone

FIRST = name_of(0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_libriphone(tmp_path / "data") / "libriphone"


def first_file(root: Path) -> Path:
    return root / "feat" / "train" / f"{FIRST}.pt"


def test_frames_and_labels_are_read_in_the_order_of_the_split(root: Path) -> None:
    names = (root / "train_split.txt").read_text().split()[::-1]
    (root / "train_split.txt").write_text("\n".join(names))  # labels are found by their names
    found = libriphone.read_train(root)
    assert found.names == tuple(names)
    assert found.labels is not None
    for place in (0, 7, 19):
        rows, number = slice(*found.offsets[place : place + 2]), 19 - place
        assert found.features[rows].tolist() == features_of(number).tolist()
        assert found.labels[rows].tolist() == labels_of(number).tolist()
    assert found.offsets[-1] == len(found.features) == len(found.labels)


def test_the_test_part_has_frames_and_no_labels(root: Path) -> None:
    found = libriphone.read_test(root)
    assert found.labels is None
    assert found.names == tuple(name_of(n) for n in range(20, 24))
    expected = np.concatenate([features_of(n) for n in range(20, 24)])
    assert found.features.tolist() == expected.tolist()


def test_without_a_test_part_there_is_nothing_to_hand_in(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "test_split.txt").unlink()
    found = libriphone.read_test(root)
    assert found.features.shape == (0, 39)
    assert found.offsets.tolist() == [0]
    assert "nothing is handed in" in capsys.readouterr().err


@pytest.mark.parametrize("levels", ["", "a", "a/b"])
def test_the_folder_is_found_up_to_two_levels_below(levels: str, tmp_path: Path) -> None:
    write_libriphone(tmp_path / "x" / levels)
    if levels == "a/b":  # libriphone itself is the third
        (tmp_path / "x" / levels / "libriphone").rename(tmp_path / "x" / "a" / "c")
    assert libriphone.find(tmp_path / "x").joinpath("train_labels.txt").is_file()


def test_another_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)no train_split\.txt.*mlspring fetch hw02"):
        libriphone.find(tmp_path)


def test_what_is_written_is_read(root: Path, tmp_path: Path) -> None:
    train, test = libriphone.read_train(root), libriphone.read_test(root)
    phones = tuple(f"P{number}" for number in range(41))
    libriphone.write(tmp_path / "out", train, test, phones)
    again = tmp_path / "out" / "libriphone"
    for found, expected in (
        (libriphone.read_train(again), train),
        (libriphone.read_test(again), test),
    ):
        assert found.names == expected.names
        assert np.array_equal(found.features, expected.features)
        assert np.array_equal(found.offsets, expected.offsets)
    assert np.array_equal(libriphone.read_train(again).labels, train.labels)
    assert libriphone.read_phones(again) == phones
    one = again / "feat" / "train" / f"{FIRST}.pt"
    assert one.stat().st_size < 4 * 39 * len(features_of(0)) + 3000, "and not the whole array"


def test_classes_without_a_table_are_called_by_their_numbers(root: Path) -> None:
    assert libriphone.read_phones(root) == tuple(map(str, range(41)))
    (root / "phones.txt").write_text("SIL\nSPN\n")
    with pytest.raises(DataError, match=r"phones\.txt: holds 2 names; expected 41"):
        libriphone.read_phones(root)


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (torch.zeros(0, 39), "is an empty utterance"),
        (torch.zeros(5, 39).double(), "holds float64 numbers"),
        (torch.full((5, 39), float("nan")), "frame 0 holds nan"),
        ({"a": torch.zeros(5, 39)}, "holds a dict, not a plain tensor"),
        (None, "is missing; the split names it"),
    ],
)
def test_a_damaged_tensor_is_told_with_its_file(
    tensor: object, words: str, part: str, root: Path
) -> None:
    name = name_of(0 if part == "train" else 20)
    file = root / "feat" / part / f"{name}.pt"
    file.unlink() if tensor is None else torch.save(tensor, file)
    with pytest.raises(DataError, match=rf"{name}\.pt: {words}"):
        libriphone.read_train(root) if part == "train" else libriphone.read_test(root)


def test_labels_must_be_as_many_as_frames(root: Path) -> None:
    count = len(labels_of(0))
    torch.save(torch.zeros(count + 1, 39), first_file(root))
    expected = rf"has {count + 1} frames; train_labels\.txt has {count} labels for it"
    with pytest.raises(DataError, match=expected):
        libriphone.read_train(root)


def changed_labels(root: Path, change: Callable[[str], str]) -> None:
    path = root / "train_labels.txt"
    path.write_text(change(path.read_text()))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("0 0 41 0", "label 3 of .* is '41'"),
        ("0 -1 0", "label 2 of .* is '-1'"),
        ("0 1.0 0", "label 2 of .* is '1.0'"),
        ("0 sil 0", "label 2 of .* is 'sil'"),
        ("0 ٣ 0", "label 2 of .* is '٣'"),
        ("", "is an empty utterance: it has no label"),
    ],
)
def test_a_label_that_is_no_class_is_told_with_its_row(labels: str, words: str, root: Path) -> None:
    changed_labels(root, lambda text: re.sub(rf"{FIRST} .*", f"{FIRST} {labels}", text))
    with pytest.raises(DataError, match=rf"(?s)train_labels\.txt, row 1: .*{words}.*0 to 40"):
        libriphone.read_train(root)


def test_an_utterance_without_labels_is_told(root: Path) -> None:
    changed_labels(root, lambda text: "".join(text.splitlines(keepends=True)[1:]))
    with pytest.raises(DataError, match=rf"has no labels of {FIRST}, which train_split\.txt names"):
        libriphone.read_train(root)


def test_an_utterance_twice_is_told(root: Path) -> None:
    with (root / "train_split.txt").open("a") as stream:
        stream.write(f"{FIRST}\n")
    with pytest.raises(DataError, match=rf"row 21: {FIRST} stands in row 1 already"):
        libriphone.read_train(root)
    (root / "train_split.txt").write_text(f"{FIRST}\n")
    changed_labels(root, lambda text: text + f"{FIRST} 0 0\n")
    with pytest.raises(DataError, match=rf"row 21: {FIRST} has labels already"):
        libriphone.read_train(root)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "a b"])
def test_a_name_that_is_no_file_name_is_told(name: str, root: Path) -> None:
    (root / "test_split.txt").write_text(f"\n{name}\n")
    with pytest.raises(DataError, match=r"test_split\.txt, row 2: is .*such as 2007-149877-0023"):
        libriphone.read_test(root)


def test_what_is_missing_in_the_split_is_said_and_left_out(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "train_split.txt").write_text(f"{FIRST}\n{name_of(1)}\n")
    found = libriphone.read_train(root)
    assert found.names == (FIRST, name_of(1))
    said = " ".join(capsys.readouterr().err.split())
    assert f"18 utterances, {name_of(2)} first stand not in train_split.txt" in said
    assert said.count("are left out") == 2  # labels and tensors


def test_the_course_s_own_files_are_read(real_data: Path) -> None:
    root = real_data / "hw02" / "libriphone"
    for part, count in (("train", 4286), ("test", 1078)):
        names = libriphone.read_names(root, part)
        assert len(names) == count
        there = [name for name in names if (root / "feat" / part / f"{name}.pt").exists()]
        assert len(there) >= 20
        for name in there:
            features = read_features(root / "feat" / part / f"{name}.pt", 39)
            assert np.abs(features.mean(0)).max() < 1e-3, "normalised by utterance"
    name = "2007-149877-0023"
    labels = libriphone.read_labels(root / "train_labels_one_line.txt", [name])[name]
    features = read_features(root / "feat" / "train" / f"{name}.pt", 39)
    assert len(labels) == len(features)
