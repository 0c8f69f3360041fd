"""Pictures of food in eleven classes: the painted world, or a folder in hw13's layout.

    DIR[/food11-hw13]/training/8_806.jpg        class 8, picture 806; likewise validation/
    DIR[/food11-hw13]/evaluation/0000.jpg       no label; the id is the name without suffix
    DIR[/food11-hw13]/resnet18_teacher.ckpt     the given teacher, for official recipes

With ``data.resize`` the short side is brought to that many pixels and the middle is cut out, as
the sample does (256 and 224); without it the whole picture is squeezed into the square.
The world is that of homework 3, its test pictures numbered from 0000 as the course does here.
What reads and writes both is ``core.labelled_images``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core import image_folder, labelled_images, picture_arrays
from mlspring.core.errors import RecipeError
from mlspring.core.labelled_images import LabelledImages, Layout
from mlspring.core.source import Source
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.worlds.food import CLASS_NAMES, food_world
from mlspring.worlds.world import World, save_array

NUM_CLASSES = len(CLASS_NAMES)
LAYOUT = Layout(
    homework="hw13",
    folder="food11-hw13",
    test=("evaluation", "test", "testing"),
    first_id=0,
    class_names=CLASS_NAMES,
)
TEACHER = "resnet18_teacher.ckpt"


@dataclass(frozen=True, kw_only=True)
class Data(LabelledImages):
    """The pictures, and the given teacher's checkpoint; None where there is none."""

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
    size, resize = recipe.data.image_size, recipe.data.resize
    if source.kind == "world" and resize is not None:
        raise RecipeError(
            f"data.resize = {resize}, but the world is painted at its size",
            fix="leave data.resize to pictures of your own, with --data DIR",
        )
    images = labelled_images.load(source, LAYOUT, size, resize)
    given = image_folder.find(source.folder, TEACHER) if source.kind == "official" else None
    return Data(**vars(images), teacher=given)


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order; reads no picture."""
    return labelled_images.test_ids(source, LAYOUT)


def fingerprint(data: Data) -> str:
    """Return 16 digits that stand for the labelled pictures: equal pictures, equal digits."""
    return picture_arrays.fingerprint(
        data.train_images, data.train_labels, data.valid_images, data.valid_labels
    )


def describe(data: Data) -> dict[str, str]:
    """Return the rows of the data card."""
    teacher = data.teacher.name if data.teacher else "none; ours is trained once"
    return labelled_images.describe(data, CLASS_NAMES) | {"given teacher": teacher}


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return the first training pictures of each class: name to uint8 (n, side, side, 3)."""
    return labelled_images.contact_sheet(data, CLASS_NAMES)


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the layout under ``to``/food11-hw13; the answers stay with the judge.

    ``to``/test_images.npy holds the very pixels that the judge shows to a student: JPEG changes
    them a little.
    """
    labelled_images.export(world_folder, to, LAYOUT)
    images = np.load(world_folder / "public" / "test_images.npy", mmap_mode="r", allow_pickle=False)
    save_array(to / "test_images.npy", images)
