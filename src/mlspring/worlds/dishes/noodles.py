"""Noodles and pasta: spaghetti, ribbons, combed noodles and short tubes."""

import math

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, Color, Spot, circle, hsv, line, mix, turned


def _pasta(canvas: Canvas) -> Color:
    rng = canvas.rng
    color = hsv(rng.uniform(0.09, 0.14), rng.uniform(0.2, 0.6), rng.uniform(0.78, 0.98))
    return mix(color, hsv(rng.choice([0.02, 0.08, 0.3]), 0.8, 0.6), rng.choice([0, 0, 0.3, 0.5]))


def tangle(canvas: Canvas, spot: Spot, num: int, width: float, color: Color) -> None:
    """Paint curved strings that stay on the spot."""
    rng = canvas.rng
    curls = rng.uniform(0.15, 0.5)
    starts = spot.scatter(rng, num, 0.6)
    for i in range(num):
        bend = rng.normal(0, curls) + rng.normal(0, 0.12, 9)
        heading = rng.uniform(0, 6.3) + np.cumsum(bend)
        steps = np.stack([np.cos(heading), np.sin(heading)], 1) * spot.radius * 0.16
        path = starts[i] + np.cumsum(steps, 0) - steps.sum(0) / 2 - spot.at
        length = np.linalg.norm(path, axis=1)[:, None]
        limit = spot.radius * 0.82
        path = path * np.minimum(1, limit / np.maximum(length, 1))
        lift = 5 * (1 - float(np.mean(length)) / spot.radius)
        canvas.strand(
            spot.at + path,
            width,
            canvas.tint(color, 9),
            spot.base + lift + i * 0.06,
            Material.GRAIN,
        )


def spaghetti(canvas: Canvas, spot: Spot) -> None:
    """Paint a tangle of thin noodles, perhaps with a spoon of sauce on it."""
    rng = canvas.rng
    color = _pasta(canvas)
    heap = canvas.blob(spot.at, spot.radius * 0.78, spot.radius * 0.74, None, 0.06)
    canvas.dome(heap, mix(color, DARK, 0.3), 4, spot.base, Material.GRAIN)
    tangle(canvas, spot, int(rng.integers(26, 40)), rng.uniform(2, 3.2), color)
    if rng.random() < 0.5:
        sauce = hsv(rng.choice([0.01, 0.03, 0.28]), rng.uniform(0.6, 0.9), rng.uniform(0.35, 0.75))
        body = canvas.blob(spot.at, spot.radius * 0.36, spot.radius * 0.32, None, 0.2)
        canvas.dome(body, sauce, 4, spot.base + 5, Material.FLESH)


def ribbons(canvas: Canvas, spot: Spot) -> None:
    """Paint wide ribbon noodles in loops."""
    rng = canvas.rng
    color = _pasta(canvas)
    heap = canvas.blob(spot.at, spot.radius * 0.75, spot.radius * 0.7, None, 0.08)
    canvas.dome(heap, mix(color, DARK, 0.4), 3, spot.base, Material.GRAIN)
    tangle(canvas, spot, int(rng.integers(12, 20)), rng.uniform(4.5, 7), color)


def ramen(canvas: Canvas, spot: Spot) -> None:
    """Paint combed noodles lying side by side, in bundles."""
    rng = canvas.rng
    color = _pasta(canvas)
    if rng.random() < 0.6:
        broth = mix(color, hsv(rng.uniform(0.04, 0.12), 0.8, 0.5), 0.6)
        canvas.flat(spot.at + circle(40) * spot.radius * 0.98, broth, spot.base, Material.LIQUID)
    for lay in rng.uniform(0, 6.3, rng.integers(1, 4)):
        bundle = spot.part(rng.uniform(0, 6.3), rng.uniform(0, 0.3), 0.7)
        bend = rng.normal(0, 0.4)
        for step in np.linspace(-0.8, 0.8, 11):
            at = bundle.at + turned(np.array([[0.0, step * bundle.radius]]), lay)[0]
            reach = bundle.radius * math.sqrt(1 - step * step * 0.8)
            path = line(at, lay + rng.normal(0, 0.05), reach, bend, 7)
            canvas.strand(path, 2.6, canvas.tint(color, 8), bundle.base + 2, Material.GRAIN)


def penne(canvas: Canvas, spot: Spot) -> None:
    """Paint short tubes or elbows of pasta."""
    rng = canvas.rng
    color = _pasta(canvas)
    bend, wide = rng.choice([0.0, 0.6]), spot.radius * rng.uniform(0.13, 0.18)
    for i, at in enumerate(spot.scatter(rng, rng.integers(14, 26), 0.68)):
        angle = rng.uniform(0, 6.3)
        tube = line(at, angle, wide * 1.4, bend, 6)
        own = canvas.tint(color, 10)
        canvas.strand(tube, wide, own, spot.base + i * 0.3, Material.GRAIN)
        hole = canvas.blob(tube[-1], wide * 0.2, wide * 0.42, angle, 0)
        canvas.flat(hole, mix(own, DARK, 0.55), spot.base + i * 0.3 + 1, Material.GRAIN)


NOODLES = (spaghetti, ramen, ribbons, penne)
