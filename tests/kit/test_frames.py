"""Windows and whole utterances against plain loops."""

import pytest
import torch

from mlspring.kit.frames import Frames, padded, windows
from tests.kit.speech import frames

LENGTHS = [5, 1, 9, 4, 7, 6, 3, 8]


def plain_window(data: Frames, row: int, n: int) -> list[float]:
    """Return the window of one frame as the slides describe it: ends are repeated."""
    utterance = next(i for i, end in enumerate(data.offsets[1:].tolist()) if row < end)
    first, behind = data.offsets[utterance : utterance + 2].tolist()
    rows = [min(max(row + k, first), behind - 1) for k in range(-(n // 2), n // 2 + 1)]
    return [value for r in rows for value in data.features[r].tolist()]


@pytest.mark.parametrize("n", [1, 3, 11, 21])
def test_windows_repeat_the_ends_and_cross_no_utterance(n: int) -> None:
    data = frames(LENGTHS)
    rows = torch.arange(sum(LENGTHS))
    found = windows(data, rows, n)
    assert found.shape == (sum(LENGTHS), 39 * n)
    assert found.tolist() == [plain_window(data, row, n) for row in rows.tolist()]


def test_the_middle_of_a_window_is_the_frame_itself() -> None:
    data = frames(LENGTHS)
    rows = torch.tensor([40, 3, 3, 17])
    assert windows(data, rows, 11).view(4, 11, 39)[:, 5, 0].tolist() == [40, 3, 3, 17]


def test_rows_of_some_utterances_are_in_their_order() -> None:
    data = frames(LENGTHS)
    assert data.rows(torch.tensor([3, 1])).tolist() == [15, 16, 17, 18, 5]
    assert data.rows(torch.tensor([], dtype=torch.int64)).tolist() == []
    assert data.lengths(torch.tensor([7, 0])).tolist() == [8, 5]


def test_utterances_are_padded_with_zeros() -> None:
    data = frames(LENGTHS)
    inputs, lengths = padded(data, torch.tensor([2, 1, 3]))
    assert inputs.shape == (3, 9, 39)
    assert lengths.tolist() == [9, 1, 4]
    for place, number in enumerate((2, 1, 3)):
        first, behind = data.offsets[number : number + 2].tolist()
        assert torch.equal(inputs[place, : behind - first], data.features[first:behind])
        assert not inputs[place, behind - first :].any()
