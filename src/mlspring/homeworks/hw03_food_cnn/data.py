"""Pictures of food: the painted world or a folder in Food-11's layout, as uint8 arrays.

    DIR[/food11]/training/<label>_<index>.jpg      label 0..10 before the underscore
    DIR[/food11]/validation/<label>_<index>.jpg
    DIR[/food11]/test/<id>.jpg                     no label; the id is the name without suffix

The same pictures in a folder for each class, or in parts called train/ and valid/, are read, too.
A folder is decoded once, at the recipe's size, into memory maps; never again while it is unchanged.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core import image_folder
from mlspring.core.errors import RecipeError
from mlspring.core.images import load_images
from mlspring.core.source import Source
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.worlds.food import CLASS_NAMES, food_world
from mlspring.worlds.world import World

NUM_CLASSES = len(CLASS_NAMES)
TRAINING, VALIDATION = ("training", "train"), ("validation", "valid", "val")
TEST = ("test", "testing", "evaluation")
EXAMPLE = "8_806.jpg"  # class 8, picture 806


@dataclass(frozen=True, kw_only=True)
class Data:
    """All pictures of one source; n differs by part.

    Args:
        train_images: uint8 (n, size, size, 3), as memory map; likewise valid and test.
        train_labels: int64 (n,), class 0..10; likewise valid.
        test_ids: names of the test pictures, in the order of ``test_images``.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    valid_images: NDArray[np.uint8]
    valid_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_ids: list[str]


def world() -> World:
    """Return the built-in data set of the homework."""
    return food_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the pictures of ``source`` at the recipe's size.

    Raises:
        DataError: a file is missing, broken, badly named, or a label is out of range.
        RecipeError: the world is painted in another size.
    """
    if source.kind == "official":
        return _load_folder(source.folder, recipe.data.image_size)
    arrays = {
        name: np.load(source.folder / f"{name}.npy", mmap_mode="c", allow_pickle=False)
        for name in ("train_images", "train_labels", "valid_images", "valid_labels", "test_images")
    }
    painted = arrays["train_images"].shape[1]
    if painted != recipe.data.image_size:
        raise RecipeError(
            f"data.image_size = {recipe.data.image_size}, but the world is painted at {painted}",
            fix=f"use --set data.image_size={painted}, or your own pictures with --data DIR",
        )
    return Data(**arrays, test_ids=_world_ids(len(arrays["test_images"])))


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order; reads no picture."""
    if source.kind == "official":
        return [file.stem for file in image_folder.pictures_to_predict(source.folder, *TEST)]
    test_images = np.load(source.folder / "test_images.npy", mmap_mode="r", allow_pickle=False)
    return _world_ids(len(test_images))


def describe(data: Data) -> dict[str, str]:
    """Return the rows of the data card."""
    size = data.train_images.shape[1]
    counts = np.bincount(data.train_labels, minlength=NUM_CLASSES)
    return {
        "pictures": f"{len(data.train_images):,} training, {len(data.valid_images):,} validation, "
        f"{len(data.test_images):,} test; {size} x {size} RGB",
        "classes": ", ".join(f"{i} {name}" for i, name in enumerate(CLASS_NAMES)),
        "training pictures a class": ", ".join(map(str, counts)),
        "majority class": f"{counts.max() / max(counts.sum(), 1):.3f} of the training pictures",
    }


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return the first training pictures of each class: name to uint8 (n, side, side, 3)."""
    rows = {name: np.flatnonzero(data.train_labels == i) for i, name in enumerate(CLASS_NAMES)}
    return {name: data.train_images[found[:12]] for name, found in rows.items()}


def export(world_folder: Path, to: Path) -> None:
    """Write the world in Food-11's layout under ``to``/food11; the answers stay with the judge."""
    public = world_folder / "public"
    for part, folder in (("train", "training"), ("valid", "validation"), ("test", "test")):
        images = np.load(public / f"{part}_images.npy", mmap_mode="r", allow_pickle=False)
        if part == "test":
            names = _world_ids(len(images))
        else:
            names = _label_names(np.load(public / f"{part}_labels.npy", allow_pickle=False))
        target = to / "food11" / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, image in zip(names, images, strict=True):
            Image.fromarray(image).save(target / f"{name}.jpg", quality=95, subsampling=0)


def _world_ids(num_test: int) -> list[str]:
    return [f"{i:04d}" for i in range(1, num_test + 1)]


def _label_names(labels: NDArray[np.int64]) -> list[str]:
    counters = dict.fromkeys(range(NUM_CLASSES), -1)
    names = []
    for label in labels.tolist():
        counters[label] += 1
        names.append(f"{label}_{counters[label]}")
    return names


def _part(folder: Path, *names: str) -> Path:
    """Return a part of the layout, called one of ``names``."""
    return image_folder.require(
        folder,
        *names,
        expected="Food-11's layout: training/, validation/ and test/, also in folders inside",
        fix="see: mlspring fetch hw03, or mlspring data hw03 --export DIR for an example",
    )


def _load_folder(folder: Path, size: int) -> Data:
    # names before pictures: what is wrong there is told at once
    train, train_labels = image_folder.labelled_pictures(
        _part(folder, *TRAINING), CLASS_NAMES, EXAMPLE
    )
    valid, valid_labels = image_folder.labelled_pictures(
        _part(folder, *VALIDATION), CLASS_NAMES, EXAMPLE
    )
    test = image_folder.pictures_to_predict(folder, *TEST)
    images = load_images([*train, *valid, *test], size)
    first_test = len(train) + len(valid)
    return Data(
        train_images=images[: len(train)],
        train_labels=np.array(train_labels, dtype=np.int64),
        valid_images=images[len(train) : first_test],
        valid_labels=np.array(valid_labels, dtype=np.int64),
        test_images=images[first_test:],
        test_ids=[file.stem for file in test],
    )
