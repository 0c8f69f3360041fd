"""Windows of homework 7: every answer is inside one, every prediction is raw text."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mlspring.homeworks.hw07_reading import windows
from mlspring.homeworks.hw07_reading.tokens import Tokenizer, vocabulary

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

PIECES = [
    "臺灣",
    "龘",
    "Fukuoka",
    "naïve",
    " ",
    "  ",
    "1,539",
    "《魯冰花》",
    "😀",
    "　",
    "ﬁ",
    "A-1",
]
texts = (
    st.lists(
        st.sampled_from(PIECES)
        | st.text(alphabet="的了在是九州市abcXYZ0123， 。\n\t鱻é", max_size=6),
        min_size=1,
        max_size=12,
    )
    .map("".join)
    .filter(bool)
)
KNOWN = Tokenizer.of(vocabulary(["臺灣的了在是九州市Fukuokaabcxyz0123，。《》ABC-" * 2], 2))


@patient
@given(text=texts, places=st.data())
def test_a_span_of_tokens_is_the_exact_substring_of_the_raw_text(
    text: str, places: st.DataObject
) -> None:
    """Of any answer whose ends are no blanks, also where the vocabulary has none of it."""
    start = places.draw(st.integers(0, len(text) - 1))
    end = places.draw(st.integers(start, len(text) - 1))
    offsets = KNOWN.encode([text])[0].offsets
    span = windows.token_span(offsets, start, end)
    covered = [t for t, (a, b) in enumerate(offsets) if a <= end and b > start]
    if span is None:
        assert not covered
        return
    assert span == (covered[0], covered[-1])
    found = windows.span_text(text, offsets, *span)
    assert found in text
    begins = {int(a) for a, _ in offsets}
    ends = {int(b) for _, b in offsets}
    if start in begins and end + 1 in ends:
        assert found == text[start : end + 1]


@patient
@given(text=texts)
def test_tokens_stand_in_order_and_leave_out_nothing_but_blanks(text: str) -> None:
    offsets = KNOWN.encode([text])[0].offsets
    assert all(a < b for a, b in offsets)
    assert all(b <= c for (_, b), (c, _) in pairwise(offsets.tolist()))
    kept = {k for a, b in offsets for k in range(a, b)}
    assert "".join(c for k, c in enumerate(text) if k not in kept).strip() == ""


@patient
@given(
    num_tokens=st.integers(1, 900),
    length=st.integers(1, 400),
    stride=st.integers(1, 400),
    places=st.data(),
)
def test_every_answer_is_whole_in_a_window(
    num_tokens: int, length: int, stride: int, places: st.DataObject
) -> None:
    assume(stride <= length)
    starts = windows.starts_of(num_tokens, length, stride)
    assert starts[0] == 0
    assert starts[-1] + length >= num_tokens
    assert all(start < num_tokens for start in starts)
    assert {after - before for before, after in pairwise(starts)} <= {stride}
    if len(starts) > 1:
        assert starts[-2] + length < num_tokens, "one window more than the text needs"
    size = places.draw(st.integers(1, min(num_tokens, length - stride + 1)))
    first = places.draw(st.integers(0, num_tokens - size))
    inside = [start <= first and first + size <= start + length for start in starts]
    assert any(inside)


def test_without_overlap_an_answer_across_a_border_is_in_no_window() -> None:
    starts = windows.starts_of(300, 150, 150)
    assert starts == [0, 150]
    assert not any(start <= 149 and start + 150 >= 151 for start in starts)
    assert windows.starts_of(300, 150, 50) == [0, 50, 100, 150]


@patient
@given(num_tokens=st.integers(1, 500), length=st.integers(1, 200), places=st.data())
def test_a_training_window_holds_the_whole_answer_wherever_it_begins(
    num_tokens: int, length: int, places: st.DataObject
) -> None:
    first = places.draw(st.integers(0, num_tokens - 1))
    last = places.draw(st.integers(first, num_tokens - 1))
    draw = places.draw(st.floats(0, 1, exclude_max=True))
    for start in (
        windows.centred_start(first, last, num_tokens, length),
        windows.any_start(first, last, num_tokens, length, draw),
    ):
        assert 0 <= start <= max(0, num_tokens - length)
        if last - first < length - 1:
            assert start <= first
            assert last < start + length


def test_anywhere_means_each_start_alike_and_centred_means_the_middle() -> None:
    draws = (np.arange(1000) + 0.5) / 1000
    starts = [windows.any_start(100, 109, 300, 50, draw) for draw in draws]
    counts = np.bincount(starts)[60:]
    assert (min(starts), max(starts)) == (60, 100)
    assert counts == pytest.approx(1000 / 41, abs=1)
    assert windows.centred_start(100, 109, 300, 50) == 79
    assert [windows.any_start(3, 5, 20, 50, draw) for draw in (0.0, 0.99)] == [0, 0]


def test_an_answer_longer_than_a_window_is_cut_at_its_end() -> None:
    assert [windows.any_start(10, 99, 200, 50, draw) for draw in (0.0, 0.99)] == [10, 10]
