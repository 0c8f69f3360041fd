"""A painter of lit scenes: shapes go into a colour picture and a height map, light comes last.

Every shape is drawn twice with Pillow: its colour (with the material's number in the alpha
channel) and its height above the table. ``Canvas.render`` then lights the height map: diffuse
light, gloss, soft cast shadows and darker hollows, so that all things in a picture agree about
where the light is. Coordinates are pixels of the square canvas around its middle, on the table;
``screen`` turns, tilts and shifts them to where the camera sees them.
"""

import math
from collections.abc import Sequence
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from mlspring.worlds.shapes import Color, Points, circle, mix, turned, waves

Floats = NDArray[np.float32]

SIZE = 128  # pixels of the canvas; pictures are reduced from it, which smooths the edges
NOISE_SIZE = 512
DOME = ((0.93, 0.36), (0.8, 0.62), (0.58, 0.85), (0.32, 1.0))  # share of the outline: of the rise


class Material(IntEnum):
    """What a surface is like; the rows of ``SURFACES``."""

    TABLE = 0
    CLOTH = 1
    CHINA = 2
    METAL = 3
    CRUST = 4
    CRUMB = 5
    CREAM = 6
    GLAZE = 7
    FLESH = 8
    FRIED = 9
    GRAIN = 10
    LIQUID = 11
    PEEL = 12
    LEAF = 13
    SKIN = 14


# gloss, fine relief, coarse relief, speckle, mottle
SURFACES = np.array(
    [
        [0.06, 0.08, 0.0, 0.03, 0.02],
        [0.0, 0.25, 0.2, 0.05, 0.03],
        [0.5, 0.0, 0.0, 0.01, 0.01],
        [0.9, 0.05, 0.0, 0.03, 0.03],
        [0.12, 0.3, 0.5, 0.06, 0.14],
        [0.0, 0.75, 0.3, 0.09, 0.07],
        [0.25, 0.03, 0.4, 0.01, 0.03],
        [0.85, 0.05, 0.15, 0.02, 0.05],
        [0.35, 0.35, 0.5, 0.08, 0.12],
        [0.3, 0.85, 1.0, 0.13, 0.17],
        [0.2, 0.2, 0.2, 0.04, 0.03],
        [0.75, 0.03, 0.1, 0.02, 0.06],
        [0.5, 0.1, 0.15, 0.03, 0.07],
        [0.25, 0.35, 0.9, 0.05, 0.13],
        [0.1, 0.1, 0.3, 0.03, 0.05],
    ],
    np.float32,
)


@cache
def noise(blur: float) -> Floats:
    """Return the (512, 512) noise tile of one blur, with unit variance; it wraps at its edges.

    The tile is the same in every process: its seed is fixed, pictures differ by where they cut.
    """
    rng = np.random.default_rng([20220225, round(blur * 100)])
    field = rng.standard_normal((NOISE_SIZE, NOISE_SIZE), dtype=np.float32)
    smooth = gaussian_filter(field, blur, mode="wrap")
    return np.asarray(smooth / smooth.std(), np.float32)


class Canvas:
    """A scene being painted: colours, materials, heights, and the camera's view on the table."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.tilt = 1 - 0.45 * rng.beta(1.1, 1.6)  # squash of the table's depth: 1 is from above
        self.rise = math.sqrt(1 - self.tilt**2)  # screen pixels up for a pixel of height
        self.turn = rng.uniform(0, 2 * math.pi)
        c, s = math.cos(self.turn), math.sin(self.turn)
        self.view = np.array([[c, s * self.tilt], [-s, c * self.tilt]])
        self.middle = SIZE / 2 + rng.uniform(-24, 24, 2)
        self.sun = rng.uniform(0, 2 * math.pi)
        self.elevation = rng.uniform(0.55, 1.15)
        self.color = Image.new("RGBA", (SIZE, SIZE))
        self.height = Image.new("F", (SIZE, SIZE))
        self._color = ImageDraw.Draw(self.color)
        self._height = ImageDraw.Draw(self.height)

    # ---- where things are

    def screen(self, points: Points, height: float = 0.0) -> Points:
        """Return where the camera sees (n, 2) table points, ``height`` pixels above the table."""
        seen = points @ self.view + self.middle
        seen[:, 1] -= height * self.rise
        return np.asarray(seen)

    def table_grid(self) -> tuple[Floats, Floats]:
        """Return the table coordinates (x, y) of every pixel, each (SIZE, SIZE)."""
        rows, columns = np.mgrid[0:SIZE, 0:SIZE]
        seen = np.stack([columns, rows], -1) - self.middle
        table = (seen @ np.linalg.inv(self.view)).astype(np.float32)
        return table[..., 0], table[..., 1]

    def noise(self, blur: float) -> Floats:
        """Return a (SIZE, SIZE) cut of the noise tile at a random place."""
        y, x = self.rng.integers(0, NOISE_SIZE - SIZE, 2)
        return noise(blur)[y : y + SIZE, x : x + SIZE]

    def blob(
        self, at: Points, rx: float, ry: float, angle: float | None = None, rough: float = 0.1
    ) -> Points:
        """Return a wobbly ellipse as (n, 2) points; a random angle where none is given."""
        num_points = 14 if max(rx, ry) < 7 else 26
        points = circle(num_points)
        if rough:
            wobble = self.rng.standard_normal(6) @ waves(num_points)
            points = points * (1 + rough * wobble)[:, None]
        if angle is None:
            angle = self.rng.uniform(0, 2 * math.pi)
        return np.asarray(turned(points * (rx, ry), angle) + at)

    def tint(self, color: Color, spread: float = 14) -> Color:
        """Return ``color`` varied in brightness and, less, in hue."""
        level = self.rng.normal(0, spread)
        r, g, b = self.rng.normal(level, spread * 0.4, 3)
        return color[0] + r, color[1] + g, color[2] + b

    # ---- shapes

    def fill(self, points: Points, color: Color, height: float, material: Material) -> None:
        """Paint a polygon, flat at ``height``; ``points`` are on the screen already."""
        if len(points) < 3:
            return
        flat = points.ravel().tolist()
        self._color.polygon(flat, fill=_rgba(color, material))
        self._height.polygon(flat, fill=height)

    def flat(
        self, points: Points, color: Color, base: float, material: Material = Material.CHINA
    ) -> None:
        """Paint a thin polygon that lies at height ``base``."""
        self.fill(self.screen(points, base), color, base, material)

    def dome(
        self,
        points: Points,
        color: Color,
        rise: float,
        base: float,
        material: Material,
        edge: Color | None = None,
    ) -> None:
        """Paint a body that rises from ``base`` in its outline to ``base + rise`` in its middle.

        ``edge`` is the colour of its rim, e.g. a crust.
        """
        outline = self.screen(points, base)
        self.fill(outline, edge or color, base + rise * 0.12, material)
        middle = outline.mean(0)
        away = outline - middle
        for share, lift in DOME:
            ring = (middle + away * share).ravel().tolist()
            self._height.polygon(ring, fill=base + rise * lift)
        if edge is not None:
            inner = (middle + away * 0.84).ravel().tolist()
            self._color.polygon(inner, fill=_rgba(color, material))

    def block(
        self,
        points: Points,
        layers: Sequence[tuple[Color, Material]],
        tall: float,
        base: float,
        top: tuple[Color, Material],
    ) -> None:
        """Paint an upright body with flat top; its sides show ``layers`` from below upwards."""
        steps = max(1, round(tall * self.rise * 1.2))
        for step in range(steps):
            color, material = layers[min(len(layers) - 1, step * len(layers) // steps)]
            up = base + tall * step / steps
            self.fill(self.screen(points, up), mix(color, (20, 12, 8), 0.22), up, material)
        self.fill(self.screen(points, base + tall), top[0], base + tall, top[1])

    def strand(
        self, points: Points, width: float, color: Color, base: float, material: Material
    ) -> None:
        """Paint a round string along (n, 2) points: darker sides, a ridge in its middle."""
        seen = self.screen(points, base)
        flat = seen.ravel().tolist()
        wide = max(1, round(width))
        self._color.line(flat, fill=_rgba(mix(color, (40, 20, 5), 0.3), material), width=wide + 1)
        self._color.line(flat, fill=_rgba(color, material), width=wide)
        self._height.line(flat, fill=base + width * 0.35, width=wide)
        self._height.line(flat, fill=base + width * 0.8, width=max(1, wide // 2))

    def mark(self, points: Points, width: int, color: Color, base: float, dent: float) -> None:
        """Draw a line of colour along (n, 2) points that rises (or dents) the surface."""
        flat = self.screen(points, base).ravel().tolist()
        self._color.line(flat, fill=_rgba(color, Material.CRUST), width=width)
        if dent:
            self._height.line(flat, fill=base + dent, width=width)

    def dots(self, at: Points, radius: float, colors: Sequence[Color], base: float) -> None:
        """Paint small beads at (n, 2) points: crumbs, seeds, sprinkles, peas."""
        for i, (x, y) in enumerate(self.screen(at, base).tolist()):
            box = [x - radius, y - radius * self.tilt, x + radius, y + radius * self.tilt]
            self._color.ellipse(box, fill=_rgba(colors[i % len(colors)], Material.PEEL))
            if radius > 1.2:
                self._height.ellipse(box, fill=base + radius)

    # ---- light

    def render(self) -> Floats:
        """Return the lit scene, (SIZE, SIZE, 3) in 0 .. 255 and somewhat beyond."""
        pixels = np.asarray(self.color)
        gloss, fine, coarse, speckle, mottle = SURFACES.T[:, pixels[..., 3]]
        raw = np.asarray(self.height)
        relief = gaussian_filter(raw, 1.1)
        relief += 0.55 * fine * self.noise(0.8) + 0.9 * coarse * self.noise(2.2)
        slope_y, slope_x = np.gradient(relief)
        flat_x, flat_y = math.cos(self.sun), math.sin(self.sun)
        up = math.sin(self.elevation)
        along = math.cos(self.elevation)
        length = np.sqrt(1 + slope_x**2 + slope_y**2)
        facing = (up - along * (slope_x * flat_x + slope_y * flat_y)) / length
        half = (1 + up - along * (slope_x * flat_x + slope_y * flat_y)) / (
            length * math.sqrt(2 + 2 * up)
        )
        shade = self._shadow(raw, flat_x, flat_y)
        light = 0.42 + 0.58 * np.clip(facing, 0, None) / up * shade
        paint = 1 + speckle * self.noise(0.8) + mottle * self.noise(4.0)
        lit = pixels[..., :3] * (light * self._hollows(raw) * paint)[..., None]
        shine = 150 * gloss * np.clip(half, 0, 1) ** 60 * shade
        return np.asarray(lit + shine[..., None], np.float32)

    def _shadow(self, height: Floats, flat_x: float, flat_y: float) -> Floats:
        """Return 1 in the sun and less where something between the pixel and the sun is higher."""
        small = height[::2, ::2]
        wide = np.pad(small, 12, mode="edge")
        climb = 2 * math.tan(self.elevation)
        over = np.zeros_like(small)
        for distance in (1, 2, 3.5, 5, 7, 9, 11.5):
            x, y = 12 + round(distance * flat_x), 12 + round(distance * flat_y)
            there = wide[y : y + len(small), x : x + len(small)]
            np.maximum(over, there - small - distance * climb * 0.55, out=over)
        dark = gaussian_filter(np.clip(over / 3, 0, 1), 0.8)
        return np.asarray(1 - 0.75 * dark.repeat(2, 0).repeat(2, 1))

    def _hollows(self, height: Floats) -> Floats:
        """Return 1 in the open and less in narrow, deep places."""
        small = height[::4, ::4]
        deep = np.clip(gaussian_filter(small, 2.0) - small, 0, None)
        return np.asarray(1 - np.clip(0.045 * deep, 0, 0.4).repeat(4, 0).repeat(4, 1))


def _rgba(color: Color, material: Material) -> tuple[int, int, int, int]:
    r, g, b = (min(255, max(0, int(value))) for value in color)
    return r, g, b, int(material)
