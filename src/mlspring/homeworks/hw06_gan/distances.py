"""How far generated faces are from real ones: two distances between sets of features.

Letters: N pictures of one set, M of the other, F features. All in float64.
"""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]
PIECE = 50  # rows, of the kernel distance's standard error


def frechet_distance(a: Features, b: Features) -> float:
    """Return the Frechet distance of the Gaussians fitted to two sets, (N, F) and (M, F).

    |mu_a - mu_b|^2 + tr(A + B - 2 (A B)^(1/2)), Heusel et al. 2017, arXiv:1706.08500. It is biased
    upwards, the more the fewer pictures: two samples of one set are never at 0. So compare sets of
    equal size, and read it beside the distance of two halves of the real faces.
    """
    mean_a, mean_b = a.mean(0), b.mean(0)
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = symmetric_root(cov_a)
    # (A B)^(1/2) and (A^(1/2) B A^(1/2))^(1/2) have one trace; the latter is symmetric.
    inner = symmetric_root(root @ cov_b @ root)
    gap = mean_a - mean_b
    distance = gap @ gap + np.trace(cov_a) + np.trace(cov_b) - 2 * np.trace(inner)
    return max(float(distance), 0.0)


def symmetric_root(matrix: Features) -> Features:
    """Return the root of a symmetric positive semi-definite matrix (F, F), by its eigenvalues.

    Rounding leaves tiny negative eigenvalues where a matrix is singular; they count as 0.
    """
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    roots: Features = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return roots


def kernel_distance(a: Features, b: Features) -> float:
    """Return the unbiased kernel distance (KID) of two sets, (N, F) and (M, F).

    The squared maximum mean discrepancy with k(x, y) = (x y / F + 1)^3, Binkowski et al. 2018,
    arXiv:1801.01401. Its mean over samples of one set is 0, so it may be a little negative.
    """
    within_a, within_b = (
        _mean_without_diagonal(_kernel(a, a)),
        _mean_without_diagonal(_kernel(b, b)),
    )
    return within_a + within_b - 2 * float(_kernel(a, b).mean())


def kernel_distance_error(a: Features, b: Features) -> float:
    """Return the standard error of ``kernel_distance``, from distances of pieces of both sets.

    Pieces of 50 rows in order; the error of n of them together is that of one over sqrt(n).
    Fewer than two whole pieces cannot tell: 0.
    """
    num = min(len(a), len(b)) // PIECE
    if num < 2:
        return 0.0
    pieces = (slice(i * PIECE, (i + 1) * PIECE) for i in range(num))
    values = [kernel_distance(a[piece], b[piece]) for piece in pieces]
    return float(np.std(values, ddof=1) / np.sqrt(num))


def _kernel(a: Features, b: Features) -> Features:
    values: Features = (a @ b.T / a.shape[1] + 1) ** 3
    return values


def _mean_without_diagonal(kernel: Features) -> float:
    num = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (num * (num - 1)))
