"""The Frechet and the kernel distance against closed forms and against slower ways."""

import itertools

import numpy as np
import pytest
from scipy import linalg

from mlspring.homeworks.hw06_gan import distances


def test_the_root_of_a_matrix_squares_to_it() -> None:
    rng = np.random.default_rng(0)
    half = rng.normal(size=(5, 3))
    matrix = half @ half.T  # of rank 3
    root = distances.symmetric_root(matrix)
    assert np.allclose(root @ root, matrix)
    assert np.allclose(root, root.T)
    assert np.linalg.eigvalsh(root).min() > -1e-9


def of_moments(mean: np.ndarray, cov: np.ndarray, num: int = 40) -> np.ndarray:
    """Return rows whose sample mean and covariance are exactly these."""
    rows = np.random.default_rng(1).normal(size=(num, len(mean)))
    rows -= rows.mean(0)
    whitened = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    return whitened @ np.linalg.cholesky(cov).T + mean


def test_the_distance_of_two_gaussians_is_the_closed_form() -> None:
    a = of_moments(np.array([0.0, 0.0, 0.0]), np.diag([1.0, 4.0, 9.0]))
    b = of_moments(np.array([1.0, 0.0, -2.0]), np.diag([4.0, 4.0, 1.0]))
    wanted = 5.0 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2  # of diagonal ones: differences of deviations
    assert distances.frechet_distance(a, b) == pytest.approx(wanted)
    assert distances.frechet_distance(b, a) == pytest.approx(wanted)


def test_the_distance_of_any_two_gaussians_is_scipys() -> None:
    rng = np.random.default_rng(2)
    covs = [half @ half.T + np.eye(4) for half in rng.normal(size=(2, 4, 4))]
    means = rng.normal(size=(2, 4))
    a, b = (of_moments(m, c) for m, c in zip(means, covs, strict=True))
    root = linalg.sqrtm(covs[0] @ covs[1]).real
    wanted = ((means[0] - means[1]) ** 2).sum() + np.trace(covs[0] + covs[1] - 2 * root)
    assert distances.frechet_distance(a, b) == pytest.approx(wanted)


def test_equal_sets_are_at_no_distance_though_their_covariance_is_singular() -> None:
    rows = np.random.default_rng(3).normal(size=(6, 20))
    assert distances.frechet_distance(rows, rows) == pytest.approx(0, abs=1e-6)


def test_fewer_rows_of_one_law_are_farther_apart() -> None:
    """The bias that the README states."""
    rng = np.random.default_rng(4)
    few, many = (
        np.mean([distances.frechet_distance(*rng.normal(size=(2, n, 10))) for _ in range(20)])
        for n in (30, 300)
    )
    assert few > 5 * many > 0


def test_the_kernel_distance_is_the_mean_over_pairs() -> None:
    a, b = np.random.default_rng(5).normal(size=(2, 5, 3))

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 3 + 1) ** 3)

    within = [np.mean([kernel(x, y) for x, y in itertools.permutations(s, 2)]) for s in (a, b)]
    across = np.mean([kernel(x, y) for x in a for y in b])
    assert distances.kernel_distance(a, b) == pytest.approx(sum(within) - 2 * across)


def test_the_kernel_distance_of_one_law_is_zero_within_its_error() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(2, 1000, 8))
    error = distances.kernel_distance_error(a, b)
    assert abs(distances.kernel_distance(a, b)) < 4 * error
    assert distances.kernel_distance(a, b + 0.5) > 20 * error


def test_too_few_rows_have_no_error() -> None:
    assert distances.kernel_distance_error(np.ones((80, 2)), np.ones((80, 2))) == 0
