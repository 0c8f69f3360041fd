"""Which pixels of a painted photo are its dish: the truth that explanations are measured by.

A picture is painted again through the same random stream. What changes on the canvas while the
dish is served, and is not painted over afterwards, is the dish: not the table, the plate, food
beside it, another plate, herbs strewn over it, or a cup in front of it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.food import IMAGE_SIZE, painter
from mlspring.worlds.food_photo import stages
from mlspring.worlds.paint import SIZE, Canvas

HALF = 0.5  # of a picture's pixel must be dish on the larger canvas


def masks(
    numbers: Sequence[int], *, split: str = "valid", seed: int = 0, scale: float = 0.35
) -> NDArray[np.bool_]:
    """Return where the dish is in pictures of ``food_world(seed=seed, scale=scale)``.

    Args:
        numbers: rows of ``<split>_images.npy``.
        split: ``train``, ``valid`` or ``test``.
        seed: of the world.
        scale: of the world.

    Returns:
        bool (n, 64, 64), True on the dish.
    """
    found = np.empty((len(numbers), IMAGE_SIZE, IMAGE_SIZE), bool)
    for mask, number in zip(found, numbers, strict=True):
        mask[:] = dish_mask(*painter(split, int(number), seed=seed, scale=scale))
    return found


def dish_mask(rng: np.random.Generator, label: int, size: int = IMAGE_SIZE) -> NDArray[np.bool_]:
    """Return where the dish is in ``photo(rng, label, size)``: bool (size, size)."""
    canvas = Canvas(rng)
    before, served, end = (_painted(canvas) for _ in stages(canvas, label))
    dish = (served != before).any(-1) & (end == served).all(-1)
    shrink = SIZE // size
    shares = dish.reshape(size, shrink, size, shrink).mean((1, 3))
    return np.asarray(shares >= HALF)


def _painted(canvas: Canvas) -> NDArray[np.float32]:
    """Return a copy of the canvas: red, green, blue, material, height; (SIZE, SIZE, 5)."""
    color = np.asarray(canvas.color, np.float32)
    return np.concatenate((color, np.asarray(canvas.height)[..., None]), -1)
