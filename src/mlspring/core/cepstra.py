"""What the course's cepstra tell of the spectrum behind them, and stretching it in frequency.

A longer vocal tract moves all resonances down alike. With the cepstra a spectrum is known but for
its fine structure, so a stretch is a matrix: cosine transform back to Kaldi's 23 bands, bands
looked up elsewhere, transform forth.

What deviations the cepstra had before they were normalised the files do not say; it follows from
the differences, which the course took from coefficient to coefficient: column j of these is
(2 (c[j+2] - c[j-2]) + c[j+1] - c[j-1]) / 10, then divided by a deviation of its own.
"""

import numpy as np
from numpy.typing import NDArray

from mlspring.core.speech_features import NUM_CEPSTRA, Floats, differences

NUM_BANDS, LOWEST, HIGHEST = 23, 20.0, 8000.0  # of Kaldi's MFCCs, Hz
LIFTER = 1 + 11 * np.sin(np.pi * np.arange(NUM_CEPSTRA) / 22)
Doubles = NDArray[np.float64]


def deviations(features: Floats) -> Doubles:
    """Return the deviations of the cepstra of an utterance (t, 39) before it was normalised.

    Up to a common factor: (13,), of mean 1. Column j of the first differences is a combination of
    the cepstra with weights L[i, j] s[i] / d[j]; least squares give the weights, the smallest
    singular vector s and d.
    """
    cepstra, first = features[:, :NUM_CEPSTRA], features[:, NUM_CEPSTRA : 2 * NUM_CEPSTRA]
    weights = np.linalg.lstsq(cepstra.astype(np.float64), first.astype(np.float64))[0]
    known, one = difference_matrix(), np.eye(NUM_CEPSTRA)
    rows = [
        np.concatenate([known[i, j] * one[i], -weights[i, j] * one[j]])
        for i in range(NUM_CEPSTRA)
        for j in range(NUM_CEPSTRA)
    ]
    solution = np.abs(np.linalg.svd(np.array(rows), full_matrices=False)[2][-1][:NUM_CEPSTRA])
    return np.asarray(solution / solution.mean())


def stretch(factor: float) -> Doubles:
    """Return the matrix (13, 13) of a stretch; a row of cepstra times it is stretched."""
    band, cosines = np.arange(NUM_BANDS), _cosines()
    low, high = (1127 * np.log1p(f / 700) for f in (LOWEST, HIGHEST))
    step = (high - low) / (NUM_BANDS + 1)
    frequency = 700 * np.expm1((low + step * (band + 1)) / 1127)
    elsewhere = (1127 * np.log1p(factor * frequency / 700) - low) / step - 1
    lookup = np.stack([np.interp(elsewhere, band, one) for one in np.eye(NUM_BANDS)])
    return np.asarray((cosines / LIFTER[:, None]) @ lookup @ (cosines.T * LIFTER))


def spectrum(features: Floats) -> Doubles:
    """Return about the log energies of 23 bands, (t, 23), of an utterance's features (t, 39).

    As the cepstra are normalised: without the utterance's mean.
    """
    return np.asarray((features[:, :NUM_CEPSTRA] / LIFTER) @ _cosines())


def difference_matrix() -> Doubles:
    """Return L (13, 13): cepstra times L are their differences along the coefficients."""
    return differences(np.eye(NUM_CEPSTRA), axis=1)


def _cosines() -> Doubles:
    """Return the cosine transform (13, 23), whose rows are orthonormal."""
    number, band = np.arange(NUM_CEPSTRA)[:, None], np.arange(NUM_BANDS)
    cosines = np.cos(np.pi / NUM_BANDS * number * (band + 0.5)) * np.sqrt(2 / NUM_BANDS)
    cosines[0] /= np.sqrt(2)
    return np.asarray(cosines)
