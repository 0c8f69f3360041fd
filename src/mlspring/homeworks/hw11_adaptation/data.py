"""Photos with labels and drawings without: the world or a folder in the course's layout.

    DIR[/real_or_drawing]/train_data/<class>/<any name>.bmp    class 0, 1, 2 ...: any number
    DIR[/real_or_drawing]/test_data/0/<number>.bmp             no labels; the number is the id

Any number of classes, any size and image type, so your own pair of domains works too. A folder is
decoded once, at the recipe's size, into memory maps; never again while it is unchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core import image_folder
from mlspring.core.errors import DataError
from mlspring.core.images import load_images
from mlspring.core.source import Source
from mlspring.homeworks.hw11_adaptation.drawings import has_dark_ink, legible, whitened
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.worlds.domains import domains_world
from mlspring.worlds.objects import CLASS_NAMES
from mlspring.worlds.world import World

MAX_CLASSES = 1000
ENOUGH = 3  # photos of a class, so that some can be held out
PHOTOS, DRAWINGS = ("train_data", "train"), ("test_data", "test")


@dataclass(frozen=True, kw_only=True)
class Data:
    """Both domains; n photos, m drawings."""

    source_images: NDArray[np.uint8]  # photos (n, size, size, 3)
    source_labels: NDArray[np.int64]  # classes of the photos (n,)
    target_images: NDArray[np.uint8]  # drawings (m, size, size), bright on a dark ground
    test_ids: list[str]  # names of the drawings in a submission
    num_classes: int
    inverted: bool = False  # whether the drawings' strokes were dark in the files

    @property
    def class_names(self) -> tuple[str, ...]:
        """The course's names where there are ten classes, else numbers."""
        return _names(self.num_classes)


def world() -> World:
    """Return the built-in data set of the homework."""
    return domains_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return both domains at the recipe's size.

    Raises:
        DataError: a file is missing, broken or badly named, a class has too few photos, or most
            drawings are blank.
    """
    size = recipe.data.image_size
    if source.kind == "official":
        photos, labels = _photos(source.folder)  # before decoding: fail early
        files = _drawings(source.folder)
        source_images = load_images(photos, size)
        target_images = legible(files, size)
        ids = _ids(files)
    else:
        arrays = {
            name: np.load(source.folder / f"{name}.npy", allow_pickle=False)
            for name in ("source_images", "source_labels", "target_images")
        }
        source_images = _resized(arrays["source_images"], size)
        target_images = _resized(arrays["target_images"], size)
        labels, ids = arrays["source_labels"], _world_ids(len(target_images))
    inverted = has_dark_ink(target_images)
    drawings = 255 - target_images if inverted else target_images
    return Data(
        source_images=source_images,
        source_labels=labels,
        target_images=whitened(drawings, recipe.data.white) if recipe.data.white else drawings,
        test_ids=ids,
        num_classes=int(labels.max()) + 1,
        inverted=inverted,
    )


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order; reads no picture."""
    if source.kind == "official":
        return _ids(_drawings(source.folder))
    drawings = np.load(source.folder / "target_images.npy", mmap_mode="r", allow_pickle=False)
    return _world_ids(len(drawings))


def count_classes(source: Source) -> int:
    """Return how many classes a label may be of, for ``submission.read``; opens no picture."""
    if source.kind == "official":
        return len(_class_names(source.folder)[1])
    return len(CLASS_NAMES)


def describe(data: Data) -> dict[str, str]:
    """Return the data card: a name and a short sentence for each row."""
    size = data.source_images.shape[1]
    counts = np.bincount(data.source_labels, minlength=data.num_classes)
    names = (f"{i} {name}" if name != str(i) else name for i, name in enumerate(data.class_names))
    return {
        "pictures": f"{len(data.source_images):,} photos with labels, "
        f"{len(data.target_images):,} drawings without; shown at {size} x {size}",
        "classes": ", ".join(names),
        "photos a class": ", ".join(map(str, counts)),
        "strokes": "dark, inverted here" if data.inverted else "bright",
        "ink": f"{(data.target_images > 127).mean():.3f} of the drawings' pixels are strokes",
    }


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return rows of pictures for the data card: photos of each class, and drawings."""
    rows = {
        name: data.source_images[data.source_labels == label][:12]
        for label, name in enumerate(data.class_names[:15])
    }
    return {**rows, "drawings": data.target_images[:12]}


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout under ``to``/real_or_drawing; answers stay behind."""
    public = world_folder / "public"
    photos = np.load(public / "source_images.npy", allow_pickle=False)
    labels = np.load(public / "source_labels.npy", allow_pickle=False)
    drawings = np.load(public / "target_images.npy", allow_pickle=False)
    root, order = to / "real_or_drawing", np.argsort(labels, kind="stable")
    files = [root / "train_data" / str(labels[row]) / f"{i}.bmp" for i, row in enumerate(order)]
    files += [root / "test_data" / "0" / f"{i:05d}.bmp" for i in range(len(drawings))]
    for file, picture in zip(files, (*photos[order], *drawings), strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(file)


def _names(num_classes: int) -> tuple[str, ...]:
    return CLASS_NAMES if num_classes == len(CLASS_NAMES) else tuple(map(str, range(num_classes)))


def _world_ids(num_drawings: int) -> list[str]:
    return [str(number) for number in range(num_drawings)]


def _resized(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return the pictures (n, size, size, ...), bilinear as for files."""
    if images.shape[1] == size:
        return images
    bilinear = Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(i).resize((size, size), bilinear)) for i in images])


def _part(folder: Path, *names: str) -> Path:
    """Return the folder of one domain, in ``folder`` or up to two levels below it."""
    return image_folder.require(
        folder,
        *names,
        expected="the course's layout: train_data/<class>/ and test_data/0/, also in folders "
        "inside",
        fix="see: mlspring fetch hw11, or mlspring data hw11 --export DIR for an example",
    )


def _class_names(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the folder of the photos and the names of its classes: one folder each.

    Raises:
        DataError: there are too few or too many.
    """
    part = _part(folder, *PHOTOS)
    num_classes = len(image_folder.folders(part))
    if not 2 <= num_classes <= MAX_CLASSES:
        expected = f"2 to {MAX_CLASSES}, called 0, 1, 2 ..., with the photos of one class each"
        raise DataError(f"holds {num_classes} folders", file=part, expected=expected)
    return part, _names(num_classes)


def _photos(folder: Path) -> tuple[list[Path], NDArray[np.int64]]:
    """Return all photos and their labels int64 (n,).

    Raises:
        DataError: folders that are not called 0, 1, 2 ..., or a class with too few photos.
    """
    part, names = _class_names(folder)
    files, classes = image_folder.labelled_pictures(part, names, "0/7.bmp")
    order = np.argsort(classes, kind="stable")  # folder 10 stands before 2
    labels = np.array(classes, dtype=np.int64)[order]
    counts = np.bincount(labels, minlength=len(names))
    if counts.min() < ENOUGH:
        message = f"holds {counts.min()} photos of class {counts.argmin()}"
        raise DataError(message, file=part, expected=f"{ENOUGH} or more of each class")
    return [files[row] for row in order], labels


def _drawings(folder: Path) -> list[Path]:
    """Return the drawings in the order of their ids; they lie in ``test_data/0/`` or above it.

    Raises:
        DataError: more folders than one inside, a name that is no number, or a number twice.
    """
    part = _part(folder, *DRAWINGS)
    inner = image_folder.folders(part)
    if len(inner) > 1:
        listed = ", ".join(entry.name for entry in inner[:5])
        raise DataError(f"holds {listed}", file=part, expected="one folder, 0, with all drawings")
    files = image_folder.pictures(inner[0] if inner else part, "00042.bmp")
    for file in files:
        if not (file.stem.isascii() and file.stem.isdecimal()):
            raise DataError(
                "is not named by a number, which is its id in a submission",
                file=file,
                expected="a name like 00042.bmp",
                fix="give --data a folder, or a copy, with such names only",
            )
    return sorted(image_folder.unambiguous(files, _number), key=_number)


def _number(drawing: Path) -> int:
    return int(drawing.stem)


def _ids(drawings: Sequence[Path]) -> list[str]:
    return [str(_number(file)) for file in drawings]
