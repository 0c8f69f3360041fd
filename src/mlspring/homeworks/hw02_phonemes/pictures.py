"""What phones look like: the spectrum that the cepstra keep, around some runs of each class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlspring.core.cepstra import NUM_BANDS, spectrum
from mlspring.homeworks.hw02_phonemes.utterances import NUM_CLASSES, Utterances

REACH = 15  # frames to each side of the middle of a run
NUM_ROWS, NUM_PICTURES = 16, 12  # classes, the most frequent ones; runs of each, the first ones
MARK = 2  # pixels at the foot: black under the frames of the run itself


def picture_rows(utterances: Utterances, phones: Sequence[str]) -> dict[str, NDArray[np.uint8]]:
    """Return pictures by class: name -> uint8 (k, 25, 31), low frequencies at the foot, loud dark.

    Each shows 0.3 s around the middle of a run of the class.
    """
    labels = utterances.labels
    assert labels is not None
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    starts = runs(labels, utterances.offsets)
    ends = np.append(starts[1:], len(labels))
    rows = {}
    for number in np.argsort(-counts, kind="stable")[: min(NUM_ROWS, np.count_nonzero(counts))]:
        chosen = np.flatnonzero(labels[starts] == number)[:NUM_PICTURES]
        pictures = [_picture(utterances, int(starts[i]), int(ends[i])) for i in chosen]
        rows[f"{phones[number]}  ({counts[number] / len(labels):.1%})"] = np.stack(pictures)
    return rows


def runs(labels: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows where a run of one class begins; none goes on into another utterance."""
    changes = np.flatnonzero(np.diff(labels.astype(np.int64))) + 1
    return np.union1d(changes, offsets[:-1])


def _picture(utterances: Utterances, start: int, end: int) -> NDArray[np.uint8]:
    """Return the picture of one run; what lies beyond its utterance is white."""
    number = int(np.searchsorted(utterances.offsets, start, side="right")) - 1
    first, last = utterances.offsets[number : number + 2].tolist()
    rows = (start + end) // 2 + np.arange(-REACH, REACH + 1)
    inside = (rows >= first) & (rows < last)
    bands = spectrum(utterances.features[rows[inside]])
    low, high = bands.min(), bands.max()
    picture = np.full((NUM_BANDS + MARK, len(rows)), 255, np.uint8)
    scaled = 255 - 255 * (bands - low) / max(high - low, 1e-9)
    picture[:NUM_BANDS, inside] = scaled.T[::-1].astype(np.uint8)
    picture[NUM_BANDS:, (rows >= start) & (rows < end)] = 0
    return picture
