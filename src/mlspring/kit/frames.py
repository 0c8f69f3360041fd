"""Frames of many utterances in one array: windows and whole utterances are gathered by index.

So the data are held once, whatever the window. The course's code for homework 2 wrote every window
out: for n = 21 frames it held the features 21 times.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


@dataclass(frozen=True, kw_only=True)
class Frames:
    """n utterances of T frames together, on the device.

    Args:
        features: float32 (T, d).
        offsets: int64 (n + 1,); utterance i has rows offsets[i] to offsets[i + 1].
        labels: the class of each frame, uint8 (T,), where there is one.
    """

    features: Tensor
    offsets: Tensor
    labels: Tensor | None = None

    def lengths(self, numbers: Tensor) -> Tensor:
        """Return the frames of each of the utterances ``numbers``, int64 (b,)."""
        return self.offsets[numbers + 1] - self.offsets[numbers]

    def rows(self, numbers: Tensor) -> Tensor:
        """Return the rows of all frames of the utterances ``numbers``, in their order."""
        lengths = self.lengths(numbers)
        shifts = self.offsets[numbers] - (lengths.cumsum(0) - lengths)
        shifts = shifts.repeat_interleave(lengths)
        return torch.arange(len(shifts), device=shifts.device) + shifts

    def targets(self, rows: Tensor) -> Tensor:
        """Return the classes of ``rows``, int64."""
        assert self.labels is not None
        return self.labels[rows].long()


def window_rows(offsets: Tensor, rows: Tensor, n: int) -> Tensor:
    """Return which rows the windows of n frames around ``rows`` hold: int64 (m, n).

    At the ends of an utterance its first or last frame is repeated: no window crosses them.
    """
    utterances = torch.searchsorted(offsets, rows, right=True) - 1
    first, last = offsets[utterances], offsets[utterances + 1] - 1
    reach = torch.arange(-(n // 2), n // 2 + 1, device=rows.device)
    return (rows[:, None] + reach).clamp(first[:, None], last[:, None])


def windows(frames: Frames, rows: Tensor, n: int) -> Tensor:
    """Return the n frames around each of ``rows``, in order of time: float32 (m, d n)."""
    if n == 1:
        return frames.features.index_select(0, rows)
    around = window_rows(frames.offsets, rows, n)
    return frames.features.index_select(0, around.flatten()).view(len(rows), -1)


def padded(frames: Frames, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Return utterances side by side, float32 (b, t, d) with zeros behind, and lengths (b,)."""
    starts, ends = frames.offsets[numbers].tolist(), frames.offsets[numbers + 1].tolist()
    parts = [frames.features[start:end] for start, end in zip(starts, ends, strict=True)]
    return pad_sequence(parts, batch_first=True), frames.lengths(numbers)
