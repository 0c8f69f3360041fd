"""Photos with labels and drawings without: the world or a folder in the course's layout.

    DIR[/real_or_drawing]/train_data/<class>/<any name>.bmp    class 0, 1, 2 ...: any number
    DIR[/real_or_drawing]/test_data/0/<number>.bmp             no labels; the number is the id

Any number of classes, any size and image type, so your own pair of domains works too. A folder is
decoded once, at the recipe's size, into memory maps; never again while it is unchanged.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core.errors import DataError, RecipeError, unreadable_folder
from mlspring.core.images import load_images
from mlspring.core.source import Source
from mlspring.homeworks.hw11_adaptation.drawings import has_dark_ink, legible, whitened
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.worlds.domains import domains_world
from mlspring.worlds.objects import CLASS_NAMES
from mlspring.worlds.world import World

SUFFIXES = {".bmp", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}
MAX_CLASSES = 1000
ENOUGH = 3  # photos of a class, so that some can be held out


@dataclass(frozen=True, kw_only=True)
class Data:
    """Both domains; n photos, m drawings.

    Args:
        source_images: uint8 (n, size, size, 3).
        source_labels: int64 (n,), class 0 .. num_classes - 1.
        target_images: uint8 (m, size, size), strokes bright on a dark ground.
        test_ids: names of the drawings in a submission, in the order of ``target_images``.
        num_classes: how many classes the photos have.
        inverted: whether the drawings' strokes were dark in the files.
    """

    source_images: NDArray[np.uint8]
    source_labels: NDArray[np.int64]
    target_images: NDArray[np.uint8]
    test_ids: list[str]
    num_classes: int
    inverted: bool = False

    @property
    def class_names(self) -> tuple[str, ...]:
        """The course's names where there are ten classes, else numbers."""
        numbers = tuple(str(number) for number in range(self.num_classes))
        return CLASS_NAMES if self.num_classes == len(CLASS_NAMES) else numbers


def world() -> World:
    """Return the built-in data set of the homework."""
    return domains_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return both domains at the recipe's size.

    Raises:
        DataError: a file is missing, broken or badly named, a class has too few photos, or most
            drawings are blank.
        RecipeError: the recipe tells the shares of more or fewer classes than there are.
    """
    size = recipe.data.image_size
    if source.kind == "official":
        folder = _root(source.folder)
        photos, labels = _photos(folder / "train_data")  # before decoding: fail early
        files = _drawings(folder / "test_data")
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
    num_classes = int(labels.max()) + 1
    if recipe.data.shares and len(recipe.data.shares) != num_classes:
        raise RecipeError(
            f"data.shares has {len(recipe.data.shares)} numbers",
            expected=f"{num_classes}, one for each class of the photos, or none",
        )
    inverted = has_dark_ink(target_images, recipe.data.ink)
    drawings = 255 - target_images if inverted else target_images
    return Data(
        source_images=source_images,
        source_labels=labels,
        target_images=whitened(drawings, recipe.data.white) if recipe.data.white else drawings,
        test_ids=ids,
        num_classes=num_classes,
        inverted=inverted,
    )


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order; reads no picture."""
    if source.kind == "official":
        return _ids(_drawings(_root(source.folder) / "test_data"))
    drawings = np.load(source.folder / "target_images.npy", mmap_mode="r", allow_pickle=False)
    return _world_ids(len(drawings))


def describe(data: Data) -> dict[str, str]:
    """Return the facts of the data card."""
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


def count_classes(source: Source) -> int:
    """Return how many classes a label may be of, for ``submission.read``; opens no picture."""
    if source.kind == "official":
        return len(_classes(_root(source.folder) / "train_data"))
    return len(CLASS_NAMES)


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout under ``to``/real_or_drawing; answers stay behind."""
    public = world_folder / "public"
    photos = np.load(public / "source_images.npy", allow_pickle=False)
    labels = np.load(public / "source_labels.npy", allow_pickle=False)
    drawings = np.load(public / "target_images.npy", allow_pickle=False)
    root = to / "real_or_drawing"
    number = 0
    for label in range(len(CLASS_NAMES)):
        folder = root / "train_data" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        for photo in photos[labels == label]:
            Image.fromarray(photo).save(folder / f"{number}.bmp")
            number += 1
    folder = root / "test_data" / "0"
    folder.mkdir(parents=True, exist_ok=True)
    for number, drawing in enumerate(drawings):
        Image.fromarray(drawing).save(folder / f"{number:05d}.bmp")


def _world_ids(num_drawings: int) -> list[str]:
    return [str(number) for number in range(num_drawings)]


def _resized(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return the pictures (n, size, size, ...), bilinear as for files."""
    if images.shape[1] == size:
        return images
    bilinear = Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(i).resize((size, size), bilinear)) for i in images])


def _root(folder: Path) -> Path:
    """Return the folder that holds ``train_data/``: itself or ``real_or_drawing`` inside it."""
    for candidate in (folder, folder / "real_or_drawing"):
        try:
            if all((candidate / part).is_dir() for part in ("train_data", "test_data")):
                return candidate
        except PermissionError as error:
            raise unreadable_folder(candidate) from error
    raise DataError(
        "has no folders train_data/ and test_data/",
        file=folder,
        expected="the course's layout: train_data/<class>/ and test_data/0/, also inside "
        "real_or_drawing/",
        fix="see: mlspring fetch hw11, or mlspring data hw11 --export DIR for an example",
    )


def _classes(folder: Path) -> list[Path]:
    """Return the folders of the classes in their order.

    Raises:
        DataError: folders that are not named 0, 1, 2 ...
    """
    classes = _entries(folder)
    for entry in classes:
        if not entry.is_dir() or not (entry.name.isascii() and entry.name.isdecimal()):
            raise DataError(
                "is no folder named by a class's number",
                file=entry,
                expected="folders 0, 1, 2 ... with the photos of one class each",
                fix="rename or move it",
            )
    classes.sort(key=lambda entry: int(entry.name))
    numbers = [int(entry.name) for entry in classes]
    if not 2 <= len(numbers) <= MAX_CLASSES or numbers != list(range(len(numbers))):
        found = ", ".join(map(str, numbers[:20])) or "none"
        expected = f"2 to {MAX_CLASSES}, numbered from 0 without a gap"
        raise DataError(f"holds the class folders {found}", file=folder, expected=expected)
    return classes


def _photos(folder: Path) -> tuple[list[Path], NDArray[np.int64]]:
    """Return all photos, class by class, and their labels int64 (n,).

    Raises:
        DataError: folders that are not named 0, 1, 2 ..., or a class with too few photos.
    """
    files: list[Path] = []
    labels: list[int] = []
    for label, entry in enumerate(_classes(folder)):
        mine = _pictures(entry)
        if len(mine) < ENOUGH:
            raise DataError(f"holds {len(mine)} photos", file=entry, expected=f"{ENOUGH} or more")
        files += mine
        labels += [label] * len(mine)
    return files, np.array(labels, dtype=np.int64)


def _drawings(folder: Path) -> list[Path]:
    """Return the drawings in the order of their ids.

    Raises:
        DataError: not one folder inside, a name that is no number, or a number twice.
    """
    parts = _entries(folder)
    if len(parts) != 1 or not parts[0].is_dir():
        found = ", ".join(entry.name for entry in parts[:5]) or "nothing"
        raise DataError(f"holds {found}", file=folder, expected="one folder, 0, with all drawings")
    files = _pictures(parts[0])
    seen: dict[int, Path] = {}
    for file in files:
        if not (file.stem.isascii() and file.stem.isdecimal()):
            raise DataError(
                "is not named by a number, which is its id in a submission",
                file=file,
                expected="a name like 00042.bmp",
                fix="rename or remove it",
            )
        if int(file.stem) in seen:
            raise DataError(
                f"has the id of {seen[int(file.stem)].name}",
                file=file,
                expected="one drawing an id",
                fix="remove one of the two",
            )
        seen[int(file.stem)] = file
    return [seen[number] for number in sorted(seen)]


def _ids(drawings: list[Path]) -> list[str]:
    return [str(int(file.stem)) for file in drawings]


def _pictures(folder: Path) -> list[Path]:
    """Return the pictures of a folder sorted by name."""
    files = _entries(folder)
    for file in files:
        if file.suffix.lower() not in SUFFIXES:
            expected = "only pictures: " + ", ".join(sorted(SUFFIXES))
            raise DataError("is no picture", file=file, expected=expected, fix="move it elsewhere")
    if not files:
        raise DataError("holds no picture", file=folder, expected="files like 00042.bmp")
    return files


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder, sorted by name; hidden files are passed over."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except PermissionError as error:
        raise unreadable_folder(folder) from error
