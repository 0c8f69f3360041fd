"""Pictures of food in eleven classes: the painted world, or a folder in Food-11's layout.

    DIR[/food11]/training/8_806.jpg     class 8, picture 806; likewise validation/
    DIR[/food11]/test/0001.jpg          no label; the id is the name without suffix

What reads and writes both is ``core.labelled_images``.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core import labelled_images
from mlspring.core.labelled_images import LabelledImages, Layout
from mlspring.core.source import Source
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.worlds.food import CLASS_NAMES, food_world
from mlspring.worlds.world import World

NUM_CLASSES = len(CLASS_NAMES)
LAYOUT = Layout(
    homework="hw03",
    folder="food11",
    test=("test", "testing", "evaluation"),
    first_id=1,
    class_names=CLASS_NAMES,
)
Data = LabelledImages


def world() -> World:
    """Return the built-in data set of the homework."""
    return food_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the pictures of ``source`` at the recipe's size.

    Raises:
        DataError: a file is missing, broken, badly named, or a label is out of range.
        RecipeError: the world is painted in another size.
    """
    return labelled_images.load(source, LAYOUT, recipe.data.image_size)


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order; reads no picture."""
    return labelled_images.test_ids(source, LAYOUT)


def describe(data: Data) -> dict[str, str]:
    """Return the rows of the data card."""
    return labelled_images.describe(data, CLASS_NAMES)


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return the first training pictures of each class: name to uint8 (n, side, side, 3)."""
    return labelled_images.contact_sheet(data, CLASS_NAMES)


def export(world_folder: Path, to: Path) -> None:
    """Write the world in Food-11's layout under ``to``/food11; the answers stay with the judge."""
    labelled_images.export(world_folder, to, LAYOUT)
