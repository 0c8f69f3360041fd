"""The sheet that a face is drawn on: filled outlines, tapering strokes, the head's pose.

Coordinates of a face: x to the right and y down, in half widths of a usual face, around the middle
of the head. Eyes lie near y = 0.2, the chin near 1.1, the top of the hair near -1.3.
"""

import math
import zlib
from enum import IntEnum
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mlspring.worlds.faces.factors import Face
from mlspring.worlds.paint import NOISE_SIZE, noise
from mlspring.worlds.shapes import Color, Points

SIDE = 64  # pixels of a finished picture
SCALE = 3  # drawn so many times larger, which smooths the edges
SHEET = SIDE * SCALE
UNIT = 18.0 * SCALE  # half the width of a usual face
MIDDLE = np.array([32.0, 35.0]) * SCALE
LINE = 0.85 * SCALE  # width of a usual line
ROUND = np.array([1 / 1.25, 1 / 1.45]) ** 2  # a head is as wide and as tall as that
NEAR = 0.8  # how strongly what is in front moves when the head turns

Floats = NDArray[np.float32]


class Surface(IntEnum):
    """What a pixel shows; kept in the alpha channel while drawing."""

    GROUND = 0
    SKIN = 1
    HAIR = 2
    CLOTH = 3
    EYE = 4
    INK = 5
    PROP = 6


class Sheet:
    """A face being drawn: its colours and surfaces, where shadows fall, the pose."""

    def __init__(self, face: Face, texture: int) -> None:
        self.face = face
        self.texture = texture
        self.image = Image.new("RGBA", (SHEET, SHEET))
        self.shade = Image.new("L", (SHEET, SHEET))
        self._brush = ImageDraw.Draw(self.image)
        self._shade = ImageDraw.Draw(self.shade)
        turn, nod, tilt = np.radians([face.turn, face.nod, face.tilt])
        ct, st = math.cos(tilt), math.sin(tilt)
        flat = np.array(
            [[math.cos(turn), 0.0], [0.0, math.cos(nod)], [math.sin(turn), math.sin(nod)]]
        )
        flat[2] *= NEAR
        self._view = flat @ np.array([[ct, st], [-st, ct]]) * (UNIT * face.scale)  # (3, 2)
        self._at = MIDDLE + np.array([face.shift_x, face.shift_y]) * SCALE
        self.toward = np.array([-0.8 * face.light, 0.6])  # where shadows fall, at most 1 long

    # ---- chance, by name

    def chance(self, name: str) -> np.random.Generator:
        """Return a source of chance that depends on the texture and ``name`` alone."""
        return np.random.default_rng([self.texture, zlib.crc32(name.encode())])

    def uneven(self, name: str, num: int) -> Floats:
        """Return (num,) smooth noise of unit variance, always the same for one ``name``."""
        at = zlib.crc32(name.encode(), self.texture)
        row, column = at % NOISE_SIZE, (at // NOISE_SIZE) % (NOISE_SIZE - num)
        return np.asarray(noise(2.2)[row, column : column + num])

    # ---- where things are

    def place(self, points: Points, depth: float = 0.9) -> Points:
        """Return (n, 2) points of a face as pixels of the sheet.

        Args:
            points: of the face.
            depth: how far before the head's middle plane the middle of the face lies; all sides
                curve back. Negative ones lie behind.
        """
        if depth <= 0:
            return np.asarray(points @ self._view[:2] + (self._at + depth * self._view[2]))
        away = 1 - (points * points) @ ROUND
        z = np.sqrt(np.maximum(away, 0.0))
        z *= depth
        return np.asarray(points @ self._view[:2] + z[:, None] * self._view[2] + self._at)

    # ---- drawing

    def fill(self, points: Points, color: Color, surface: Surface, depth: float = 0.9) -> None:
        """Fill an outline of the face."""
        self.fill_pixels(self.place(points, depth), color, surface)

    def fill_pixels(self, points: Points, color: Color, surface: Surface) -> None:
        """Fill an outline that is given in pixels of the sheet."""
        if len(points) > 2:
            self._brush.polygon(points.ravel().tolist(), fill=rgba(color, surface))

    def shadow(self, pixels: Points, darkness: float) -> None:
        """Darken an outline, given in pixels, by ``darkness`` in 0 .. 1; 0 takes a shadow away."""
        self._shade.polygon(pixels.ravel().tolist(), fill=round(255 * darkness))

    def cast(self, points: Points, by: tuple[float, float], depth: float = 0.9) -> None:
        """Darken where the shadow of an outline of the face falls, ``by`` finished pixels away."""
        self.shadow(self.place(points, depth) + self.toward * by * SCALE, 1.0)

    def outline(self, points: Points, color: Color, name: str, depth: float = 0.9) -> None:
        """Draw a closed line around an outline of the face."""
        self.stroke(np.concatenate([points, points[:1]]), 1.0, color, name, depth, taper=0.0)

    def stroke(
        self,
        points: Points,
        width: float,
        color: Color,
        name: str,
        depth: float = 0.9,
        *,
        taper: float = 1.0,
        surface: Surface = Surface.INK,
    ) -> None:
        """Draw pen strokes along (n, 2) or (k, n, 2) points of the face.

        ``width`` is in usual widths of a line; ``taper`` says how thin ends are, 1 is pointed.
        """
        at = self.place(points.reshape(-1, 2), depth).view(np.complex128)  # x + iy, in pixels
        at = at.reshape(-1, points.shape[-2])
        k, num = at.shape
        along = np.empty_like(at)
        np.subtract(at[:, 2:], at[:, :-2], out=along[:, 1:-1])
        np.subtract(at[:, 1], at[:, 0], out=along[:, 0])
        np.subtract(at[:, -1], at[:, -2], out=along[:, -1])
        across = along / (np.abs(along) + 1e-9) * 1j
        uneven = self.uneven(name, 2 * k * num) * (0.35 * self.face.unsteady)
        half = np.maximum(1 + uneven[: k * num].reshape(k, num), 0.35)
        half *= (LINE * self.face.pen * width / 2) * (1 - taper + taper * _bulge(num))
        at = at + across * (uneven[k * num :].reshape(k, num) * (0.35 * SCALE))
        across *= half
        rims = np.concatenate([at + across, (at - across)[:, ::-1]], axis=1)
        fill = rgba(color, surface)
        for rim in rims.view(np.float64).tolist():
            self._brush.polygon(rim, fill=fill)

    def hairs(self, points: Points, widths: list[int], colors: list[Color]) -> None:
        """Draw (k, n, 2) lines of pixels as single hairs."""
        lines = points.reshape(len(points), -1).tolist()
        for line, width, color in zip(lines, widths, colors, strict=True):
            self._brush.line(line, fill=rgba(color, Surface.HAIR), width=width)


@cache
def _bulge(num: int) -> NDArray[np.float64]:
    """Return (num,) widths of a stroke: thin ends, a full middle."""
    return np.asarray(np.sin(np.linspace(0.08, math.pi - 0.08, num)) ** 0.7)


@lru_cache(256)
def rgba(color: Color, surface: Surface) -> tuple[int, int, int, int]:
    """Return what Pillow fills with: a colour in gamut and the surface."""
    r, g, b = (min(255, max(0, int(value))) for value in color)
    return r, g, b, int(surface)


@cache
def weights(num: int) -> NDArray[np.float64]:
    """Return (num, 3) shares of start, pull and end on the way along one bend."""
    t = np.linspace(0, 1, num)
    return np.stack([(1 - t) ** 2, 2 * t * (1 - t), t**2], 1)


def curve(*corners: tuple[float, float], num: int = 9) -> Points:
    """Return a smooth line from the first corner to the last: (m, 2).

    Three corners make one bend; further pairs (where it pulls, where it ends) add bends.
    """
    points = np.array(corners)
    shares: Points = weights(num)
    pieces: list[Points] = [shares @ points[i : i + 3] for i in range(0, len(points) - 2, 2)]
    return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]


def mirrored(points: Points) -> Points:
    """Return the points on the other side of the face."""
    return np.asarray(points * np.array([-1.0, 1.0]))
