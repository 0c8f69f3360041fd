"""One colour photo of an object: a ground, things in the way, light, a cheap camera."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from mlspring.worlds.domains_ground import SIZE, cut, ground
from mlspring.worlds.objects import OUTLINES
from mlspring.worlds.outlines import DARK, Part
from mlspring.worlds.shapes import Color, Points, circle, hsv, mix, turned

SIDE = 32  # pixels of a finished photo, as in the course's data
SCALE = SIZE // SIDE  # painted so many times larger
CONTRAST = 110  # of 255: least difference in brightness between an object and its background
CLUTTER = (0, 2)  # things behind the object: at least, and fewer than
IN_FRONT = (0.9, 0.1)  # probabilities of 0, 1 small things in front of it
REACH = (0.85, 1.0)  # half the object's size, of half the picture's

Floats = NDArray[np.float32]


def photo(rng: np.random.Generator, label: int) -> NDArray[np.uint8]:
    """Return an RGB picture (32, 32, 3) of class ``label``; ``rng`` decides the rest."""
    behind = ground(rng, label)
    scene = Image.fromarray(behind)
    brush = ImageDraw.Draw(scene)
    for _ in range(rng.integers(*CLUTTER)):
        clutter(rng, brush)
    parts = placed(rng, OUTLINES[label](rng, False))
    colors = dress(rng, float(behind.mean()))
    cast_shadow(rng, scene, parts)
    for part in parts:
        paint(rng, brush, part, colors)
    for _ in range(rng.choice(len(IN_FRONT), p=IN_FRONT)):
        clutter(rng, brush, small=True)
    return camera(rng, np.asarray(scene, np.float32))


def clutter(rng: np.random.Generator, brush: ImageDraw.ImageDraw, *, small: bool = False) -> None:
    """Paint something that is none of the ten: a blob, a box or a pole."""
    color = _ink(hsv(rng.random(), rng.uniform(0, 0.7), rng.uniform(0.1, 1)))
    reach = rng.uniform(0.05, 0.13) if small else rng.uniform(0.08, 0.3)
    at = rng.uniform(0, SIZE, 2)
    kind = rng.integers(3)
    if kind == 0:
        points = circle(12) * (1 + 0.2 * rng.standard_normal((12, 1))) * reach * SIZE
    elif kind == 1:
        half = rng.uniform(0.4, 1, 2) * reach * SIZE
        points = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    else:
        points = np.array([[-0.15, -4], [0.15, -4], [0.15, 4], [-0.15, 4]]) * reach * SIZE * 0.6
    brush.polygon((turned(points, rng.uniform(0, 6.3)) + at).ravel().tolist(), fill=color)


def placed(rng: np.random.Generator, parts: list[Part]) -> list[Part]:
    """Return the parts in pixels of the scene: mirrored, tilted, squeezed, off the middle."""
    size = SIZE / 2 * rng.uniform(*REACH)
    shear = np.array([[rng.choice([-1.0, 1.0]), 0.0], [rng.normal(0, 0.12), 1.0]])
    squeeze = rng.uniform(0.78, 1.0, 2)
    angle = rng.normal(0, 0.16)
    at = SIZE / 2 + rng.normal(0, SIZE * 0.06, 2)
    moved = []
    for part in parts:
        points = turned(part.points @ shear * squeeze, angle) * size + at
        moved.append(Part(points=points, closed=part.closed, tone=part.tone, detail=part.detail))
    return moved


def dress(rng: np.random.Generator, ground: float) -> tuple[Color, Color, Color]:
    """Return the object's colours: body, second and dark; the body stands out from ``ground``."""
    hue, full = rng.random(), rng.uniform(0.05, 0.85)
    bright = float(rng.uniform(0.2, 1))
    if abs(255 * bright * (1 - full / 2) - ground) < CONTRAST:  # too much like the background
        bright = rng.uniform(0.8, 1) if ground < 128 else rng.uniform(0.1, 0.35)
        full = full / 2 if ground < 128 else full
    body = hsv(hue, full, bright)
    level = bright + rng.normal(0, 0.2)
    other = hsv(hue + rng.normal(0, 0.12), full * rng.uniform(0.5, 1.3), level)
    return body, other, mix(body, (15, 12, 10), rng.uniform(0.5, 0.95))


def cast_shadow(rng: np.random.Generator, scene: Image.Image, parts: list[Part]) -> None:
    """Darken the background where the object's shadow falls."""
    mask = Image.new("L", (SIZE, SIZE))
    brush = ImageDraw.Draw(mask)
    shift = rng.uniform(2, 7, 2) * (rng.choice([-1, 1]), 1)
    for part in parts:
        points = (part.points + shift).ravel().tolist()
        if part.closed and len(part.points) > 2:
            brush.polygon(points, fill=int(255 * rng.uniform(0.3, 0.6)))
    scene.paste((12, 12, 16), mask=mask)


def paint(
    rng: np.random.Generator,
    brush: ImageDraw.ImageDraw,
    part: Part,
    colors: tuple[Color, Color, Color],
) -> None:
    """Fill a part with its colour, lit from above; a line becomes a rod."""
    level = rng.normal(0, 14)
    color = colors[part.tone]
    color = (color[0] + level, color[1] + level, color[2] + level)
    flat = part.points.ravel().tolist()
    if not part.closed:
        width = 2 if part.tone == DARK else int(rng.integers(3, 6))
        brush.line(flat, fill=_ink(color), width=width, joint="curve")
        return
    brush.polygon(flat, fill=_ink(mix(color, (10, 8, 6), 0.22)))
    middle = part.points.mean(0)
    lift = np.array([0.0, -0.06 * np.ptp(part.points[:, 1])])
    for share, light in ((0.88, 0.0), (0.6, 0.14)):
        inner: Points = middle + (part.points - middle) * share + lift
        brush.polygon(inner.ravel().tolist(), fill=_ink(mix(color, (255, 250, 240), light)))


def camera(rng: np.random.Generator, scene: Floats) -> NDArray[np.uint8]:
    """Return the scene as a camera takes it: uneven light, texture, blur, grain."""
    side = np.linspace(-1, 1, SIZE, dtype=np.float32)
    across, down = rng.normal(0, 0.18, 2).tolist()
    light = 1 + across * side + down * side[:, None] + 0.12 * cut(rng, 8.0)
    rough = 1 + cut(rng, 1.0) * rng.uniform(0.02, 0.1)
    picture = scene * (np.clip(light, 0.25, 2) * rough)[..., None] * math.exp(rng.normal(0, 0.2))
    small = picture.reshape(SIDE, SCALE, SIDE, SCALE, 3).mean((1, 3))
    focus = min(abs(rng.normal(0, 0.25)), 0.6)
    if focus > 0.3:
        small = gaussian_filter(small, (focus, focus, 0))
    small = small + rng.standard_normal((SIDE, SIDE, 3)) * abs(rng.normal(0, 5))
    return np.asarray(np.clip(small, 0, 255).astype(np.uint8))


def _ink(color: Color) -> tuple[int, int, int]:
    r, g, b = (min(255, max(0, int(value))) for value in color)
    return r, g, b
