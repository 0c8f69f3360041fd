"""The judge's networks on real faces and on what young generators make of them."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from benchmarks import features_hw06
from mlspring.core.errors import InternalError
from mlspring.homeworks.hw06_gan import features
from mlspring.homeworks.hw06_gan.distances import (
    frechet_distance,
    kernel_distance,
    kernel_distance_error,
)
from mlspring.homeworks.hw06_gan.features import Pixels
from mlspring.worlds.faces.drawing import draw
from mlspring.worlds.faces.factors import FACTORS, WIDE, sample_face, to_row

NUM = 200  # of each half


@pytest.fixture(scope="module")
def known() -> tuple[Pixels, np.ndarray]:
    """Return faces that no network has seen, drawn here, and their factors."""
    pictures, rows = [], []
    for number in range(2 * NUM):
        rng = np.random.default_rng([77, number + 1])
        face = sample_face(rng, WIDE)
        rows.append(to_row(face))
        pictures.append(draw(face, int(rng.integers(2**32))))
    return np.stack(pictures), np.stack(rows)


@pytest.fixture(scope="module")
def halves(known: tuple[Pixels, np.ndarray]) -> tuple[Pixels, Pixels]:
    return known[0][:NUM], known[0][NUM:]


def seen(pictures: Pixels) -> np.ndarray:
    return features.read(features.compressed(pictures))[0]


def blurred(pictures: Pixels, side: float) -> Pixels:
    return ndimage.gaussian_filter(pictures, (0, side, side, 0))


def noised(pictures: Pixels, strength: float) -> Pixels:
    noise = np.random.default_rng(1).normal(0, strength, pictures.shape)
    return np.clip(pictures + noise, 0, 255).astype(np.uint8)


def test_features_of_real_faces_have_variance_one(halves: tuple[Pixels, Pixels]) -> None:
    values = seen(halves[0])
    assert values.shape == (NUM, features.NUM_FEATURES) and values.dtype == np.float64
    assert values.var(0).mean() == pytest.approx(1, abs=0.2)


def test_two_halves_of_real_faces_are_at_no_distance(halves: tuple[Pixels, Pixels]) -> None:
    a, b = map(seen, halves)
    assert abs(kernel_distance(a, b)) < 4 * kernel_distance_error(a, b)


@pytest.mark.parametrize("change", [blurred, noised])
def test_the_distances_grow_with_damage(halves: tuple[Pixels, Pixels], change: object) -> None:
    real, other = halves
    amounts = (0.0, 1.0, 2.0, 4.0) if change is blurred else (0.0, 20.0, 40.0, 80.0)
    damaged = [seen(change(other, amount) if amount else other) for amount in amounts]
    for distance in (frechet_distance, kernel_distance):
        values = [distance(seen(real), one) for one in damaged]
        assert values == sorted(values)
        assert values[-1] > values[0] + 0.1 * abs(values[0])


def test_the_distance_grows_with_dropped_modes(
    known: tuple[Pixels, np.ndarray], halves: tuple[Pixels, Pixels]
) -> None:
    column = [factor.name for factor in FACTORS].index("hair_color")
    colours = known[1][NUM:, column]
    values = []
    for num_kept in (12, 6, 3, 1):
        kept = halves[1][colours < num_kept]
        again = kept[np.arange(NUM) % len(kept)]  # as many pictures
        values.append(frechet_distance(seen(halves[0]), seen(again)))
    assert values == sorted(values) and values[-1] > 1.2 * values[0]


def test_the_distance_grows_with_memorising(halves: tuple[Pixels, Pixels]) -> None:
    """Fewer pictures, each handed in more often."""
    real, other = halves
    values = [
        frechet_distance(seen(real), seen(other[np.arange(NUM) % num])) for num in (NUM, 50, 10, 2)
    ]
    assert values == sorted(values) and values[-1] > 1.5 * values[0]


def test_factors_are_read(known: tuple[Pixels, np.ndarray]) -> None:
    _, answers = features.read(features.compressed(known[0]))
    told = features_hw06.read_well(answers, torch.from_numpy(known[1]))
    assert told["hair_color"] > 0.7 and told["back"] > 0.6 and told["eye_color"] > 0.5
    names = [factor.name for factor in FACTORS]
    chosen = features.choices(answers, "hair_color")
    right = (chosen == known[1][:, names.index("hair_color")]).mean()
    assert right == pytest.approx(told["hair_color"], abs=1e-3)


def test_faces_are_faces_and_broken_ones_are_not(known: tuple[Pixels, np.ndarray]) -> None:
    pictures, rows = known
    assert features.are_faces(features.compressed(pictures)).mean() > 0.95
    broken = features_hw06.break_all(pictures, rows, 28, seed=9)
    passed = {k: features.are_faces(features.compressed(p)).mean() for k, p in broken.items()}
    for kind in ("shuffled", "noised", "blended", "halves", "blurred", "warped", "untrained"):
        assert passed[kind] < 0.3, passed


def test_networks_are_small_and_frozen() -> None:
    for name in ("factors", "faces"):
        assert (features.FOLDER / f"{name}.safetensors").stat().st_size < 400_000
        network = features.load(name)
        assert not network.training
        assert not any(p.requires_grad for p in network.parameters())


def test_a_missing_network_names_the_command_that_makes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr(features, "FOLDER", tmp_path)
    features.load.cache_clear()
    try:
        with pytest.raises(InternalError, match=r"python -m benchmarks\.features_hw06"):
            features.load("faces")
    finally:
        features.load.cache_clear()
