"""The contact sheet of a homework's data: what its pictures look like, on one PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mlspring import catalog
from mlspring.core import progress
from mlspring.core.files import atomic_path
from mlspring.core.island import HasContactSheet
from mlspring.core.spec import Spec

NAME = "contact_sheet.png"
MOST_ROWS, MOST_PICTURES = 16, 12
SIDE, GAP, CAPTION = 64, 4, 14  # pixels: of a picture, between two, of a row's caption
INK, PAPER = (29, 33, 38), (255, 255, 255)


def write(spec: Spec, data: Any, folder: Path) -> Path | None:
    """Write the contact sheet into ``folder``; return its path, None where there are no pictures.

    Pictures that cannot be shown are a warning: they never stop what they belong to.

    Args:
        spec: the homework; pictures are what ``contact_sheet(data)`` of its ``data`` returns.
        data: the loaded data.
        folder: where ``contact_sheet.png`` appears.
    """
    part = catalog.part(spec, "data")
    try:
        rows = part.contact_sheet(data) if isinstance(part, HasContactSheet) else {}
        drawn = sheet(rows) if any(len(row) for row in rows.values()) else None
    except Exception as error:  # noqa: BLE001  a picture never costs a result
        progress.say(f"warning: no contact sheet of the data: {type(error).__name__}: {error}")
        return None
    if drawn is None:
        return None
    path = folder / NAME
    with atomic_path(path) as partial:
        drawn.save(partial, format="PNG")
    return path


def sheet(rows: Mapping[str, NDArray[np.uint8]]) -> Image.Image:
    """Return the pictures with the caption of each row above it.

    Args:
        rows: caption -> pictures, (n, height, width) grey or (n, height, width, 3) RGB; at most
            ``MOST_ROWS`` rows of ``MOST_PICTURES`` are shown.
    """
    shown = [(name, row[:MOST_PICTURES]) for name, row in rows.items() if len(row)][:MOST_ROWS]
    columns = max(len(row) for _, row in shown)
    height = CAPTION + SIDE + 2 * GAP
    size = (max(columns, 4) * (SIDE + GAP) + GAP, len(shown) * height + GAP)
    page = Image.new("RGB", size, PAPER)
    words = ImageDraw.Draw(page)
    for number, (name, row) in enumerate(shown):
        top = GAP + number * height
        words.text((GAP, top), name.encode("latin-1", "replace").decode("latin-1"), fill=INK)
        for column, pixels in enumerate(row):
            page.paste(_fitted(pixels), (GAP + column * (SIDE + GAP), top + CAPTION))
    return page


def _fitted(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return a picture whose longer side has ``SIDE`` pixels; small ones keep hard edges."""
    picture = Image.fromarray(pixels).convert("RGB")
    factor = SIDE / max(picture.size)
    size = tuple(max(1, round(side * factor)) for side in picture.size)
    smooth = Image.Resampling.LANCZOS if factor < 1 else Image.Resampling.NEAREST
    return picture.resize((size[0], size[1]), smooth)
