"""Fried food: fries, nuggets, rings, rolls and drumsticks."""

import math

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, Spot, hsv, line, mix, turned


def fries(canvas: Canvas, spot: Spot) -> None:
    """Paint a heap of sticks of fried potato."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.1, 0.135), rng.uniform(0.55, 0.8), rng.uniform(0.75, 0.97))
    lay = rng.uniform(0, 3.1)
    for i, at in enumerate(spot.scatter(rng, rng.integers(14, 30), 0.68)):
        angle = lay + rng.normal(0, rng.choice([0.3, 1.2]))
        stick = line(at, angle, spot.radius * rng.uniform(0.28, 0.48), rng.normal(0, 0.06), 3)
        canvas.strand(
            stick, spot.radius * 0.12, canvas.tint(color, 12), spot.base + i * 0.35, Material.CREAM
        )


def nuggets(canvas: Canvas, spot: Spot) -> None:
    """Paint craggy battered lumps: nuggets, fried chicken, croquettes."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.08, 0.115), rng.uniform(0.7, 0.88), rng.uniform(0.65, 0.95))
    size = spot.radius * rng.uniform(0.24, 0.42)
    long = rng.uniform(1, 1.6)
    for i, at in enumerate(spot.scatter(rng, rng.integers(4, 11), 0.66)):
        body = canvas.blob(at, size * long, size * rng.uniform(0.7, 0.95), None, 0.22)
        canvas.dome(
            body,
            canvas.tint(color, 12),
            size * 0.75,
            spot.base + i * 0.4,
            Material.FRIED,
            mix(color, DARK, 0.25),
        )


def rings(canvas: Canvas, spot: Spot) -> None:
    """Paint battered rings of onion or squid."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.085, 0.12), rng.uniform(0.68, 0.85), rng.uniform(0.7, 0.97))
    t = np.linspace(0, 2 * math.pi, 20)
    for i, at in enumerate(spot.scatter(rng, rng.integers(4, 10), 0.68)):
        size = spot.radius * rng.uniform(0.2, 0.36)
        ring = np.stack([np.cos(t), np.sin(t) * rng.uniform(0.6, 1)], 1) * size
        shape = at + turned(ring, rng.uniform(0, 3)) + rng.normal(0, 0.6, (20, 2))
        canvas.strand(shape, size * 0.45, canvas.tint(color), spot.base + i, Material.FRIED)


def rolls(canvas: Canvas, spot: Spot) -> None:
    """Paint fried rolls or tempura sticks side by side."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.085, 0.115), rng.uniform(0.62, 0.85), rng.uniform(0.68, 0.95))
    lay, wide = rng.uniform(0, 3.1), spot.radius * rng.uniform(0.13, 0.2)
    num = rng.integers(3, 7)
    for i in range(num):
        aside = (i - (num - 1) / 2) * wide * 2
        at = spot.at + turned(np.array([[rng.normal(0, 3), aside]]), lay)[0]
        body = canvas.blob(
            at, spot.radius * rng.uniform(0.5, 0.68), wide, lay + rng.normal(0, 0.15), 0.04
        )
        canvas.dome(
            body,
            canvas.tint(color),
            wide,
            spot.base + i * 0.5,
            Material.FRIED,
            mix(color, DARK, 0.3),
        )


def drumsticks(canvas: Canvas, spot: Spot) -> None:
    """Paint fried drumsticks with the end of the bone."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.07, 0.1), rng.uniform(0.7, 0.88), rng.uniform(0.6, 0.88))
    for i, at in enumerate(spot.scatter(rng, rng.integers(1, 5), 0.45)):
        size, angle = spot.radius * rng.uniform(0.36, 0.46), rng.uniform(0, 6.3)
        ahead = turned(np.array([[1.0, 0.0]]), angle)[0]
        bone = np.stack([at + ahead * size * 0.6, at + ahead * size * 1.7])
        canvas.strand(bone, size * 0.2, (235, 220, 195), spot.base + i * 3, Material.PEEL)
        thin = canvas.blob(at + ahead * size * 0.6, size * 0.65, size * 0.36, angle, 0.1)
        canvas.dome(thin, color, size * 0.6, spot.base + i * 3, Material.FRIED)
        canvas.dome(
            canvas.blob(at, size * 0.9, size * 0.65, angle, 0.14),
            canvas.tint(color, 8),
            size * 0.8,
            spot.base + i * 3,
            Material.FRIED,
            mix(color, DARK, 0.3),
        )


FRIED = (fries, nuggets, rings, drumsticks, rolls)
