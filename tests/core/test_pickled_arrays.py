"""Pickled arrays from anyone: any bytes give a value or a ValueError, soon and in little memory."""

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlspring.core.pickled_arrays import Call, plain, read_npy

MAX_OPCODES = 5_000
HEADER = (b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (5,), }").ljust(
    127
) + b"\n"
SEARCH = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def array_of(rows: list[object]) -> np.ndarray:
    array = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        array[place] = row
    return array


EXAMPLES = [
    HEADER + pickle.dumps(array_of(rows), protocol=protocol)
    for protocol in (2, 4)
    for rows in (
        [[0, 1], [2]],
        [[np.int64(1)], [np.array(2)], [np.array([3], ">i2")]],
        [np.array([1, 2]), np.array([3, 1], dtype=object)],
    )
]
OPCODES = [
    *(b"](", b"e", b"a", b"t", b"l", b")", b"}", b"N", b"K\x02", b"0", b"1", b"2", b"."),
    *(b"q\x00", b"q\x01", b"h\x00", b"h\x01", b"\x94", b"R", b"b", b"\x93", b"\x85", b"\x86"),
    *(b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy.core.multiarray\nscalar\n"),
    *(b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"c_codecs\nencode\n", b"ctorch\n_x\n"),
    *(b"\x8c\x02i8", b"\x8c\x06latin1", b"C\x08\x01\x00\x00\x00\x00\x00\x00\x00", b"I01\n"),
    *(b"\x8a\xff" + b"\x7f" * 255, b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x96" + b"\xff" * 8),
    *(
        b"r\xff\xff\xff\xff",
        b"(K\x01(K\x01tNN",
        b"\x95\xff\xff\xff\xff\xff\xff\xff\xff",
        b"Q",
        b"P\n",
    ),
]


def bounded(content: bytes) -> bool:
    """Read; nothing but a ValueError may come out, and no more memory than a few bytes a byte."""
    tracemalloc.start()
    try:
        items = read_npy(content, MAX_OPCODES)
        for item in list(items)[:10] if isinstance(items, list | tuple) else []:
            plain(item)
    except ValueError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2_000_000 + 400 * len(content)
    return True


@SEARCH
@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    assert bounded(content)
    assert bounded(HEADER + content)


@SEARCH
@given(st.lists(st.sampled_from(OPCODES), max_size=80), st.sampled_from([b"", b"."]))
def test_any_opcodes(opcodes: list[bytes], end: bytes) -> None:
    assert bounded(HEADER + b"".join(opcodes) + end)


@SEARCH
@example(EXAMPLES[0], [(131, 92)])  # an unknown escape in a name: Python warns of it
@given(
    st.sampled_from(EXAMPLES),
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_any_damage(content: bytes, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(content)
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    assert bounded(bytes(damaged))


@SEARCH
@given(st.text(alphabet="{}'descrfotan_hp:() ,|O<i8FalseTru0123456789\n", max_size=110))
def test_any_header(header: str) -> None:
    assert bounded(b"\x93NUMPY\x01\x00v\x00" + header.encode().ljust(117) + b"\n" + bytes(80))


@pytest.mark.parametrize("content", EXAMPLES)
def test_what_is_not_damaged_is_read(content: bytes) -> None:
    expected = pickle.loads(content[len(HEADER) :])
    read = read_npy(content, MAX_OPCODES)
    for ours, theirs in zip(read, expected, strict=True):
        values = [plain(value) for value in plain(ours)]
        assert [int(np.asarray(v).item()) for v in values] == [
            int(np.asarray(v).item()) for v in theirs
        ]


def test_a_long_name_is_not_kept_many_times() -> None:
    """A name of a megabyte, named ten thousand times, would take ten gigabytes."""
    name = b"X" + (1_000_000).to_bytes(4, "little") + b"torch " + b"y" * 999_994
    content = HEADER + b"](" + name + b"q\x00" + b"h\x00h\x00\x93" * 1000 + b"e."
    assert bounded(content)


def test_a_tensor_is_recognised_and_not_read() -> None:
    content = HEADER + b"ctorch._utils\n_rebuild_tensor_v2\n(tR."
    made = read_npy(content, MAX_OPCODES)
    assert isinstance(made, Call) and made.is_tensor
