"""A data set of labelled pictures: training, validation and test, of a world or in a folder.

    DIR[/food11]/training/<label>_<index>.jpg      label before the underscore
    DIR[/food11]/validation/<label>_<index>.jpg
    DIR[/food11]/test/<id>.jpg                     no label; the id is the name without suffix

The same pictures in a folder for each class, or in parts called train/ and valid/, are read, too.
A folder is decoded once, at the size asked for, into memory maps; never again while it is
unchanged. A world holds the same as arrays, all of one size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core import image_folder
from mlspring.core.errors import RecipeError
from mlspring.core.images import load_images
from mlspring.core.source import Source

TRAINING, VALIDATION = ("training", "train"), ("validation", "valid", "val")
EXAMPLE = "8_806.jpg"  # class 8, picture 806
ARRAYS = ("train_images", "train_labels", "valid_images", "valid_labels", "test_images")
SHOWN = 12  # pictures of a class on a contact sheet


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What homeworks of this kind name in their own way.

    Args:
        homework: in messages, e.g. ``hw03``.
        folder: what the course's archive puts around the parts, e.g. ``food11``.
        test: names that the test part may have; the first is the course's.
        first_id: number of a world's first test picture.
        class_names: of the classes 0, 1, 2 ...
    """

    homework: str
    folder: str
    test: tuple[str, ...]
    first_id: int
    class_names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """All pictures of one source; n differs by part.

    Args:
        train_images: uint8 (n, size, size, 3), as memory map; likewise valid and test.
        train_labels: int64 (n,), the classes from 0; likewise valid.
        test_ids: names of the test pictures, in the order of ``test_images``.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    valid_images: NDArray[np.uint8]
    valid_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_ids: list[str]


def load(source: Source, layout: Layout, size: int, resize: int | None = None) -> LabelledImages:
    """Return the pictures of ``source``, ``size`` pixels wide and high.

    Args:
        source: a world or a folder.
        layout: names of its parts.
        size: the recipe's ``data.image_size``.
        resize: for a folder, see ``images.decode_images``; None: squeezed into the square.

    Raises:
        DataError: a file is missing, broken, badly named, or a label is out of range.
        RecipeError: the world is painted in another size.
    """
    if source.kind == "official":
        return _load_folder(source.folder, layout, size, resize)
    arrays = {
        name: np.load(source.folder / f"{name}.npy", mmap_mode="c", allow_pickle=False)
        for name in ARRAYS
    }
    painted = arrays["train_images"].shape[1]
    if painted != size:
        raise RecipeError(
            f"data.image_size = {size}, but the world is painted at {painted}",
            fix=f"use --set data.image_size={painted}, or your own pictures with --data DIR",
        )
    return LabelledImages(**arrays, test_ids=_world_ids(len(arrays["test_images"]), layout))


def test_ids(source: Source, layout: Layout) -> list[str]:
    """Return the ids that a submission must have, in order; reads no picture."""
    if source.kind == "official":
        return [file.stem for file in image_folder.pictures_to_predict(source.folder, *layout.test)]
    test_images = np.load(source.folder / "test_images.npy", mmap_mode="r", allow_pickle=False)
    return _world_ids(len(test_images), layout)


def describe(images: LabelledImages, class_names: Sequence[str]) -> dict[str, str]:
    """Return the rows of the data card."""
    size = images.train_images.shape[1]
    counts = np.bincount(images.train_labels, minlength=len(class_names))
    return {
        "pictures": f"{len(images.train_images):,} training, {len(images.valid_images):,} "
        f"validation, {len(images.test_images):,} test; {size} x {size} RGB",
        "classes": ", ".join(f"{i} {name}" for i, name in enumerate(class_names)),
        "training pictures a class": ", ".join(map(str, counts)),
        "majority class": f"{counts.max() / max(counts.sum(), 1):.3f} of the training pictures",
    }


def contact_sheet(
    images: LabelledImages, class_names: Sequence[str]
) -> dict[str, NDArray[np.uint8]]:
    """Return the first training pictures of each class: name to uint8 (n, side, side, 3)."""
    rows = {name: np.flatnonzero(images.train_labels == i) for i, name in enumerate(class_names)}
    return {name: images.train_images[numbers[:SHOWN]] for name, numbers in rows.items()}


def export(world_folder: Path, to: Path, layout: Layout) -> None:
    """Write a world in the course's layout under ``to``; the answers stay with the judge."""
    public = world_folder / "public"
    parts = (("train", TRAINING[0]), ("valid", VALIDATION[0]), ("test", layout.test[0]))
    for part, folder in parts:
        images = np.load(public / f"{part}_images.npy", mmap_mode="r", allow_pickle=False)
        if part == "test":
            names = _world_ids(len(images), layout)
        else:
            names = _label_names(np.load(public / f"{part}_labels.npy", allow_pickle=False))
        target = to / layout.folder / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, image in zip(names, images, strict=True):
            Image.fromarray(image).save(target / f"{name}.jpg", quality=95, subsampling=0)


def _world_ids(num_test: int, layout: Layout) -> list[str]:
    return [f"{layout.first_id + i:04d}" for i in range(num_test)]


def _label_names(labels: NDArray[np.int64]) -> list[str]:
    """Return ``<label>_<index>`` for each picture, the index counting those of its class."""
    seen: dict[int, int] = {}
    names = []
    for label in labels.tolist():
        names.append(f"{label}_{seen.get(label, 0)}")
        seen[label] = seen.get(label, 0) + 1
    return names


def _load_folder(folder: Path, layout: Layout, size: int, resize: int | None) -> LabelledImages:
    test_part = layout.test[0]
    expected = f"the layout training/, validation/ and {test_part}/, also in folders inside"
    name = layout.homework
    fix = f"see: mlspring fetch {name}, or mlspring data {name} --export DIR for an example"
    # names before pictures: what is wrong there is told at once
    (train, train_labels), (valid, valid_labels) = (
        image_folder.labelled_pictures(
            image_folder.require(folder, *part, expected=expected, fix=fix),
            layout.class_names,
            EXAMPLE,
        )
        for part in (TRAINING, VALIDATION)
    )
    test = image_folder.pictures_to_predict(folder, *layout.test)
    images = load_images([*train, *valid, *test], size, resize=resize)
    first_test = len(train) + len(valid)
    return LabelledImages(
        train_images=images[: len(train)],
        train_labels=np.array(train_labels, dtype=np.int64),
        valid_images=images[len(train) : first_test],
        valid_labels=np.array(valid_labels, dtype=np.int64),
        test_images=images[first_test:],
        test_ids=[file.stem for file in test],
    )
