"""What lies behind a face: a gradient and one of seven patterns."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from mlspring.worlds.faces.pen import SHEET, SIDE, Floats, Sheet
from mlspring.worlds.paint import NOISE_SIZE, noise
from mlspring.worlds.shapes import hsv

COARSE = 2  # pixels of the sheet in a pixel of the pattern
SIZE = SHEET // COARSE
Pattern = Callable[[Sheet, Floats, Floats], Floats]


@cache
def _grid() -> tuple[Floats, Floats]:
    """Return x and y of the pattern's pixels, in finished ones around the middle: (SIZE, SIZE)."""
    side = (np.arange(SIZE, dtype=np.float32) + 0.5) * (SIDE / SIZE) - SIDE / 2
    x, y = np.meshgrid(side, side)
    return x, y


def cut(texture: np.random.Generator, blur: float, size: int) -> Floats:
    """Return a (size, size) cut of a noise tile at a random place, unit variance."""
    y, x = texture.integers(0, NOISE_SIZE - size, 2).tolist()
    return np.asarray(noise(blur)[y : y + size, x : x + size])


def ground(sheet: Sheet) -> Floats:
    """Return the background as colours in 0 .. 255: (3, SIZE, SIZE)."""
    face = sheet.face
    x, y = _grid()
    one = hsv(face.ground_hue, 0.22, face.ground_light)
    two = hsv(face.ground_hue + 0.09, 0.5, face.ground_light * 0.86)
    c, s = math.cos(face.ground_angle), math.sin(face.ground_angle)
    u = np.asarray((x * c + y * s) / face.ground_size, np.float32)
    v = np.asarray((y * c - x * s) / face.ground_size, np.float32)
    fade = np.clip(0.5 + v / SIDE, 0, 1)
    pattern = PATTERNS[face.ground](sheet, u, v)
    share = np.clip(0.55 * fade + 0.45 * pattern, 0, 1)
    return np.stack([a + share * (b - a) for a, b in zip(one, two, strict=True)])


def _plain(_sheet: Sheet, u: Floats, _v: Floats) -> Floats:
    return np.zeros_like(u)


def _stripes(_sheet: Sheet, _u: Floats, v: Floats) -> Floats:
    return np.asarray((np.mod(v, 8) < 4).astype(np.float32))


def _dots(_sheet: Sheet, u: Floats, v: Floats) -> Floats:
    row = np.floor(v / 7)
    across = np.mod(u + 4 * np.mod(row, 2), 8) - 4
    return np.asarray((np.hypot(across, np.mod(v, 7) - 3.5) < 2.2).astype(np.float32))


def _check(_sheet: Sheet, u: Floats, v: Floats) -> Floats:
    return np.asarray(((np.mod(u, 12) < 6).astype(np.float32) + (np.mod(v, 12) < 6)) / 2)


def _rays(_sheet: Sheet, u: Floats, v: Floats) -> Floats:
    return np.asarray((np.mod(np.arctan2(v, u) * 14 / math.pi, 2) < 1).astype(np.float32))


def _bokeh(sheet: Sheet, u: Floats, v: Floats) -> Floats:
    rng = sheet.chance("bokeh")
    lit = np.zeros_like(u)
    for x, y, radius in (rng.uniform((-34, -34, 2.5), (34, 34, 8), (12, 3))).tolist():
        lit += 0.55 * ((u - x) ** 2 + (v - y) ** 2 < radius**2)
    return lit


def _clouds(sheet: Sheet, u: Floats, _v: Floats) -> Floats:
    clouds = cut(sheet.chance("clouds"), 8.0, len(u))
    return np.asarray(np.clip(0.5 + 0.6 * clouds, 0, 1))


PATTERNS: dict[str, Pattern] = {
    "plain": _plain,
    "stripes": _stripes,
    "dots": _dots,
    "check": _check,
    "rays": _rays,
    "bokeh": _bokeh,
    "clouds": _clouds,
}
