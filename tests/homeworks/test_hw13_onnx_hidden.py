"""Ways to hide numbers in an ONNX file: each counts, is refused, or is over the budget of bytes."""

import struct
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import SubmissionError
from mlspring.homeworks.hw13_compression import submission
from mlspring.homeworks.hw13_compression.onnx_file import FREE_BYTES, over_budget, read_network
from tests.tiny.onnx_files import (
    DOUBLE,
    FLOAT,
    FLOAT16,
    INT8,
    INT64,
    WEIGHT,
    count_parameters,
    hand_in,
    message,
    model,
    node,
    norms,
    packed,
    setting,
    tensor,
    tensors,
    typed,
)

MEANS = "mean0 mean1 mean2 mean3 mean4"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # A mean and a variance a scale: nodes that share it would hide one more each.
        ((*tensors(f"s b var {MEANS}"), *norms("x s b mean# var")), 7 * 6),
        ((*tensors(f"s s1 b var {MEANS}"), *norms("x s b mean# var")), 7 * 7),
        ((*tensors(f"{MEANS} b m v"), *norms("x mean# b m v")), 7 * 6),
        ((*tensors(f"b var {MEANS}"), *norms("x computed# b mean# var")), 7 * 7),
        (
            (*tensors("s0 s1 b"), *tensors("mean0 mean1 var", (8,)), *norms("x s# b mean# var", 2)),
            7 * 3 + 8 * 3,
        ),
        ((*tensors("s b mean var"), *tensors("mean", (9,)), *norms("x s b mean var", 1)), 14 + 9),
        ((*tensors("s b mean"), *norms("x s b mean mean", 1)), 14),
        ((*tensors("s b"), *norms("x s b s b", 1)), 14),
    ],
)
def test_a_scale_pays_for_one_mean_and_one_variance(
    fields: tuple[tuple[int, bytes], ...], expected: int
) -> None:
    assert count_parameters(model(*fields)) == expected


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        (setting((8, packed(*range(16)))), 0),
        (setting(*((8, -1) for _ in range(17))), 17),
        (setting((8, packed(*range(64)))), 64),
        (setting((8, packed(*range(130_000)))), 260_000),
        (setting((4, b"constant")), 0),
        (setting((4, bytes(65))), 17),
        (setting(*((9, b"0.125") for _ in range(100))), 125),
        (setting((2, 0.5)), 0),
        (setting((7, 0.5), (7, 1.5)), 2),
        (setting((7, bytes(400))), 100),
    ],
)
def test_numbers_among_the_settings_of_an_operator_count(attribute: bytes, expected: int) -> None:
    encoder = node("LabelEncoder", "x", attribute, domain="ai.onnx.ml")
    assert count_parameters(model(WEIGHT, (1, encoder))) == 108 + expected


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        (setting((2, 0.5)), 1),
        (setting((3, 7)), 1),
        (setting((4, b"text!")), 2),
        (setting((7, 0.5), (7, 1.5)), 2),
        (setting((8, 1), (8, -1)), 2),
        (setting((8, packed(*range(65)))), 130),
        (setting((9, b"some"), (9, b"text")), 2),
        (setting((5, tensor("", (3,), INT64))), 3),
    ],
)
def test_a_constant_counts_however_it_is_written(attribute: bytes, expected: int) -> None:
    constant = (1, node("Constant", "", attribute))
    assert count_parameters(model(WEIGHT, constant)) == 108 + expected


@pytest.mark.parametrize("kind", [INT64, DOUBLE])
def test_what_has_eight_bytes_counts_twice_where_it_is_no_shape(kind: int) -> None:
    assert count_parameters(model((5, tensor("w", (64,), kind)))) == 64
    assert count_parameters(model((5, tensor("w", (65,), kind)))) == 130


@pytest.mark.parametrize(
    "content",
    [
        typed((3,), FLOAT, (4, struct.pack("<3f", 1, 2, 3))),
        typed((3,), FLOAT, (4, 1.0), (4, 2.0), (4, 3.0)),
        typed((3, 1), INT64, (7, packed(1, -1, 2**40))),
        typed((3,), INT64, (7, 1), (7, -1), (7, 2)),
        typed((1, 3), DOUBLE, (10, struct.pack("<3d", 1, 2, 3))),
        typed((3,), INT8, (5, packed(1, -1, 127))),
        typed((3,), FLOAT16, (5, packed(0x3C00, 0xFBFF, 0))),
    ],
)
def test_tensors_of_onnx_helper_count(content: bytes) -> None:
    assert count_parameters(model((5, content))) == 3


@pytest.mark.parametrize(
    "fields",
    [
        (5, typed((2,), FLOAT, (4, 1.0), (4, float("nan")))),
        (5, typed((2,), DOUBLE, (10, struct.pack("<2d", 1, float("inf"))))),
        (5, typed((2,), FLOAT16, (5, packed(0x3C00, 0x7C01)))),
        (1, node("Constant", "", setting((2, float("inf"))))),
        (1, node("Scaler", "x", setting((7, 1.0), (7, float("nan"))), domain="ai.onnx.ml")),
    ],
)
def test_numbers_must_be_finite_however_they_are_written(fields: tuple[int, bytes]) -> None:
    with pytest.raises(ValueError, match="holds values that are NaN or infinite"):
        count_parameters(model(WEIGHT, fields))


def test_a_list_of_no_items_is_a_shape_like_others() -> None:
    assert count_parameters(model(WEIGHT, (5, typed((0,), INT64)))) == 108


def test_weights_written_as_the_order_of_inputs_are_over_budget(tmp_path: Path) -> None:
    """256 numbers, and a node that joins 60,000 of them in an order of one's own."""
    names = [chr(0x100 + i) for i in range(256)]
    codebook = tuple((5, tensor(name, (1,))) for name in names)
    order = np.random.default_rng(0).integers(256, size=60_000)
    joined = model(*codebook, (1, node("Concat", " ".join(names[i] for i in order))))
    stored = read_network(joined)
    assert stored.num_parameters == 256
    assert stored.num_bytes > 4 * 256 + FREE_BYTES
    with pytest.raises(
        SubmissionError, match=r"has 2\d\d,\d\d\d bytes of ONNX, .* 256 .* have 151,024"
    ):
        submission.read(hand_in(tmp_path, a=joined), ["0000"])


def test_the_nodes_of_all_networks_share_one_budget(tmp_path: Path) -> None:
    wordy = model(WEIGHT, *((1, node("Relu", "x" * 1000)) for _ in range(100)))
    path = hand_in(tmp_path, a=wordy)
    assert submission.read(path, ["0000"]).num_parameters == 108
    with pytest.raises(SubmissionError, match="bytes of ONNX"):
        submission.read(hand_in(tmp_path, a=wordy, b=wordy), ["0000"])


def test_notes_that_no_runtime_reads_are_free() -> None:
    """Exporters write where in the source a node comes from: more bytes than the weights have."""
    bare = message((1, "x"), (2, "y"), (4, "Relu"))
    noted = bare + message((3, "name" * 1000), (6, bytes(300_000)), (9, bytes(300_000)))
    plain, wordy = read_network(model(WEIGHT, (1, bare))), read_network(model(WEIGHT, (1, noted)))
    assert wordy.num_parameters == plain.num_parameters
    assert 0 <= wordy.num_bytes - plain.num_bytes < 40
    assert over_budget([wordy]) is None
