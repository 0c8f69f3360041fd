"""Other speakers out of known ones: utterances whose vocal tract is longer or shorter.

Source: vocal tract length perturbation, Jaitly & Hinton 2013. The matrices are ``core.cepstra``'s.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from mlspring.core import cepstra
from mlspring.core.speech_features import NUM_CEPSTRA
from mlspring.kit.frames import Frames
from mlspring.kit.seeding import generator

NUM_FACTORS = 65  # stretches that are drawn from


def stretches(largest: float) -> Tensor:
    """Return matrices (65, 13, 39): cepstra to stretched cepstra with both differences.

    Factors lie evenly from 1 - ``largest`` to 1 + ``largest``; the middle one stretches nothing.
    """
    first = cepstra.difference_matrix()
    both = np.concatenate([np.eye(NUM_CEPSTRA), first, first @ first], axis=1)
    factors = np.linspace(1 - largest, 1 + largest, NUM_FACTORS)
    return torch.from_numpy(np.stack([cepstra.stretch(f) @ both for f in factors])).float()


def stretched(inputs: Tensor, lengths: Tensor, scales: Tensor, matrices: Tensor) -> Tensor:
    """Return utterances (b, t, 39) as other speakers would have said them, normalised again.

    Args:
        inputs: padded with zeros, which stay.
        lengths: (b,), frames of each.
        scales: (b, 13), ``cepstra.deviations`` of each.
        matrices: (b, 13, 39), of ``stretches``, one each.
    """
    moved = (inputs[:, :, :NUM_CEPSTRA] * scales[:, None]) @ matrices
    variance = moved.square().sum(1, keepdim=True) / (lengths - 1).clamp(min=1)[:, None, None]
    return moved / variance.sqrt().clamp(min=1e-6)


class Stretch:
    """Stretches utterances at random; what is drawn depends on step and place in it alone.

    Args:
        frames: of all utterances.
        largest: change of the vocal tract's length, a share of it.
        seed: fixes what is drawn.
    """

    def __init__(self, frames: Frames, largest: float, seed: int) -> None:
        device, self._seed = frames.features.device, seed
        features, offsets = frames.features.cpu().numpy(), frames.offsets.tolist()
        parts = (features[start:end] for start, end in pairwise(offsets))
        scales = np.stack([cepstra.deviations(part) for part in parts])
        self.scales = torch.from_numpy(scales).float().to(device)
        self.matrices = stretches(largest).to(device)

    def __call__(self, batch: tuple[Tensor, Tensor], numbers: Tensor, step: int, at: int) -> Tensor:
        """Return the stretched inputs of ``batch``: inputs (b, t, 39) and lengths (b,).

        Args:
            batch: utterances side by side.
            numbers: (b,), which they are.
            step: counted from 1.
            at: place of the first of them in the step.
        """
        stream = generator(self._seed, "stretch", step)
        draws = torch.randint(NUM_FACTORS, (at + len(numbers),), generator=stream)[at:]
        matrices = self.matrices[draws.to(numbers.device)]
        return stretched(*batch, self.scales[numbers], matrices)
