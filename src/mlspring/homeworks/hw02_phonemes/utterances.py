"""Utterances one after the other: one array of frames, and where each utterance begins."""

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


def speaker_of(name: str) -> str:
    """Return who speaks in an utterance: what stands before the first hyphen."""
    return name.partition("-")[0]
