"""A letter as a pen would draw it: the centre line of a printed one, bent, in one stroke width.

Coordinates are (x, y) with y down; a letter's ink box is centred at 0 and its longer side is 1.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 28  # pixels of a drawing
PLAIN_SIZE = 20.0  # pixels of the longer side of a letter that nobody's hand has bent
FONT_SIZE = 128  # pixels an em, before the ink box is cut out
LINE_SIZE = 60  # pixels of the longer side when the centre line is taken
PEN_RADIUS = 0.9  # pixels
NUM_WAVES = 4  # of the smooth field that bends a letter

Floats = NDArray[np.float32]


@cache
def font_file() -> Path:
    """Return the file of DejaVu Sans that matplotlib ships."""
    import matplotlib as mpl

    return Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@cache
def _font() -> Any:
    from PIL import ImageFont

    # The plain layout: the other one is in some builds of Pillow only.
    return ImageFont.truetype(str(font_file()), FONT_SIZE, layout_engine=ImageFont.Layout.BASIC)


def strokes(character: str) -> tuple[Floats, NDArray[np.int64]]:
    """Return the points of a letter's centre line, float32 (n, 2), and each one's part, (n,).

    Parts are what hangs together: the dots of a letter are others than its body.
    """
    from PIL import Image, ImageDraw
    from scipy.ndimage import label
    from skimage.morphology import skeletonize

    page = Image.new("L", (4 * FONT_SIZE, 4 * FONT_SIZE))
    ImageDraw.Draw(page).text((FONT_SIZE, FONT_SIZE), character, 255, _font())
    ink = page.crop(page.getbbox())
    longer = max(ink.size)
    size = tuple(max(1, round(side * LINE_SIZE / longer)) for side in ink.size)
    printed = np.asarray(ink.resize((size[0], size[1]), Image.Resampling.LANCZOS)) > 127
    line = skeletonize(np.pad(printed, 2))  # type: ignore[no-untyped-call]
    parts, _ = label(line, np.ones((3, 3)))
    rows, columns = np.nonzero(line)
    points = np.stack((columns, rows), 1).astype(np.float32)
    points -= (points.min(0) + points.max(0)) / 2
    extent = max(float((points.max(0) - points.min(0)).max()), LINE_SIZE / 8)
    return points / np.float32(extent), parts[rows, columns].astype(np.int64)


def plain(lines: tuple[Floats, NDArray[np.int64]]) -> NDArray[np.uint8]:
    """Return the letter as it is, large and in the middle: uint8 (28, 28), ink 0 on white 255."""
    return ink_of(lines[0] * np.float32(PLAIN_SIZE), PEN_RADIUS)


def drawing(lines: tuple[Floats, NDArray[np.int64]], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the letter by one hand: uint8 (28, 28), ink 0 on white 255.

    A hand turns, slants, stretches, bends and moves the letter, and sets its parts a little apart.
    """
    points, parts = lines
    field = rng.normal(0, 1, (NUM_WAVES, 2)) * 0.030  # shares of the longer side
    waves = rng.normal(0, 0.55, (NUM_WAVES, 2))  # cycles along it
    phases = rng.uniform(0, 2 * np.pi, NUM_WAVES)
    bent = points + np.sin(2 * np.pi * points @ waves.T + phases) @ field
    bent += rng.normal(0, 0.025, (int(parts.max()) + 1, 2))[parts]
    turn, slant = rng.normal(0, 0.13), rng.normal(0, 0.15)
    stretch = np.exp(rng.normal(0, 0.11))
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shape = np.array([[stretch, slant], [0, 1 / stretch]])
    size = rng.uniform(15.5, 21.5)
    drawn = bent @ (rotate @ shape).T * size
    drawn -= (drawn.min(0) + drawn.max(0)) / 2
    room = np.maximum((SIDE - 3 - (drawn.max(0) - drawn.min(0))) / 2, 0)
    drawn *= np.minimum(1, (SIDE - 3) / np.maximum(drawn.max(0) - drawn.min(0), 1e-6))
    drawn += np.clip(rng.normal(0, 1.2, 2), -room, room)
    return ink_of(drawn.astype(np.float32), PEN_RADIUS * float(np.exp(rng.normal(0, 0.1))))


def ink_of(points: Floats, radius: float) -> NDArray[np.uint8]:
    """Return what a round pen leaves at ``points`` (n, 2), in pixels from the middle.

    A pixel is as dark as the pen covers it along the way to the nearest point.
    """
    centres = np.arange(SIDE, dtype=np.float32) - np.float32((SIDE - 1) / 2)
    across = (centres[:, None] - points[:, 0]) ** 2  # (28, n)
    down = (centres[:, None] - points[:, 1]) ** 2
    nearest = np.sqrt((down[:, None, :] + across[None, :, :]).min(-1))
    ink = np.clip(radius + 0.5 - nearest, 0, 1)
    return np.asarray(255 - np.rint(255 * ink), np.uint8)
