"""One colour picture of an object, 32 x 32: the domain pair's outlines, in quieter light.

A person sees the object at once, yet its colours stand out less from the ground than in the domain
pair, and the ground itself is often that of the class: as in real photos, a classifier may use the
large shape and the fine texture alike. The fine part is what a small perturbation can change.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mlspring.worlds import domains_photo, objects
from mlspring.worlds.domains_ground import ground
from mlspring.worlds.shapes import Color, hsv, mix

CLASS_NAMES: tuple[str, ...] = tuple(sorted(objects.CLASS_NAMES))
_NUMBERS = tuple(objects.CLASS_NAMES.index(name) for name in CLASS_NAMES)

SIDE = domains_photo.SIDE
CONTRAST = (60.0, 120.0)  # of 255: between an object's brightness and its ground's
TYPICAL = 0.6  # probability that the ground is asked to be the class's; else it is any
LIGHT = (0.12, 0.95)  # darkest and brightest body
CLUTTER = (0, 3)  # things behind the object: at least, and fewer than


def photo(rng: np.random.Generator, label: int) -> NDArray[np.uint8]:
    """Return an RGB picture (32, 32, 3) of class ``label``; ``rng`` decides the rest."""
    kind = _NUMBERS[label]
    behind = ground(rng, kind if rng.random() < TYPICAL else int(rng.integers(len(CLASS_NAMES))))
    scene = Image.fromarray(behind)
    brush = ImageDraw.Draw(scene)
    for _ in range(rng.integers(*CLUTTER)):
        domains_photo.clutter(rng, brush)
    parts = domains_photo.placed(rng, objects.OUTLINES[kind](rng, False))
    colors = dress(rng, float(behind.mean()))
    domains_photo.cast_shadow(rng, scene, parts)
    for part in parts:
        domains_photo.paint(rng, brush, part, colors)
    return domains_photo.camera(rng, np.asarray(scene, np.float32))


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
    other = hsv(
        hue + rng.normal(0, 0.12), full * rng.uniform(0.5, 1.3), bright + rng.normal(0, 0.2)
    )
    return body, other, mix(body, (15, 12, 10), rng.uniform(0.5, 0.95))
