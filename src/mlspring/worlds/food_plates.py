"""Where food lies: a spot on a plate, in a bowl or pan, on a board, or on the bare table."""

import colorsys
import math
from dataclasses import dataclass

import numpy as np

from mlspring.worlds.paint import Canvas, Color, Material, Points, circle, mix, turned


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A round place for food: its middle on the table, its radius and its height."""

    x: float
    y: float
    radius: float
    base: float

    @property
    def at(self) -> Points:
        """The middle as a point."""
        return np.array([self.x, self.y])

    def scatter(self, rng: np.random.Generator, num_points: int, share: float = 0.7) -> Points:
        """Return (n, 2) points spread over ``share`` of the radius, not two at one place."""
        angle = rng.uniform(0, 2 * math.pi) + 2.4 * np.arange(num_points)  # golden angle
        reach = np.sqrt((np.arange(num_points) + 0.5) / max(num_points, 1)) * self.radius * share
        wobble = rng.normal(
            0, self.radius * share * 0.3 / math.sqrt(num_points or 1), (num_points, 2)
        )
        spiral = np.stack([np.cos(angle), np.sin(angle)], 1) * reach[:, None]
        return np.asarray(self.at + spiral + wobble)

    def part(self, angle: float, distance: float, share: float) -> "Spot":
        """Return a smaller spot inside this one; distance and share in units of the radius."""
        x = self.x + math.cos(angle) * distance * self.radius
        y = self.y + math.sin(angle) * distance * self.radius
        return Spot(x=x, y=y, radius=self.radius * share, base=self.base + 1)


def hsv(hue: float, saturation: float, value: float) -> Color:
    """Return a colour in 0 .. 255 from hue, saturation and value in 0 .. 1."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1, min(1, max(0, saturation)), min(1, max(0, value)))
    return 255 * r, 255 * g, 255 * b


def china(canvas: Canvas) -> Color:
    """Return a colour for tableware: mostly whites and pale ones, sometimes strong or dark."""
    rng = canvas.rng
    kind = rng.random()
    if kind < 0.55:
        return hsv(rng.random(), rng.uniform(0, 0.1), rng.uniform(0.78, 0.98))
    if kind < 0.8:
        return hsv(rng.random(), rng.uniform(0.15, 0.7), rng.uniform(0.35, 0.9))
    return hsv(rng.random(), rng.uniform(0, 0.25), rng.uniform(0.12, 0.35))


def plate(canvas: Canvas, spot: Spot) -> Spot:
    """Paint a round, oval or square plate; return the place for food on it."""
    rng = canvas.rng
    color = china(canvas)
    stretch = rng.choice([1, 1, rng.uniform(1.1, 1.35)])
    shape = circle(40)[0] * (stretch, 1 / stretch)
    if rng.random() < 0.18:
        shape = np.sign(shape) * np.abs(shape) ** 0.45 * 0.92
    shape = turned(shape, rng.uniform(0, 6.3)) * spot.radius
    canvas.dome(spot.at + shape * 0.97, mix(color, (0, 0, 0), 0.5), 0.3, 0.5, Material.CHINA)
    canvas.flat(spot.at + shape, color, 2.6)
    if rng.random() < 0.35:
        canvas.flat(spot.at + shape * 0.95, canvas.tint(china(canvas)), 2.6)
        canvas.flat(spot.at + shape * rng.uniform(0.82, 0.92), color, 2.5)
    well = rng.uniform(0.66, 0.82)
    canvas.flat(spot.at + shape * well, mix(color, (0, 0, 0), 0.05), 1.6)
    return Spot(x=spot.x, y=spot.y, radius=spot.radius * well, base=1.6)


def bowl(canvas: Canvas, spot: Spot) -> Spot:
    """Paint a bowl with a visible wall; return the place inside, near its rim."""
    rng = canvas.rng
    color, inside = china(canvas), china(canvas)
    if rng.random() < 0.6:
        inside = color
    tall = rng.uniform(9, 17)
    ring = circle(40)[0] * spot.radius * 0.93
    steps = max(2, round(tall * canvas.rise))
    for step in range(steps):
        share = step / steps
        shade = mix(color, (0, 0, 0), 0.45 - 0.3 * share)
        wall = canvas.screen(spot.at + ring * (0.6 + 0.4 * math.sqrt(share)), tall * share)
        canvas.fill(wall, shade, tall * share, Material.CHINA)
    canvas.flat(spot.at + ring, color, tall)
    for share, deep in ((0.93, 1.5), (0.88, 4), (0.8, 6)):
        canvas.flat(spot.at + ring * share, mix(inside, (0, 0, 0), 0.03 * deep), tall - deep)
    return Spot(x=spot.x, y=spot.y, radius=spot.radius * 0.8, base=tall - 5)


def board(canvas: Canvas, spot: Spot) -> Spot:
    """Paint a wooden board, a slate, a tray or a sheet of paper; return the place on it."""
    rng = canvas.rng
    kind = rng.integers(4)
    color = (
        hsv(rng.uniform(0.05, 0.1), rng.uniform(0.3, 0.65), rng.uniform(0.35, 0.8)),
        hsv(rng.random(), 0.08, rng.uniform(0.12, 0.3)),
        hsv(rng.random(), rng.uniform(0, 0.1), rng.uniform(0.55, 0.8)),
        hsv(rng.uniform(0.08, 0.14), rng.uniform(0, 0.4), rng.uniform(0.7, 0.95)),
    )[kind]
    surface = (Material.CRUMB, Material.TABLE, Material.METAL, Material.CLOTH)[kind]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (1, rng.uniform(0.7, 1))
    sheet = spot.at + turned(corners * spot.radius, rng.uniform(0, 6.3))
    tall = (3, 2, 2, 0.4)[kind]
    canvas.block(sheet, [(color, surface)], tall, 0, (color, surface))
    if kind == 2:
        canvas.flat(spot.at + (sheet - spot.at) * 0.9, mix(color, (0, 0, 0), 0.12), 1, surface)
    return Spot(x=spot.x, y=spot.y, radius=spot.radius * 0.85, base=tall)


def pan(canvas: Canvas, spot: Spot) -> Spot:
    """Paint a frying pan with its handle; return the place in it."""
    rng = canvas.rng
    color = hsv(rng.random(), 0.1, rng.uniform(0.12, 0.4))
    angle = rng.uniform(0, 6.3)
    handle = np.array([[0.9, -0.09], [2.2, -0.12], [2.2, 0.12], [0.9, 0.09]]) * spot.radius
    canvas.block(spot.at + turned(handle, angle), [(color, Material.METAL)], 2, 4,
                 (canvas.tint(color), Material.METAL))  # fmt: skip
    ring = circle(40)[0] * spot.radius
    canvas.block(spot.at + ring, [(color, Material.METAL)], 6, 0, (color, Material.METAL))
    canvas.flat(spot.at + ring * 0.93, mix(color, (0, 0, 0), 0.2), 2.5, Material.METAL)
    return Spot(x=spot.x, y=spot.y, radius=spot.radius * 0.85, base=2.5)


def bare(canvas: Canvas, spot: Spot) -> Spot:
    """Paint nothing: the food lies on the table."""
    del canvas
    return Spot(x=spot.x, y=spot.y, radius=spot.radius * 0.85, base=0.5)
