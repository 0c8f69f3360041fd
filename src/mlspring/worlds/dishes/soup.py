"""Soup: thick with cream, clear with pieces, and with tofu, dumplings or noodles."""

import numpy as np

from mlspring.worlds.dishes.noodles import tangle
from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, Color, Spot, circle, hsv, mix, turned

PALE: Color = (248, 240, 222)


def _broth(canvas: Canvas, spot: Spot) -> tuple[Color, float]:
    rng = canvas.rng
    tones = [
        (0.02, 0.8, 0.75),
        (0.08, 0.8, 0.9),
        (0.11, 0.55, 0.75),
        (0.13, 0.25, 0.93),
        (0.28, 0.5, 0.6),
        (0.06, 0.7, 0.4),
        (0.95, 0.7, 0.5),
    ]
    color = canvas.tint(hsv(*tones[rng.integers(len(tones))]), 16)
    level = spot.base + 1
    shape = spot.at + circle(40) * spot.radius * 1.04
    canvas.flat(shape, mix(color, DARK, 0.2), level - 0.5, Material.LIQUID)
    canvas.flat(spot.at + (shape - spot.at) * 0.93, color, level, Material.LIQUID)
    return color, level


def cream_soup(canvas: Canvas, spot: Spot) -> None:
    """Paint a thick soup with a swirl of cream, herbs or croutons."""
    rng = canvas.rng
    color, level = _broth(canvas, spot)
    t = np.linspace(0, rng.uniform(4, 13), 26)
    swirl = np.stack([np.cos(t), np.sin(t)], 1) * (0.1 + 0.6 * t / t[-1])[:, None] * spot.radius
    if rng.random() < 0.6:
        canvas.mark(spot.at + swirl, 2, mix(color, PALE, 0.8), level, 0.3)
    canvas.dots(spot.scatter(rng, rng.choice([0, 8, 16]), 0.6), 1.1, [hsv(0.3, 0.7, 0.45)], level)
    for at in spot.scatter(rng, rng.choice([0, 0, 5]), 0.4):
        cube = at + turned(np.array([[-3, -3], [3, -3], [3, 3], [-3, 3]]), rng.uniform(0, 3))
        canvas.block(
            cube, [((190, 130, 60), Material.CRUST)], 3, level, ((215, 160, 85), Material.CRUMB)
        )


def clear_soup(canvas: Canvas, spot: Spot) -> None:
    """Paint a broth with rings of oil and sunken pieces of all kinds."""
    rng = canvas.rng
    color, level = _broth(canvas, spot)
    for at in spot.scatter(rng, rng.integers(3, 11), 0.75):
        size = spot.radius * rng.uniform(0.1, 0.22)
        piece = hsv(rng.choice([0.06, 0.12, 0.3, 0.02, 0.15]), rng.uniform(0.1, 0.8), 0.8)
        sunk = mix(piece, color, rng.uniform(0.1, 0.6))
        canvas.dome(
            canvas.blob(at, size, size * 0.75, None, 0.12), sunk, 1.2, level, Material.FLESH
        )
    for at in spot.scatter(rng, rng.integers(6, 18), 0.85):
        size = rng.uniform(1.5, 4)
        canvas.flat(
            canvas.blob(at, size, size, 0, 0), mix(color, PALE, 0.35), level, Material.LIQUID
        )
        canvas.flat(canvas.blob(at, size * 0.7, size * 0.7, 0, 0), color, level, Material.LIQUID)
    canvas.dots(spot.scatter(rng, rng.choice([0, 9]), 0.6), 1.6, [hsv(0.3, 0.6, 0.6)], level)


def noodle_soup(canvas: Canvas, spot: Spot) -> None:
    """Paint a soup with tofu, dumplings, egg or a few noodles in it."""
    rng = canvas.rng
    color, level = _broth(canvas, spot)
    inner = Spot(x=spot.x, y=spot.y, radius=spot.radius * 0.8, base=level)
    kind = rng.integers(3)
    if kind == 0:
        tangle(canvas, inner, 7, 2, mix(PALE, color, 0.4))
    for at in inner.scatter(rng, rng.integers(3, 8) if kind else 0, 0.75):
        size = spot.radius * rng.uniform(0.14, 0.2)
        if kind == 1:
            cube = at + turned(np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size, 0.4)
            canvas.block(cube, [(PALE, Material.CREAM)], 3, level, (PALE, Material.CREAM))
        else:
            canvas.dome(
                canvas.blob(at, size * 1.4, size, None, 0.08),
                mix(PALE, color, 0.3),
                4,
                level,
                Material.GLAZE,
            )
    leaves = [hsv(0.3, 0.7, rng.uniform(0.35, 0.65)), hsv(0.28, 0.5, 0.75)]
    canvas.dots(inner.scatter(rng, rng.integers(0, 14), 0.8), 1.7, leaves, level + 1)


SOUP = (cream_soup, clear_soup, noodle_soup)
