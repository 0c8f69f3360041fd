"""What food lies on or in: plates, bowls, pans, boards, paper, or the bare table."""

import math

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import Color, Spot, circle, hsv, mix, turned


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
    shape = circle(40) * (stretch, 1 / stretch)
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
    ring = circle(40) * spot.radius * 0.93
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
    canvas.block(
        spot.at + turned(handle, angle),
        [(color, Material.METAL)],
        2,
        4,
        (canvas.tint(color), Material.METAL),
    )
    ring = circle(40) * spot.radius
    canvas.block(spot.at + ring, [(color, Material.METAL)], 6, 0, (color, Material.METAL))
    canvas.flat(spot.at + ring * 0.93, mix(color, (0, 0, 0), 0.2), 2.5, Material.METAL)
    return Spot(x=spot.x, y=spot.y, radius=spot.radius * 0.85, base=2.5)


def bare(canvas: Canvas, spot: Spot) -> Spot:
    """Paint nothing: the food lies on the table."""
    del canvas
    return Spot(x=spot.x, y=spot.y, radius=spot.radius * 0.85, base=0.5)
