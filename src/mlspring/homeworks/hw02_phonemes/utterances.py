"""Utterances one after the other: one array of frames, and where each utterance begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUM_CLASSES, NUM_FEATURES = 41, 39


@dataclass(frozen=True, kw_only=True)
class Utterances:
    """n utterances of T frames together.

    Args:
        features: float32 (T, 39), MFCCs.
        offsets: int64 (n + 1,); utterance i has rows offsets[i] to offsets[i + 1].
        names: speaker-chapter-utterance, one each.
        labels: uint8 (T,), the class of each frame; None where nobody may know.
    """

    features: NDArray[np.float32]
    offsets: NDArray[np.int64]
    names: tuple[str, ...]
    labels: NDArray[np.uint8] | None = None


def joined(
    names: Sequence[str],
    features: Sequence[NDArray[np.float32]],
    labels: Sequence[NDArray[np.uint8]] | None = None,
) -> Utterances:
    """Return utterances, each with its features (t, 39) and perhaps labels (t,), as one array."""
    return Utterances(
        features=np.concatenate([np.empty((0, NUM_FEATURES), np.float32), *features]),
        offsets=np.cumsum([0, *map(len, features)], dtype=np.int64),
        names=tuple(names),
        labels=None if labels is None else np.concatenate([np.empty(0, np.uint8), *labels]),
    )


def speaker_of(name: str) -> str:
    """Return who speaks in an utterance: what stands before the first hyphen."""
    return name.partition("-")[0]
