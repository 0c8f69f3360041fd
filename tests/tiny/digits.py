"""MNIST's four files with a few blobs as digits: learnable in a second."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.idx import write_idx
from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw14_lifelong.data import IMAGES, LABELS, Data
from mlspring.homeworks.hw14_lifelong.methods.learner import Learner
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.homeworks.hw14_lifelong.spec import SPEC
from mlspring.homeworks.hw14_lifelong.tasks import make_stream
from mlspring.homeworks.hw14_lifelong.train import new_state
from mlspring.kit import device

SIDE, NUM_CLASSES = 28, 10


def blobs(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return noisy images (n, 28, 28) whose bright blob lies where its digit says, and digits."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % NUM_CLASSES
    rows, columns = np.mgrid[:SIDE, :SIDE]
    angle = 2 * np.pi * labels / NUM_CLASSES
    away = (rows - 13.5 - 8 * np.sin(angle)[:, None, None]) ** 2
    away = away + (columns - 13.5 - 8 * np.cos(angle)[:, None, None]) ** 2
    images = 220 * np.exp(-away / 12) + draw.normal(10, 10, (count, SIDE, SIDE))
    order = draw.permutation(count)
    return images.clip(0, 255).astype(np.uint8)[order], labels.astype(np.uint8)[order]


def tiny_data(num_train: int = 200, num_test: int = 100) -> Data:
    """Return blobs as a homework's data."""
    train, test = blobs(num_train, 0), blobs(num_test, 1)
    return Data(
        train_images=train[0],
        train_labels=train[1].astype(np.int64),
        test_images=test[0],
        test_labels=test[1].astype(np.int64),
        test_part="blobs",
    )


def write_mnist(
    folder: Path, *, num_train: int = 200, num_test: int = 100, place: str = "MNIST/raw"
) -> Path:
    """Write the files under ``folder``/``place``; return the folder to give --data."""
    target = folder / place
    target.mkdir(parents=True)
    for prefix, count, seed in (("train", num_train, 0), ("t10k", num_test, 1)):
        if count:
            for suffix, array in zip((IMAGES, LABELS), blobs(count, seed), strict=True):
                write_idx(target / f"{prefix}-{suffix}.gz", array)
    return folder


# A few steps of a small network: what a test may spend.
SMALL = (
    "data.num_tasks=3",
    "model.hidden=[16, 8]",
    "method.memory=60",
    "method.replayed=16",
    "train.batch_size=20",
    "train.steps_per_task=8",
    "train.learning_rate=0.01",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
)


def learner(
    name: str, *overrides: str, stream: str = "rotated", seed: int = 0, num_train: int = 200
) -> Learner:
    """Return an untrained learner of a method on three tiny tasks.

    Args:
        name: of a method, as in the recipes.
        overrides: ``key=value`` of the recipe.
        stream: kind of tasks.
        seed: of weights and tasks.
        num_train: images of a task.
    """
    words = (*SMALL, f'method.names=["{name}"]', f"data.stream={stream}", *overrides)
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "all.toml", words)
    hardware = device.choose("cpu", "fp32", work="wide")
    data, scenario = tiny_data(num_train), recipe.data.scenarios[0]
    tasks = make_stream(recipe.data, scenario, data, seed, hardware.device)
    return new_state(0, tasks, recipe, seed, hardware)
