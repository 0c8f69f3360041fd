"""How drawings are read: on the ground that shows them, which way round, how bright."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.images import decode_image, load_images

FAINT = 16  # of 255: what is below is no stroke, however little else there is
CHUNK = 1024  # drawings that are scaled at once
SAMPLE = 64  # drawings that show how clear the others are
CLEAR = 128  # of 255: strokes that differ so much from their ground have the right one


def legible(files: list[Path], size: int) -> NDArray[np.uint8]:
    """Return the drawings uint8 (m, size, size), transparent ones on the ground that shows them.

    That is white as for photos, or black where the strokes stand out more from it.

    Raises:
        DataError: most drawings are of one flat colour all the same; names the first.
    """
    drawings = load_images(files, size, mode="L")[..., 0]
    sample = slice(None, None, max(1, len(files) // SAMPLE))
    on_white = _contrast(drawings[sample])
    if on_white < CLEAR:
        pictures = [decode_image(f, size=size, mode="L", ground="black") for f in files[sample]]
        if _contrast(np.stack(pictures)[..., 0]) > on_white:
            drawings = load_images(files, size, mode="L", ground="black")[..., 0]
    blank = np.flatnonzero(drawings.max(axis=(1, 2)) == drawings.min(axis=(1, 2)))
    if 2 * len(blank) > len(files):
        raise DataError(
            f"has no strokes, as have {len(blank):,} of {len(files):,} drawings",
            file=files[blank[0]],
            expected="drawings whose strokes differ from their ground",
            fix="look at it: it is of one colour when it is read",
        )
    return drawings


def has_dark_ink(drawings: NDArray[np.uint8]) -> bool:
    """Return whether strokes are darker than the ground, which covers most of a drawing."""
    sample = drawings[:: max(1, len(drawings) // 1000)]
    return float(np.median(sample)) > 127


def whitened(drawings: NDArray[np.uint8], percentile: float) -> NDArray[np.uint8]:
    """Return drawings (m, s, s), each scaled so that this percentile of its pixels is white.

    Thin or faint strokes, which fade when a large drawing is made small, then shine like edges do.
    """
    bright = np.empty_like(drawings)
    for start in range(0, len(drawings), CHUNK):
        part = slice(start, start + CHUNK)
        tops = np.percentile(drawings[part], percentile, axis=(1, 2), keepdims=True)
        scaled = drawings[part] * (255 / tops.clip(min=FAINT)).astype(np.float32)
        bright[part] = scaled.clip(max=255).round()
    return bright


def _contrast(drawings: NDArray[np.uint8]) -> float:
    """Return how far the lightest pixel is from the darkest: the mean of all drawings."""
    return float(np.ptp(drawings, axis=(1, 2)).mean())
