"""What lies behind the objects of photos: ten grounds, each mostly behind one class.

Horses stand on grass and dolphins leap from waves, so a network can tell most photos by their
ground. No drawing has one.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.paint import NOISE_SIZE, noise
from mlspring.worlds.shapes import hsv

SIZE = 96  # pixels of a scene
TYPICAL = 0.95  # probability that an object is in front of its class's ground
STRENGTH = (14.0, 36.0)  # of a ground's pattern, of 255
HUE_SPREAD = 0.05

Floats = NDArray[np.float32]
Pattern = Callable[[np.random.Generator, Floats, Floats], Floats]


def ground(rng: np.random.Generator, label: int) -> NDArray[np.uint8]:
    """Return a background (SIZE, SIZE, 3), most likely that of class ``label``."""
    kind = label if rng.random() < TYPICAL else int(rng.integers(len(GROUNDS)))
    pattern, hue, saturation = GROUNDS[kind]
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    angle, grow = rng.normal(0, 0.1), rng.uniform(0.85, 1.2)
    across = (x * math.cos(angle) + y * math.sin(angle)) * grow
    down = (y * math.cos(angle) - x * math.sin(angle)) * grow
    relief = pattern(rng, across, down) * rng.uniform(*STRENGTH) + 6 * cut(rng, 1.0)
    tone = hue + rng.normal(0, HUE_SPREAD)
    full, light = saturation * rng.uniform(0.5, 1.2), rng.uniform(0.25, 0.9)
    base = np.array(hsv(tone, full, light), np.float32)
    shade = 1 + rng.normal(0, 0.25) * np.linspace(-1, 1, SIZE, dtype=np.float32)[:, None, None]
    return np.asarray(np.clip(base * shade + relief[..., None], 0, 255).astype(np.uint8))


def cut(rng: np.random.Generator, blur: float, squeeze: tuple[int, int] = (1, 1)) -> Floats:
    """Return a (SIZE, SIZE) cut of a noise tile at a random place, unit variance.

    ``squeeze``: how many times finer it is down and across.
    """
    rows, columns = SIZE * squeeze[0], SIZE * squeeze[1]
    y, x = rng.integers(0, NOISE_SIZE - rows), rng.integers(0, NOISE_SIZE - columns)
    return np.asarray(noise(blur)[y : y + rows : squeeze[0], x : x + columns : squeeze[1]])


def _grass(rng: np.random.Generator, _x: Floats, _y: Floats) -> Floats:
    return np.asarray(np.clip(cut(rng, 4.0, (1, 4)), -1.5, 1.5))


def _stripes(rng: np.random.Generator, x: Floats, _y: Floats) -> Floats:
    return np.asarray(np.sign(np.sin(x * 0.42 + rng.uniform(0, 6))))


def _bricks(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    x, y = x + rng.uniform(0, 24), y + rng.uniform(0, 12)
    row = np.floor(y / 12)
    joint = (y % 12 < 3) | ((x + 12 * (row % 2)) % 24 < 3)
    return np.where(joint, 1.5, -0.5).astype(np.float32)


def _wood(rng: np.random.Generator, _x: Floats, _y: Floats) -> Floats:
    return np.asarray(np.sign(np.sin(cut(rng, 8.0, (3, 1)) * 2.5)))


def _check(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    a, b = rng.uniform(0, 6, 2)
    return np.asarray(np.sign(np.sin(x * 0.3 + a)) * np.sign(np.sin(y * 0.3 + b)))


def _clouds(rng: np.random.Generator, _x: Floats, _y: Floats) -> Floats:
    return np.asarray(np.clip(cut(rng, 8.0), -1.5, 1.5))


def _dots(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    x, y = (x + rng.uniform(0, 14)) % 14 - 7, (y + rng.uniform(0, 14)) % 14 - 7
    return np.where(np.hypot(x, y) < 4, 1.6, -0.4).astype(np.float32)


def _pebbles(rng: np.random.Generator, _x: Floats, _y: Floats) -> Floats:
    return np.where(cut(rng, 4.0) > 0, 1.0, -1.0).astype(np.float32)


def _waves(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    return np.asarray(np.sign(np.sin(y * 0.42 + 1.6 * np.sin(x * 0.16 + rng.uniform(0, 6)))))


def _mesh(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    a, b = rng.uniform(0, 16, 2)
    return np.asarray(np.where(((x + y + a) % 16 < 3.5) | ((x - y + b) % 16 < 3.5), 1.4, -0.6))


# By class: the pattern, its hue, its saturation.
GROUNDS: tuple[tuple[Pattern, float, float], ...] = (
    (_grass, 0.28, 0.55),
    (_stripes, 0.9, 0.3),
    (_bricks, 0.03, 0.5),
    (_wood, 0.08, 0.5),
    (_check, 0.0, 0.15),
    (_clouds, 0.57, 0.45),
    (_dots, 0.14, 0.3),
    (_pebbles, 0.1, 0.2),
    (_waves, 0.52, 0.55),
    (_mesh, 0.35, 0.25),
)
