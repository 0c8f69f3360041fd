"""Pictures to attack, and pictures to train classifiers on: the world, or a folder.

    DIR[/data]/airplane/airplane1.png ...      ten classes, the course's 200 benign pictures
    DIR/pretrained/resnet20*.th                published networks, for given/resnet20 and 32
    DIR/training/airplane/*.png                to train further networks on; or a zip of such a
    DIR/cifar10/*.zip                          folder, which is unpacked once

Classes count in alphabetical order, which is CIFAR-10's, and pictures in natural order: 1, 2 .. 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core import image_folder, labelled_images
from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.images import load_images
from mlspring.core.labelled_images import ARRAYS, LabelledImages
from mlspring.core.png import decode_rgb
from mlspring.core.source import Source
from mlspring.core.texts import read_bytes, whole_number
from mlspring.core.unpacked import unpacked
from mlspring.homeworks.hw10_attack.recipe import GIVEN, Recipe
from mlspring.worlds.targets.photo import CLASS_NAMES
from mlspring.worlds.targets.pictures import benign_ids, targets_world
from mlspring.worlds.world import World, save_array

NUM_CLASSES, SIDE = 10, 32
MAX_PNG_BYTES = 100_000
HELD_OUT = 10  # one of so many training pictures of a folder validates the classifiers
FETCH = "mlspring fetch hw10"
LAYOUT = "ten folders of pictures like airplane/airplane1.png"


@dataclass(frozen=True, kw_only=True)
class Data(LabelledImages):
    """Benign pictures as ``test_images`` with their labels; beside them what networks learn from.

    Args:
        labels: classes of the benign pictures, int64 (n,).
        class_names: of the ten classes.
        is_painted: whether these are the classes that the shipped networks know.
        given: files of published networks by name.
    """

    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    is_painted: bool
    given: dict[str, Path] = field(default_factory=dict)


def world() -> World:
    """Return the built-in data set of the homework."""
    return targets_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return benign pictures and training pictures; a folder may lack the latter.

    Raises:
        DataError: a file is missing, broken, of another size or badly named.
    """
    if source.kind == "official":
        return _load_folder(source.folder, trains=recipe.networks.source == "trained")
    names = [name for name in ARRAYS if name != "test_images"]
    arrays: dict[str, Any] = {
        name: _open(source.folder, name) for name in (*names, "benign_images")
    }
    benign = arrays.pop("benign_images")
    num_a_class = len(benign) // NUM_CLASSES
    return Data(
        **arrays,
        test_images=benign,
        test_ids=benign_ids(num_a_class),
        labels=np.repeat(np.arange(NUM_CLASSES), num_a_class),
        class_names=CLASS_NAMES,
        is_painted=True,
    )


def test_ids(source: Source) -> list[str]:
    """Return the names that a submission must have, in natural order; reads no picture."""
    if source.kind == "official":
        return [f"{file.parent.name}/{file.name}" for file in benign_files(source.folder)]
    return benign_ids(len(_open(source.folder, "benign_images")) // NUM_CLASSES)


def describe(data: Data) -> dict[str, str]:
    """Return the rows of the data card."""
    return {
        "benign pictures": f"{len(data.test_images):,}, {SIDE} x {SIDE} RGB",
        "classes": ", ".join(f"{i} {name}" for i, name in enumerate(data.class_names)),
        "to train classifiers on": f"{len(data.train_images):,}, {len(data.valid_images):,} "
        "more to validate them",
        "published networks": ", ".join(data.given) or "none",
    }


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return the first benign pictures of each class: name to uint8 (n, side, side, 3)."""
    return {
        name: data.test_images[data.labels == number][: labelled_images.SHOWN]
        for number, name in enumerate(data.class_names)
    }


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout, and for the judge ``to``/benign_images.npy."""
    public = world_folder / "public"
    benign = _open(public, "benign_images")
    files = dict(zip(benign_ids(len(benign) // NUM_CLASSES), benign, strict=True))
    for name, image in files.items():
        _save(to / "data" / name, image)
    save_array(to / "benign_images.npy", benign)
    for part in ("train", "valid"):
        images, labels = _open(public, f"{part}_images"), _open(public, f"{part}_labels")
        for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
            _save(to / "training" / CLASS_NAMES[label] / f"{part}{number:05d}.png", image)


def benign_files(folder: Path) -> list[Path]:
    """Return the benign pictures of a folder: classes by name, the pictures of one by number.

    Raises:
        DataError: there are no ten such folders, or a file in one is named otherwise.
    """
    for root in (folder / "data", folder):
        below = image_folder.folders(root) if root.is_dir() else []
        classes = [one for one in below if (one / f"{one.name}1.png").is_file()]
        if len(classes) == NUM_CLASSES:
            return [file for one in classes for file in _numbered(one)]
        if classes:
            found = f"has {len(classes)} classes of benign pictures"
            raise DataError(found, file=root, expected=LAYOUT, fix=FETCH)
    raise DataError("has no benign pictures", file=folder, expected=LAYOUT, fix=FETCH)


def _numbered(folder: Path) -> list[Path]:
    numbers = {}
    for file in image_folder.entries(folder):
        digits = file.stem.removeprefix(folder.name)
        number = whole_number(digits, low=1, high=99_999)
        if number is None or file.name != f"{folder.name}{number}.png":
            expected = f"names like {folder.name}12.png"
            raise DataError("is no benign picture", file=file, expected=expected)
        numbers[number] = file
    return [numbers[number] for number in sorted(numbers)]


def _read_benign(file: Path) -> NDArray[np.uint8]:
    """Return the pixels of a benign picture, (32, 32, 3)."""
    content = read_bytes(file, max_bytes=MAX_PNG_BYTES)
    try:
        return decode_rgb(content, name=file.name, width=SIDE, height=SIDE)
    except SubmissionError as error:
        fix = f"the course's pictures are plain PNG files; fetch them again: {FETCH}"
        raise DataError(error.found, file=file, expected=error.expected, fix=fix) from error


def _load_folder(folder: Path, *, trains: bool) -> Data:
    files = benign_files(folder)
    class_names = tuple(dict.fromkeys(file.parent.name for file in files))
    images = np.stack([_read_benign(file) for file in files])
    pictures, labels = _training_pictures(folder, class_names, trains)
    held_out = np.arange(len(labels)) % HELD_OUT == HELD_OUT - 1
    return Data(
        train_images=pictures[~held_out],
        train_labels=labels[~held_out],
        valid_images=pictures[held_out],
        valid_labels=labels[held_out],
        test_images=images,
        test_ids=[f"{file.parent.name}/{file.name}" for file in files],
        labels=np.array([class_names.index(file.parent.name) for file in files]),
        class_names=class_names,
        is_painted=class_names == CLASS_NAMES,
        given=_given(folder),
    )


def _training_pictures(
    folder: Path, class_names: Sequence[str], wanted: bool
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return pictures uint8 (n, 32, 32, 3) and labels; none wanted or none there: n is 0."""
    places = (folder / "training", folder / "train")
    part = next((p for p in places if wanted and p.is_dir()), None)
    if wanted and part is None and (archives := sorted((folder / "cifar10").glob("*.zip"))):
        part = image_folder.find(unpacked(archives[0]), "training", "train")
    if part is None:
        return np.zeros((0, SIDE, SIDE, 3), np.uint8), np.zeros(0, np.int64)
    files, labels = image_folder.labelled_pictures(part, class_names, "0001.png")
    return load_images(files, SIDE), np.array(labels, dtype=np.int64)


def _given(folder: Path) -> dict[str, Path]:
    """Return the published networks' files by the names that recipes have for them."""
    found: dict[str, Path] = {}
    for name in GIVEN:
        for file in sorted((folder / "pretrained").glob(f"{name.removeprefix('given/')}*.th")):
            found.setdefault(name, file)
    return found


def _open(folder: Path, name: str) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False)
    return array


def _save(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
