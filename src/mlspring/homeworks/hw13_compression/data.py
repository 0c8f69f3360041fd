"""Pictures of food: the painted world or a folder in hw13's layout, as uint8 arrays.

    DIR[/food11-hw13]/training/<label>_<index>.jpg      label 0..10 before the underscore
    DIR[/food11-hw13]/validation/<label>_<index>.jpg
    DIR[/food11-hw13]/evaluation/<id>.jpg               no label; the id is the name without suffix
    DIR[/food11-hw13]/resnet18_teacher.ckpt             the given teacher, for official recipes

A folder is decoded once, at the recipe's size, into memory maps; never again while it is unchanged.
With ``data.resize`` the short side is brought to that many pixels and the middle is cut out, as
the sample does (256 and 224); without it the whole picture is squeezed into the square.
The world is that of homework 3, its test pictures numbered from 0000 as the course does here.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core import image_folder
from mlspring.core.errors import RecipeError
from mlspring.core.images import load_images
from mlspring.core.source import Source
from mlspring.homeworks.hw13_compression.recipe import DataKnobs, Recipe
from mlspring.worlds.food import CLASS_NAMES, food_world
from mlspring.worlds.world import World, save_array

NUM_CLASSES = len(CLASS_NAMES)
TRAINING, VALIDATION = ("training", "train"), ("validation", "valid", "val")
TEST = ("evaluation", "test", "testing")
TEACHER = "resnet18_teacher.ckpt"
EXAMPLE = "8_806.jpg"  # class 8, picture 806


@dataclass(frozen=True, kw_only=True)
class Data:
    """All pictures of one source; n differs by part.

    Args:
        train_images: uint8 (n, size, size, 3), as memory map; likewise valid and test.
        train_labels: int64 (n,), class 0..10; likewise valid.
        test_ids: names of the test pictures, in the order of ``test_images``.
        teacher: the given teacher's checkpoint, None where there is none.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    valid_images: NDArray[np.uint8]
    valid_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_ids: list[str]
    teacher: Path | None = None


def world() -> World:
    """Return the built-in data set of the homework."""
    return food_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the pictures of ``source`` at the recipe's size.

    Raises:
        DataError: a file is missing, broken, badly named, or a label is out of range.
        RecipeError: the world is painted in another size, or is to be cut.
    """
    if source.kind == "official":
        return _load_folder(source.folder, recipe.data)
    if recipe.data.resize is not None:
        raise RecipeError(
            f"data.resize = {recipe.data.resize}, but the world is painted at its size",
            fix="leave data.resize to pictures of your own, with --data DIR",
        )
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


# Same as hw03: test_ids
def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order; reads no picture."""
    if source.kind == "official":
        return [file.stem for file in image_folder.pictures_to_predict(source.folder, *TEST)]
    test_images = np.load(source.folder / "test_images.npy", mmap_mode="r", allow_pickle=False)
    return _world_ids(len(test_images))


def fingerprint(data: Data) -> str:
    """Return 16 digits that stand for the labelled pictures: equal pictures, equal teacher."""
    digest = hashlib.blake2b(digest_size=8)
    for part in (data.train_images, data.train_labels, data.valid_images, data.valid_labels):
        digest.update(str(part.shape).encode())
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


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
        "given teacher": data.teacher.name if data.teacher else "none; ours is trained once",
    }


# Same as hw03: contact_sheet
def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return the first training pictures of each class: name to uint8 (n, side, side, 3)."""
    rows = {name: np.flatnonzero(data.train_labels == i) for i, name in enumerate(CLASS_NAMES)}
    return {name: data.train_images[found[:12]] for name, found in rows.items()}


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the layout under ``to``/food11-hw13; the answers stay with the judge.

    ``to``/test_images.npy holds the very pixels that the judge shows to a student: JPEG changes
    them a little.
    """
    public = world_folder / "public"
    parts = (("train", "training"), ("valid", "validation"), ("test", "evaluation"))
    for part, folder in parts:
        images = np.load(public / f"{part}_images.npy", mmap_mode="r", allow_pickle=False)
        if part == "test":
            names = _world_ids(len(images))
        else:
            names = _label_names(np.load(public / f"{part}_labels.npy", allow_pickle=False))
        target = to / "food11-hw13" / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, image in zip(names, images, strict=True):
            Image.fromarray(image).save(target / f"{name}.jpg", quality=95, subsampling=0)
    save_array(to / "test_images.npy", images)  # the last part


def _world_ids(num_test: int) -> list[str]:
    return [f"{i:04d}" for i in range(num_test)]


# Same as hw03: _label_names
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
        expected="the layout training/, validation/ and evaluation/, also in folders inside",
        fix="see: mlspring fetch hw13, or mlspring data hw13 --export DIR for an example",
    )


def _load_folder(folder: Path, knobs: DataKnobs) -> Data:
    # names before pictures: what is wrong there is told at once
    train, train_labels = image_folder.labelled_pictures(
        _part(folder, *TRAINING), CLASS_NAMES, EXAMPLE
    )
    valid, valid_labels = image_folder.labelled_pictures(
        _part(folder, *VALIDATION), CLASS_NAMES, EXAMPLE
    )
    test = image_folder.pictures_to_predict(folder, *TEST)
    images = load_images([*train, *valid, *test], knobs.image_size, resize=knobs.resize)
    first_test = len(train) + len(valid)
    return Data(
        train_images=images[: len(train)],
        train_labels=np.array(train_labels, dtype=np.int64),
        valid_images=images[len(train) : first_test],
        valid_labels=np.array(valid_labels, dtype=np.int64),
        test_images=images[first_test:],
        test_ids=[file.stem for file in test],
        teacher=image_folder.find(folder, TEACHER),
    )
