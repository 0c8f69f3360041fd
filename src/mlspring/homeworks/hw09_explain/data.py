"""Pictures of food to train on and to explain: the painted world, or one of two layouts.

    DIR[/food11]/training/8_806.jpg     Food-11, as in homework 3: class 8, picture 806;
    DIR[/food11]/validation/8_27.jpg    of these some are explained
    DIR[/food]/0_3.jpg                  homework 9's own: only pictures to explain,
    DIR/checkpoint.pth                  and the network

In the world it is known which pixels are the dish.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core import image_folder, labelled_images
from mlspring.core.images import load_images
from mlspring.core.labelled_images import LabelledImages, Layout
from mlspring.core.source import Source
from mlspring.homeworks.hw09_explain.recipe import Recipe
from mlspring.worlds import food_masks
from mlspring.worlds.food import CLASS_NAMES, food_world
from mlspring.worlds.world import World

NUM_CLASSES = len(CLASS_NAMES)
NUM_SHOWN = 10  # pictures in the figures, as in the course
CHECKPOINT = "checkpoint.pth"
LAYOUT = Layout(
    homework="hw09",
    folder="food11",
    test=("test", "testing", "evaluation"),
    first_id=1,
    class_names=CLASS_NAMES,
)


@dataclass(frozen=True, kw_only=True)
class Data:
    """All pictures of one source, and which of them are explained.

    Args:
        pictures: to train on and to validate; without training pictures where a network is given.
        rows: validation pictures that are explained, int64 (n,): the first of each class, then the
            second of each ...; the figures show the first ten.
        masks: bool (n, s, s), True on the dish; None where nobody knows.
        checkpoint: the course's network beside the pictures, if it is there.
        folder: the user's, where a network may lie; None of the world.
    """

    pictures: LabelledImages
    rows: NDArray[np.int64]
    masks: NDArray[np.bool_] | None = None
    checkpoint: Path | None = None
    folder: Path | None = None

    @property
    def images(self) -> NDArray[np.uint8]:
        """The pictures that are explained: uint8 (n, s, s, 3)."""
        return np.asarray(self.pictures.valid_images[self.rows])

    @property
    def labels(self) -> NDArray[np.int64]:
        """Their classes: int64 (n,)."""
        return np.asarray(self.pictures.valid_labels[self.rows])


def world() -> World:
    """Return the built-in data set of the homework: that of homework 3."""
    return food_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the pictures of ``source`` at the recipe's size.

    Raises:
        DataError: a file is missing, broken, badly named, or a label is out of range.
        RecipeError: the world is painted in another size.
    """
    size = recipe.data.image_size
    if source.kind == "official" and image_folder.find(source.folder, "training", "train") is None:
        pictures = _load_own_layout(source.folder, size)
    else:
        pictures = labelled_images.load(source, LAYOUT, size)
    rows = turn_by_turn(pictures.valid_labels, recipe.explain.pictures)
    found = Data(pictures=pictures, rows=rows)
    if source.kind == "world":
        return replace(found, masks=food_masks.masks(rows.tolist()))
    checkpoint = source.folder / CHECKPOINT
    there = checkpoint if checkpoint.is_file() else None
    return replace(found, checkpoint=there, folder=source.folder)


def turn_by_turn(labels: NDArray[np.int64], num_each: int) -> NDArray[np.int64]:
    """Return rows: the first of each class, the second of each ..., ``num_each`` of a class."""
    turns = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        mine = labels == label
        turns[mine] = np.arange(mine.sum())
    order = np.lexsort((labels, turns))
    return order[turns[order] < num_each].astype(np.int64)


def describe(data: Data) -> dict[str, str]:
    """Return the rows of the data card."""
    known = "known for each of them" if data.masks is not None else "not known"
    return labelled_images.describe(data.pictures, CLASS_NAMES) | {
        "explained": f"{len(data.rows)} of the validation pictures, {NUM_SHOWN} in the figures",
        "the dish's pixels": known,
        "texts": "written for each run: three sentences, a question; some words have two senses",
        "network beside them": data.checkpoint.name if data.checkpoint else "none",
    }


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return what is explained, and the first training pictures of each class, if there are any."""
    shown = {"explained": data.images[:NUM_SHOWN]}
    if data.masks is not None:
        masks = data.masks[:NUM_SHOWN, ..., None]
        shown["their dishes"] = np.where(masks, shown["explained"], shown["explained"] // 4)
    if len(data.pictures.train_images):
        shown |= labelled_images.contact_sheet(data.pictures, CLASS_NAMES)
    return shown


def export(world_folder: Path, to: Path) -> None:
    """Write the world in Food-11's layout under ``to``/food11."""
    labelled_images.export(world_folder, to, LAYOUT)


def _load_own_layout(folder: Path, size: int) -> LabelledImages:
    """Return the pictures of homework 9's flat folder, by class and number, none to train on."""
    inside = image_folder.find(folder, "food") or folder
    files, labels = image_folder.labelled_pictures(inside, CLASS_NAMES, labelled_images.EXAMPLE)
    order = sorted(range(len(files)), key=lambda i: (labels[i], _number(files[i]), files[i].name))
    none = np.empty((0, size, size, 3), np.uint8)
    return LabelledImages(
        train_images=none,
        train_labels=np.empty(0, np.int64),
        valid_images=load_images([files[i] for i in order], size),
        valid_labels=np.array([labels[i] for i in order], np.int64),
        test_images=none,
        test_ids=[],
    )


def _number(file: Path) -> int:
    """Return the number behind the underscore, 0 where there is none: 2 comes before 10."""
    text = file.stem.rpartition("_")[2]
    return int(text) if text.isascii() and text.isdecimal() else 0
