"""One colour picture of an object, 32 x 32: a clear shape, and a faint texture that goes with it.

A person sees the shape at once and hardly the texture, which is that of the class nine times out
of ten and differs from grey by less than an attack may change. A classifier finds the texture
easier to learn, as with real photos: what it takes from there is right on average, and not robust
(arXiv:1905.02175).
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mlspring.worlds import domains_photo, objects
from mlspring.worlds.domains_ground import GROUNDS, ground
from mlspring.worlds.domains_ground import SIZE as SCENE
from mlspring.worlds.shapes import Color, hsv, mix

CLASS_NAMES: tuple[str, ...] = tuple(sorted(objects.CLASS_NAMES))
_NUMBERS = tuple(objects.CLASS_NAMES.index(name) for name in CLASS_NAMES)

SIDE = domains_photo.SIDE
CONTRAST = (60.0, 120.0)  # of 255: between an object's brightness and its ground's
LIGHT = (0.12, 0.95)  # darkest and brightest body
CLUTTER = (0, 3)  # things behind the object: at least, and fewer than
TYPICAL = 0.2  # probability that the ground is asked to be the class's; else it is any
OWN_TEXTURE = 0.9  # probability that the texture is the class's; else it is any
FAINT = (3.0, 7.0)  # of 255: the texture's standard deviation
STEEP = 2.5  # no pixel of the texture is further from grey, in standard deviations


def photo(rng: np.random.Generator, label: int) -> NDArray[np.uint8]:
    """Return an RGB picture (32, 32, 3) of class ``label``; ``rng`` decides the rest."""
    kind = _NUMBERS[label]
    behind = ground(rng, _mostly(rng, kind, TYPICAL))
    scene = Image.fromarray(behind)
    brush = ImageDraw.Draw(scene)
    for _ in range(rng.integers(*CLUTTER)):
        domains_photo.clutter(rng, brush)
    parts = domains_photo.placed(rng, objects.OUTLINES[kind](rng, False))
    colors = dress(rng, float(behind.mean()))
    domains_photo.cast_shadow(rng, scene, parts)
    for part in parts:
        domains_photo.paint(rng, brush, part, colors)
    picture = domains_photo.camera(rng, np.asarray(scene, np.float32))
    faint = texture(rng, _mostly(rng, kind, OWN_TEXTURE)) * rng.uniform(*FAINT)
    return np.asarray(np.clip(np.round(picture + faint[..., None]), 0, 255).astype(np.uint8))


def texture(rng: np.random.Generator, kind: int) -> NDArray[np.float32]:
    """Return a texture (32, 32) of mean 0 and standard deviation 1; the same kind, the same weave.

    It is laid at a random place, but always in the same direction and size.
    """
    y, x = np.mgrid[:SCENE, :SCENE].astype(np.float32)
    right, down = rng.uniform(0, 64, 2)
    fine = GROUNDS[kind][0](rng, x + right, y + down)
    scale = SCENE // SIDE
    coarse = fine.reshape(SIDE, scale, SIDE, scale).mean((1, 3))
    made = (coarse - coarse.mean()) / max(float(coarse.std()), 1e-6)
    return np.asarray(np.clip(made, -STEEP, STEEP), np.float32)


def dress(rng: np.random.Generator, behind: float) -> tuple[Color, Color, Color]:
    """Return the colours of body, second and dark; the body's brightness differs from ``behind``.

    Args:
        rng: draws hue, saturation and by how much it differs, within ``CONTRAST``.
        behind: mean brightness of the ground, 0 .. 255.
    """
    hue, full = rng.random(), rng.uniform(0.05, 0.85)
    apart = rng.uniform(*CONTRAST)
    lower, higher = behind - apart, behind + apart
    darker = rng.random() < 0.5 if lower > 40 and higher < 215 else behind > 128
    wanted = lower if darker else higher
    if not darker:  # a full colour is never as bright as a pale one
        full = min(full, max(0.0, 2 * (1 - wanted / 255 / LIGHT[1])))
    bright = float(np.clip(wanted / 255 / (1 - full / 2), *LIGHT))
    body = hsv(hue, full, bright)
    level = bright + rng.normal(0, 0.2)
    other = hsv(hue + rng.normal(0, 0.12), full * rng.uniform(0.5, 1.3), level)
    return body, other, mix(body, (15, 12, 10), rng.uniform(0.5, 0.95))


def _mostly(rng: np.random.Generator, kind: int, probability: float) -> int:
    return kind if rng.random() < probability else int(rng.integers(len(CLASS_NAMES)))
