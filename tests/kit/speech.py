"""Frames for tests, from which one sees where they were taken."""

import numpy as np
import torch

from mlspring.kit.frames import Frames


def frames(lengths: list[int], seed: int = 0) -> Frames:
    """Return frames whose first number is their row and whose second is their utterance."""
    draw = np.random.default_rng([seed, 7])
    features = draw.normal(0, 1, (sum(lengths), 39)).astype(np.float32)
    features[:, 0] = np.arange(len(features))
    features[:, 1] = np.repeat(np.arange(len(lengths)), lengths)
    return Frames(
        features=torch.from_numpy(features),
        offsets=torch.tensor([0, *np.cumsum(lengths).tolist()]),
        labels=torch.from_numpy(draw.integers(0, 41, len(features)).astype(np.uint8)),
    )
