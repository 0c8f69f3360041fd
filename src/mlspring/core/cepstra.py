"""What the course's cepstra tell of the spectrum behind them, and stretching it in frequency.

A longer vocal tract moves all resonances down alike. With the cepstra a spectrum is known but for
its fine structure, so a stretch is a matrix: cosine transform back to Kaldi's 23 bands, bands
looked up elsewhere, transform forth.

What deviations the cepstra had before they were normalised the files do not say; it follows from
the differences, which the course took from coefficient to coefficient: column j of these is
(2 (c[j+2] - c[j-2]) + c[j+1] - c[j-1]) / 10, then divided by a deviation of its own.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from mlspring.core.speech_features import NUM_CEPSTRA, Floats, differences

NUM_BANDS, LOWEST, HIGHEST = 23, 20.0, 8000.0  # of Kaldi's MFCCs, Hz
LIFTER = 1 + 11 * np.sin(np.pi * np.arange(NUM_CEPSTRA) / 22)
Doubles = NDArray[np.float64]


def deviations(features: Floats) -> Doubles:
    """Return the deviations of the cepstra of an utterance (t, 39) before it was normalised.

    Up to a common factor: (13,), of mean 1. Least squares give the weights w[i, j] with which
    cepstrum i stands in column j of the differences; with the deviations s and those of the
    columns d they are L[i, j] s[i] / d[j]. So (s, d) makes sum (L[i, j] s[i] - w[i, j] d[j])^2
    zero: it is the eigenvector of that form's smallest eigenvalue.
    """
    wide = features.astype(np.float64)
    cepstra, first = wide[:, :NUM_CEPSTRA], wide[:, NUM_CEPSTRA : 2 * NUM_CEPSTRA]
    known = difference_matrix()
    weights = np.linalg.pinv(cepstra.T @ cepstra, hermitian=True) @ (cepstra.T @ first)
    mixed = -known * weights
    form = np.block([[np.diag((known**2).sum(1)), mixed], [mixed.T, np.diag((weights**2).sum(0))]])
    solution = np.abs(np.linalg.eigh(form)[1][:NUM_CEPSTRA, 0])
    mean = solution.mean()
    return np.asarray(solution / mean) if mean > 0 else np.ones(NUM_CEPSTRA)  # digital silence


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


@cache
def difference_matrix() -> Doubles:
    """Return L (13, 13): cepstra times L are their differences along the coefficients."""
    return differences(np.eye(NUM_CEPSTRA), axis=1)


def _cosines() -> Doubles:
    """Return the cosine transform (13, 23), whose rows are orthonormal."""
    number, band = np.arange(NUM_CEPSTRA)[:, None], np.arange(NUM_BANDS)
    cosines = np.cos(np.pi / NUM_BANDS * number * (band + 0.5)) * np.sqrt(2 / NUM_BANDS)
    cosines[0] /= np.sqrt(2)
    return np.asarray(cosines)
