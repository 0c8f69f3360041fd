"""Vegetables and fruit: salad, slices, whole fruit, berries, broccoli and long ones."""

import math

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, Color, Points, Spot, hsv, line, mix, turned


def _green(canvas: Canvas) -> Color:
    rng = canvas.rng
    return hsv(rng.uniform(0.22, 0.36), rng.uniform(0.5, 0.85), rng.uniform(0.3, 0.78))


def leaf(canvas: Canvas, at: Points, size: float, color: Color, base: float) -> None:
    """Paint one crinkled leaf with its rib."""
    rng = canvas.rng
    angle = rng.uniform(0, 6.3)
    body = canvas.blob(at, size, size * rng.uniform(0.35, 0.7), angle, 0.2)
    canvas.dome(body, color, size * 0.3, base, Material.LEAF, mix(color, (20, 60, 10), 0.25))
    canvas.mark(
        line(at, angle, size * 0.8, rng.normal(0, 0.1), 4),
        1,
        mix(color, (235, 245, 190), 0.5),
        base + size * 0.25,
        0.5,
    )


def salad(canvas: Canvas, spot: Spot) -> None:
    """Paint leaves with slices of tomato, cucumber, onion or radish among them."""
    rng = canvas.rng
    color = _green(canvas)
    for i, at in enumerate(spot.scatter(rng, rng.integers(8, 15), 0.66)):
        leaf(
            canvas,
            at,
            spot.radius * rng.uniform(0.25, 0.42),
            canvas.tint(color, 16),
            spot.base + i * 0.4,
        )
    kind = rng.choice([0.0, 0.28, 0.9, 0.08])
    for at in spot.scatter(rng, rng.integers(0, 7), 0.6):
        _slice(canvas, at, spot.radius * rng.uniform(0.14, 0.22), kind, spot.base + 6)


def _slice(canvas: Canvas, at: Points, size: float, hue: float, base: float) -> None:
    """Paint a round slice with a skin, pale rays and flesh."""
    skin, flesh = hsv(hue, 0.85, 0.6), hsv(hue, 0.45, 0.95)
    ring = canvas.blob(at, size, size, 0, 0.02)
    canvas.block(ring, [(skin, Material.PEEL)], 2, base, (skin, Material.PEEL))
    canvas.flat(at + (ring - at) * 0.87, flesh, base + 2, Material.GLAZE)
    turn = canvas.rng.uniform(0, 1)
    for k in range(4):
        canvas.mark(
            line(at, turn + k * math.pi / 4, size * 0.75, steps=2),
            1,
            mix(flesh, (255, 250, 230), 0.75),
            base + 2,
            0,
        )


def slices(canvas: Canvas, spot: Spot) -> None:
    """Paint slices of citrus, tomato, cucumber or kiwi."""
    rng = canvas.rng
    hue = rng.choice([0.0, 0.08, 0.14, 0.25, 0.3])
    size = spot.radius * rng.uniform(0.24, 0.4)
    for i, at in enumerate(spot.scatter(rng, rng.integers(3, 10), 0.66)):
        _slice(
            canvas,
            at,
            size * rng.uniform(0.85, 1.1),
            hue + rng.normal(0, 0.01),
            spot.base + i * 0.6,
        )


def whole_fruit(canvas: Canvas, spot: Spot) -> None:
    """Paint apples, oranges, tomatoes or plums with stem and shine."""
    rng = canvas.rng
    hue = rng.choice([0.0, 0.07, 0.14, 0.24, 0.3, 0.8, 0.97])
    value = rng.uniform(0.55, 0.95)
    places, size = spot.few(rng, 6, 0.6, 0.34)
    for at in places:
        color = canvas.tint(hsv(hue, rng.uniform(0.7, 0.9), value), 8)
        canvas.dome(
            canvas.blob(at, size, size * rng.uniform(0.9, 1), None, 0.04),
            color,
            size * 0.9,
            spot.base,
            Material.PEEL,
        )
        top = at + rng.normal(0, size * 0.2, 2)
        canvas.dome(
            canvas.blob(top, size * 0.16, size * 0.14, None, 0.3),
            mix(color, DARK, 0.5),
            -1,
            spot.base + size * 0.85,
            Material.PEEL,
        )
        if rng.random() < 0.5:
            leaf(
                canvas,
                top + rng.normal(0, 3, 2),
                size * 0.35,
                _green(canvas),
                spot.base + size * 0.85,
            )


def berries(canvas: Canvas, spot: Spot) -> None:
    """Paint a heap of berries, grapes, cherries or peas."""
    rng = canvas.rng
    hue = rng.choice([0.98, 0.68, 0.8, 0.27, 0.95])
    size = spot.radius * rng.uniform(0.13, 0.2)
    color = hsv(hue, rng.uniform(0.55, 0.85), rng.uniform(0.35, 0.85))
    for i, at in enumerate(spot.scatter(rng, rng.integers(12, 24), 0.64)):
        canvas.dome(
            canvas.blob(at, size, size, 0, 0.03),
            canvas.tint(color, 12),
            size,
            spot.base + i * 0.3,
            Material.PEEL,
        )


def broccoli(canvas: Canvas, spot: Spot) -> None:
    """Paint florets of broccoli or cauliflower."""
    rng = canvas.rng
    color = _green(canvas) if rng.random() < 0.75 else (240, 228, 195)
    for at in spot.scatter(rng, rng.integers(2, 7), 0.55):
        size, angle = spot.radius * rng.uniform(0.26, 0.38), rng.uniform(0, 6.3)
        stem = at + turned(np.array([[0.0, 0.0], [size * 1.2, 0.0]]), angle)
        canvas.strand(stem, size * 0.5, mix(color, (225, 235, 170), 0.55), spot.base, Material.PEEL)
        head = Spot(x=at[0], y=at[1], radius=size, base=spot.base)
        for bud in head.scatter(rng, 9, 0.85):
            canvas.dome(
                canvas.blob(bud, size * 0.36, size * 0.36, None, 0.1),
                canvas.tint(color, 12),
                size * 0.5,
                spot.base + 3,
                Material.FRIED,
            )


def sticks(canvas: Canvas, spot: Spot) -> None:
    """Paint carrots, asparagus, cucumbers, chillies or bananas lying side by side."""
    rng = canvas.rng
    tones = [
        (0.06, 0.85, 0.92),
        (0.28, 0.65, 0.55),
        (0.14, 0.75, 0.97),
        (0.0, 0.85, 0.8),
        (0.79, 0.6, 0.35),
    ]
    tone = tones[rng.integers(len(tones))]
    lay, bend, num = rng.uniform(0, 6.3), rng.choice([0.0, 0.1, 0.4]), rng.integers(2, 7)
    wide = spot.radius * rng.uniform(0.12, 0.22)
    for i in range(num):
        aside = (i - (num - 1) / 2) * wide * 1.7
        at = spot.at + turned(np.array([[rng.normal(0, 4), aside]]), lay)[0]
        path = line(at, lay + rng.normal(0, 0.12), spot.radius * rng.uniform(0.6, 0.85), bend, 7)
        color = canvas.tint(hsv(*tone), 9)
        for share, point in zip(np.linspace(1, 0.45, 7), path, strict=True):
            canvas.dome(
                canvas.blob(point, spot.radius * 0.17, wide * share * 0.7, lay, 0.02),
                color,
                wide * share,
                spot.base,
                Material.PEEL,
            )
        if tone[0] < 0.1:
            leaf(canvas, path[0], wide, _green(canvas), spot.base + 1)


GREENS = (salad, whole_fruit, slices, berries, broccoli, sticks)
