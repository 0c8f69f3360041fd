"""Counting in an ONNX file: what counts, what is refused, and that damage is told."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import SubmissionError
from mlspring.homeworks.hw13_compression import submission
from mlspring.homeworks.hw13_compression.onnx_file import MAX_BYTES, count_parameters

FLOAT, FLOAT16, INT8, INT64, DOUBLE = 1, 10, 3, 7, 11
TYPES = {FLOAT: "<f4", FLOAT16: "<f2", INT8: "i1", INT64: "<i8", DOUBLE: "<f8"}
EXTERNAL = (14, 1)


def varint(number: int) -> bytes:
    rest, low = number >> 7, number & 0x7F
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def message(*fields: tuple[int, int | bytes | str]) -> bytes:
    """Return the bytes of a protobuf message."""
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts.append(varint(number << 3) + varint(value))
        else:
            content = value.encode() if isinstance(value, str) else value
            parts.append(varint(number << 3 | 2) + varint(len(content)) + content)
    return b"".join(parts)


def tensor(
    name: str, shape: tuple[int, ...], kind: int = FLOAT, *more: tuple[int, int | bytes]
) -> bytes:
    raw = np.ones(shape, TYPES[kind]).tobytes()
    return message(*((1, n) for n in shape), (2, kind), (8, name), (9, raw), *more)


def node(operator: str, inputs: str = "", *attributes: bytes, domain: str = "") -> bytes:
    fields = [(1, name) for name in inputs.split()] + [(2, "y"), (4, operator)]
    return message(*fields, *((5, a) for a in attributes), *([(7, domain)] if domain else []))


def model(*fields: tuple[int, bytes], more: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    """Return a file whose graph has these fields."""
    return message((1, 8), (2, "by hand"), (7, message(*fields)), *more)


WEIGHT = (5, tensor("w", (4, 3, 3, 3)))
NORM = node("BatchNormalization", "x scale bias mean var")
NORMED = tuple((5, tensor(name, (7,))) for name in ("scale", "bias", "mean", "var"))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((WEIGHT,), 108),
        ((WEIGHT, (5, tensor("b", (4,), FLOAT16)), (5, tensor("s", (), DOUBLE))), 113),
        ((WEIGHT, (5, tensor("q", (50,), INT8)), (5, tensor("shape", (2,), INT64))), 160),
        ((WEIGHT, (5, message((1, varint(2) + varint(3)), (2, INT8), (9, bytes(6))))), 114),
        ((WEIGHT, WEIGHT), 216),  # of one name: which one is read is not asked
        (((1, node("Constant", "", message((1, "value"), (5, tensor("", (9,)))))),), 9),
        ((WEIGHT, (1, node("Conv", "x w", message((1, "strides"), (8, 2), (8, 2))))), 108),
        ((WEIGHT, (1, node("Scale", "x", message((1, "scales"), (7, bytes(40)))))), 118),
        ((*NORMED, (1, NORM)), 14),
        ((*NORMED, (1, NORM), (1, node("Add", "x mean"))), 21),
        ((*NORMED, (1, node("BatchNormalization", "x scale bias mean var", domain="my"))), 28),
        (NORMED, 28),
    ],
)
def test_every_stored_number_counts_except_statistics(
    fields: tuple[tuple[int, bytes], ...], expected: int
) -> None:
    assert count_parameters(model(*fields)) == expected


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((), "holds no weights"),
        (((5, tensor("w", (2,), FLOAT, EXTERNAL)),), "w lies in another file"),
        (((5, message((1, 2), (2, 1), (8, "w"), (4, bytes(8)))),), "not stored as raw bytes"),
        (((5, message((1, 2), (2, 1), (8, "w"), (9, bytes(4000)))),), r"4,000 bytes .*\(2,\)"),
        (((5, message((1, 2), (2, 22), (8, "w"), (9, bytes(1)))),), r"a data type .* \(22\)"),
        (((5, message((2, 3), (8, "w"), *[(1, 1)] * 9, (9, bytes(1)))),), "has 9 dimensions"),
        (((5, tensor("w", (2,), FLOAT, (9, bytes(8)))),), "not stored as raw bytes"),
        (((15, b""), WEIGHT), "sparse tensors"),
        (((1, node("If", "x", message((1, "then"), (6, b"")))), WEIGHT), "sub-graphs"),
        (((1, node("X", "x", message((1, "a"), (22, b"")))), WEIGHT), "sparse"),
        (((1, node("Constant", "", message((7, bytes(40))))), WEIGHT), "constant that is no"),
        (((1, node("Constant", "", message((4, b"text")))), WEIGHT), "constant that is no"),
        (((5, 3),), "cannot be read as ONNX"),
    ],
)
def test_what_could_hide_weights_is_refused(
    fields: tuple[tuple[int, bytes], ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        count_parameters(model(*fields))


@pytest.mark.parametrize("number", [20, 25])
def test_functions_and_training_information_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="holds functions"):
        count_parameters(model(WEIGHT, more=((number, b""),)))


@pytest.mark.parametrize("kind", [FLOAT, FLOAT16, DOUBLE])
@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_weights_must_be_finite(kind: int, value: float) -> None:
    raw = np.array([1, value], TYPES[kind]).tobytes()
    with pytest.raises(ValueError, match="w holds values that are NaN"):
        count_parameters(model((5, message((1, 2), (2, kind), (8, "w"), (9, raw)))))


def test_a_file_cut_anywhere_is_told() -> None:
    whole = model(WEIGHT, (1, NORM), *NORMED)
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="cannot be read as ONNX"):
            count_parameters(whole[:length])


@pytest.mark.parametrize("content", [b"\x0b", b"\xff" * 30, b"\x80\x04\x95pickle", b"PK\x03\x04"])
def test_other_files_are_no_onnx(content: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read as ONNX"):
        count_parameters(content)


def test_random_damage_ends_in_a_count_or_a_reason() -> None:
    whole = np.frombuffer(model(WEIGHT, (1, NORM), *NORMED), np.uint8)
    random = np.random.default_rng(0)
    for _ in range(2000):
        damaged = whole.copy()
        places = random.integers(len(whole), size=3)
        damaged[places] = random.integers(256, size=3)
        try:
            assert count_parameters(damaged.tobytes()) > 0
        except ValueError as reason:
            assert str(reason)


def test_a_large_file_is_not_looked_into() -> None:
    with pytest.raises(ValueError, match="at most 2,000,000 are read"):
        count_parameters(bytes(MAX_BYTES + 1))


def hand_in(tmp_path: Path, **networks: bytes) -> Path:
    path = tmp_path / "submission.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("submission.csv", "Id,Category\n0000,3\n")
        for name, content in networks.items():
            archive.writestr(f"{name}.onnx", content)
    return path


def test_onnx_files_are_handed_in_and_their_parameters_added_up(tmp_path: Path) -> None:
    half = model((5, tensor("w", (500, 100))))
    found = submission.read(hand_in(tmp_path, a=half, b=half), ["0000"])
    assert found.num_parameters == 100_000
    with pytest.raises(SubmissionError, match="has 100,108 parameters in 3 networks"):
        submission.read(hand_in(tmp_path, a=half, b=half, c=model(WEIGHT)), ["0000"])


def test_a_bad_onnx_file_is_named_inside_the_archive(tmp_path: Path) -> None:
    path = hand_in(tmp_path, student=model())
    with pytest.raises(SubmissionError, match=r"student\.onnx: holds no weights") as raised:
        submission.read(path, ["0000"])
    assert str(path) in str(raised.value)
