"""GEM's projection against its definition: allowed, and nearest; also where numbers are hard."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from mlspring.homeworks.hw14_lifelong.methods import gem, replay
from mlspring.homeworks.hw14_lifelong.methods.gem import nearest_allowed
from tests.tiny.digits import learner

P = 1_462_538  # weights of the course's network
TINY = 1e-5  # of both lengths: what single precision leaves of a product that should be 0


def program(gradient: Tensor, old: Tensor) -> np.ndarray:
    """Return the solution by a general solver of the quadratic program as the paper states it.

    In an orthonormal basis of the gradients, in double precision: the solution lies in their span.
    """
    rows = torch.cat((old, gradient[None])).double()
    rows = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-300)
    basis, _ = torch.linalg.qr(rows.T)
    inside = (rows @ basis).numpy()
    found = minimize(
        lambda z: ((z - inside[-1]) ** 2).sum() / 2,
        np.zeros(len(rows)),
        jac=lambda z: z - inside[-1],
        constraints={
            "type": "ineq",
            "fun": lambda z: inside[:-1] @ z,
            "jac": lambda z: inside[:-1],
        },
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    return (basis.numpy() @ found.x) * float(gradient.double().norm())


def is_projection(gradient: Tensor, old: Tensor) -> bool:
    """Return whether what is found is allowed, and as near as the general solver's."""
    plain = gradient.double()
    found = nearest_allowed(gradient, old).double()
    allowed = old.double() @ found >= -TINY * old.double().norm(dim=1) * plain.norm()
    distance, wanted = (
        float((vector - plain).norm() / plain.norm())
        for vector in (found, torch.from_numpy(program(gradient, old)))
    )
    return bool(allowed.all()) and distance == pytest.approx(wanted, abs=1e-3)


def test_one_violated_task_is_projected_out() -> None:
    draws = torch.Generator().manual_seed(1)
    gradient, old = (torch.randn(50, generator=draws, dtype=torch.float64) for _ in range(2))
    old = old if gradient @ old < 0 else -old
    found = nearest_allowed(gradient, old[None])
    expected = gradient - (gradient @ old) / (old @ old) * old
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


def test_an_allowed_gradient_is_left_as_it_is() -> None:
    old = torch.eye(3, 8)
    gradient = torch.ones(8)
    assert nearest_allowed(gradient, old) is gradient


@pytest.mark.parametrize("seed", range(5))
def test_the_projection_is_the_nearest_allowed_vector(seed: int) -> None:
    """Against a general solver, on the quadratic program as the paper states it."""
    draws = np.random.default_rng(seed)
    old, gradient = draws.normal(size=(4, 8)), draws.normal(size=8)
    found = nearest_allowed(torch.from_numpy(gradient), torch.from_numpy(old)).numpy()
    assert (old @ found > -1e-9).all()
    reference = program(torch.from_numpy(gradient), torch.from_numpy(old))
    assert found == pytest.approx(reference, abs=1e-5)


@pytest.mark.parametrize("apart", [1e-2, 1e-4, 1e-6, 0.0])
def test_old_gradients_that_hardly_differ(apart: float) -> None:
    draws = torch.Generator().manual_seed(0)
    first, noise, gradient = (torch.randn(P, generator=draws) for _ in range(3))
    assert is_projection(gradient - first, torch.stack((first, first + apart * noise)))


@pytest.mark.parametrize("apart", [1e-1, 1e-2, 1e-3])
def test_old_gradients_that_are_nearly_opposite(apart: float) -> None:
    draws = torch.Generator().manual_seed(0)
    first, noise, gradient = (torch.randn(P, generator=draws) for _ in range(3))
    assert is_projection(gradient - first - noise, torch.stack((first, apart * noise - first)))


@pytest.mark.parametrize("size", [1e-5, 1e-12, 1e-20, 1e-25, 1e5, 1e18])
def test_old_gradients_of_very_different_sizes(size: float) -> None:
    draws = torch.Generator().manual_seed(0)
    old = torch.randn(3, 1000, generator=draws)
    gradient = torch.randn(1000, generator=draws) - old.sum(0)
    old[1] *= size
    assert is_projection(gradient, old)
    assert is_projection(gradient * 1e-12, old)


def test_a_zero_gradient_is_no_constraint() -> None:
    draws = torch.Generator().manual_seed(0)
    first, gradient = (torch.randn(1000, generator=draws) for _ in range(2))
    gradient -= first
    alone = nearest_allowed(gradient, first[None])
    both = nearest_allowed(gradient, torch.stack((torch.zeros(1000), first)))
    torch.testing.assert_close(both, alone, rtol=1e-5, atol=1e-6)


def test_a_violated_gradient_that_counts_as_zero_leaves_everything_as_it_is() -> None:
    """The other old gradient is at a right angle: nothing is left that sets the scale."""
    gradient = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    old = torch.tensor([[0.0, 1.0, 0.0], [-1e-35, 0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(nearest_allowed(gradient, old), gradient)


@pytest.mark.parametrize("seed", range(20))
def test_any_set_of_dependent_gradients_is_projected(seed: int) -> None:
    """More rows than directions, repeated and opposite ones, sizes over many orders."""
    draws = np.random.default_rng(seed)
    count, rank = int(draws.integers(2, 20)), int(draws.integers(1, 5))
    old = draws.normal(size=(count, rank)) @ draws.normal(size=(rank, 30))
    old[-1] = -old[0] * draws.choice([0.5, 1.0, -1.0])
    old *= 10.0 ** draws.uniform(-6, 6, size=(count, 1))
    gradient = draws.normal(size=30)
    found = nearest_allowed(torch.from_numpy(gradient), torch.from_numpy(old)).numpy()
    lengths = np.linalg.norm(old, axis=1) * np.linalg.norm(gradient)
    assert (old @ found > -1e-6 * lengths).all()
    # nearest: <g' - g, g'> = 0 is what makes a projection onto a cone of an allowed vector
    assert (found - gradient) @ found == pytest.approx(0, abs=1e-6 * (gradient @ gradient))


@pytest.mark.parametrize("place", ["gradient", "old", "infinite"])
def test_no_number_passes_through(place: str) -> None:
    gradient, old = -torch.ones(10), torch.ones(2, 10)
    if place == "gradient":
        gradient[3] = torch.nan
    else:
        old[1, 3] = torch.nan if place == "old" else torch.inf
    assert nearest_allowed(gradient, old).isnan().all()


def test_a_step_against_an_old_task_is_turned_and_another_is_left_alone() -> None:
    made = learner("gem")
    replay.keep_random_sample(made, 0, 1)
    old = gem.old_gradient(made, 1, 0)
    pieces = old.split([p.numel() for p in made.parameters])
    for sign in (1.0, -1.0):
        for weights, piece in zip(made.parameters, pieces, strict=True):
            weights.grad = sign * piece.view_as(weights).clone()
        gem.project_gradient(made, 1, 1)
        after = torch.cat([g.flatten() for g in made.gradients])
        if sign > 0:
            torch.testing.assert_close(after, old)
        else:
            assert after.norm() < 1e-4 * old.norm()  # nothing but the forbidden part
