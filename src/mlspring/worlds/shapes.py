"""Places, outlines and colours that paintings are made of; nothing is drawn here."""

import colorsys
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[Any]  # (n, 2): x, y in pixels of the canvas
Color = tuple[float, float, float]  # red, green, blue in 0 .. 255

DARK: Color = (60, 32, 14)  # burnt
WHITE: Color = (250, 247, 238)


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A round place for food: its middle on the table, its radius and its height, in pixels."""

    x: float
    y: float
    radius: float
    base: float

    @property
    def at(self) -> Points:
        """The middle as a point."""
        return np.array([self.x, self.y])

    def scatter(
        self, rng: np.random.Generator, num_points: "int | np.integer[Any]", share: float = 0.7
    ) -> Points:
        """Return (n, 2) points spread over ``share`` of the radius, no two at one place."""
        num = int(num_points)
        reach = self.radius * share
        angle = rng.uniform(0, 2 * math.pi) + 2.4 * np.arange(num)  # the golden angle spreads well
        away = np.sqrt((np.arange(num) + 0.5) / max(num, 1)) * reach
        wobble = rng.normal(0, 0.3 * reach / math.sqrt(max(num, 1)), (num, 2))
        return self.at + np.stack([np.cos(angle), np.sin(angle)], 1) * away[:, None] + wobble

    def few(
        self, rng: np.random.Generator, most: int, one: float, many: float
    ) -> tuple[Points, float]:
        """Return (n, 2) places for 1 .. ``most`` things and their size in pixels.

        A single thing lies in the middle with ``one`` of the radius, several have ``many`` each.
        """
        num = rng.integers(1, most + 1)
        share = one if num == 1 else many * rng.uniform(0.85, 1.15)
        return self.scatter(rng, num, 0.1 if num == 1 else 0.6), self.radius * share

    def part(self, angle: float, distance: float, share: float) -> "Spot":
        """Return a smaller spot inside this one; distance and share in units of the radius."""
        x = self.x + math.cos(angle) * distance * self.radius
        y = self.y + math.sin(angle) * distance * self.radius
        return Spot(x=x, y=y, radius=self.radius * share, base=self.base + 1)


@cache
def circle(num_points: int) -> Points:
    """Return the unit circle as (n, 2) points."""
    t = np.linspace(0, 2 * math.pi, num_points, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)], 1)


@cache
def waves(num_points: int) -> NDArray[Any]:
    """Return (6, n) waves around a circle, the faster the lower: what makes an outline wobble."""
    t = np.linspace(0, 2 * math.pi, num_points, endpoint=False)
    return np.stack([f(k * t) / k for k in (2, 3, 5) for f in (np.cos, np.sin)])


def turned(points: Points, angle: float) -> Points:
    """Return (n, 2) points turned by ``angle`` radians around the origin."""
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(points @ np.array([[c, s], [-s, c]]))


def line(at: Points, angle: float, half: float, bend: float = 0.0, steps: int = 6) -> Points:
    """Return (steps, 2) points of a line or arc through ``at``, ``half`` pixels to each side."""
    t = np.linspace(-1, 1, steps)
    return np.asarray(turned(np.stack([t * half, bend * half * (1 - t * t)], 1), angle) + at)


def mix(a: Color, b: Color, share: float) -> Color:
    """Return the colour that is ``share`` of the way from ``a`` to ``b``."""
    return (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        a[2] + (b[2] - a[2]) * share,
    )


def hsv(hue: float, saturation: float, value: float) -> Color:
    """Return a colour in 0 .. 255 from hue, saturation and value in 0 .. 1."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1, min(1, max(0, saturation)), min(1, max(0, value)))
    return 255 * r, 255 * g, 255 * b
