"""Seafood: shrimps, fish, fillets, shells, crabs and lobsters."""

import math

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, Spot, circle, hsv, line, mix, turned


def shrimps(canvas: Canvas, spot: Spot) -> None:
    """Paint curled pink shrimps with ringed bodies and a tail fan."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.01, 0.06), rng.uniform(0.45, 0.75), rng.uniform(0.85, 1))
    for at in spot.scatter(rng, rng.integers(3, 10), 0.66):
        size = spot.radius * rng.uniform(0.18, 0.28)
        t = np.linspace(0, rng.uniform(3.6, 4.6), 9)
        arc = at + turned(np.stack([np.cos(t), np.sin(t)], 1) * size, rng.uniform(0, 6.3))
        own = canvas.tint(color, 10)
        for i, point in enumerate(arc[:-1]):
            thick = size * (0.62 - 0.045 * i)
            ring = own if i % 2 else mix(own, (255, 240, 225), 0.45)
            canvas.dome(
                canvas.blob(point, thick, thick, 0, 0), ring, thick, spot.base, Material.GLAZE
            )
        away = arc[-1] - arc[-2]
        heading = math.atan2(away[1], away[0])
        for spread in (-0.5, 0.5):
            fan = arc[-1] + turned(np.array([[size * 0.35, 0.0]]), heading + spread)[0]
            canvas.dome(
                canvas.blob(fan, size * 0.4, size * 0.17, heading + spread, 0),
                mix(own, (190, 50, 20), 0.5),
                2,
                spot.base,
                Material.PEEL,
            )


def fish(canvas: Canvas, spot: Spot) -> None:
    """Paint whole fish with tail, fins, eye and scales; grilled or raw."""
    rng = canvas.rng
    tones = [(0.57, 0.2, 0.65), (0.1, 0.2, 0.8), (0.98, 0.5, 0.75), (0.12, 0.25, 0.75)]
    color = canvas.tint(hsv(*tones[rng.integers(4)]), 12)
    lay, num = rng.uniform(0, 6.3), rng.integers(1, 4)
    size = spot.radius * rng.uniform(0.8, 0.95)
    for i in range(num):
        at = spot.at + turned(np.array([[0.0, (i - (num - 1) / 2) * size * 0.62]]), lay)[0]
        t = np.linspace(0, 1, 14)
        belly = size * (0.27 if num > 1 else 0.34) * np.sin(math.pi * t**0.8) ** 0.8
        top = np.stack([(0.9 - 1.6 * t) * size, belly], 1)
        bottom = np.stack([(0.9 - 1.6 * t[::-1]) * size, -belly[::-1]], 1)
        tail = np.array([[-0.6, 0.0], [-1.05, 0.3], [-0.92, 0.0], [-1.05, -0.3]]) * size
        canvas.dome(at + turned(tail, lay), mix(color, DARK, 0.3), 2, spot.base, Material.LEAF)
        body = at + turned(np.vstack([top, bottom]), lay)
        canvas.dome(
            body,
            mix(color, (250, 245, 235), 0.3),
            size * 0.25,
            spot.base,
            Material.GLAZE,
            mix(color, DARK, 0.25),
        )
        up = spot.base + size * 0.22
        for k in np.linspace(-0.35, 0.45, 4):
            cut = line(
                at + turned(np.array([[k * size, 0.0]]), lay)[0], lay + 1.2, size * 0.17, 0.3
            )
            canvas.mark(cut, 1, mix(color, DARK, 0.6), up, -0.5)
        eye = at + turned(np.array([[0.68, 0.06]]) * size, lay)
        canvas.dots(eye, 2.4, [(245, 240, 225)], up)
        canvas.dots(eye, 1.3, [(15, 15, 20)], up + 1)


def salmon(canvas: Canvas, spot: Spot) -> None:
    """Paint fillets or raw slices of salmon or tuna with light lines of fat."""
    rng = canvas.rng
    color = hsv(rng.choice([0.04, 0.045, 0.98]), rng.uniform(0.55, 0.75), rng.uniform(0.8, 0.98))
    places, size = spot.few(rng, 6, 0.75, 0.42)
    lay = rng.uniform(0, 6.3)
    for i, at in enumerate(places):
        angle = lay + rng.normal(0, 0.25)
        body = canvas.blob(at, size, size * 0.48, angle, 0.06)
        base = spot.base + i * 0.8
        canvas.dome(body, canvas.tint(color, 7), size * 0.25, base, Material.GLAZE)
        for step in np.linspace(-0.7, 0.7, 6):
            stripe = at + turned(np.array([[step * size, 0.0]]), angle)[0]
            half = size * 0.36 * math.sqrt(1 - step * step)
            canvas.mark(
                line(stripe, angle + 1.9, half, 0.35),
                1,
                mix(color, (255, 240, 225), 0.7),
                base + size * 0.22,
                0.3,
            )


def shells(canvas: Canvas, spot: Spot) -> None:
    """Paint open mussels, clams or oysters: dark or ribbed shells with flesh inside."""
    rng = canvas.rng
    dark = rng.random() < 0.55
    shell = hsv(0.62, 0.3, 0.22) if dark else hsv(0.08, rng.uniform(0.15, 0.4), 0.75)
    meat = hsv(rng.uniform(0.06, 0.11), 0.7 if dark else 0.25, 0.92)
    for at in spot.scatter(rng, rng.integers(4, 11), 0.7):
        size, angle = spot.radius * rng.uniform(0.22, 0.32), rng.uniform(0, 6.3)
        drop = circle(26) * (size, size * (0.58 if dark else 0.85))
        drop[:, 1] *= 1 - 0.35 * drop[:, 0] / size
        outline = at + turned(drop, angle)
        canvas.dome(
            outline,
            mix(shell, (210, 205, 220), 0.4),
            -3,
            spot.base + 5,
            Material.GLAZE,
            canvas.tint(shell, 8),
        )
        hinge = at - turned(np.array([[size * 0.8, 0.0]]), angle)[0]
        for point in outline[::3] if not dark else ():
            canvas.mark(np.stack([hinge, point]), 1, mix(shell, DARK, 0.45), spot.base + 4, 0.8)
        if rng.random() < 0.85:
            canvas.dome(
                canvas.blob(at, size * 0.55, size * 0.33, angle, 0.1),
                canvas.tint(meat, 10),
                3,
                spot.base + 3,
                Material.GLAZE,
            )


def crab(canvas: Canvas, spot: Spot) -> None:
    """Paint a red crab or lobster: shell, legs and claws."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.0, 0.045), rng.uniform(0.75, 0.9), rng.uniform(0.65, 0.9))
    lay, size = rng.uniform(0, 6.3), spot.radius * rng.uniform(0.42, 0.5)
    for side in (-1, 1):
        for reach in (0.9, 0.3, -0.3, -0.8):
            leg = np.array(
                [
                    [reach * 0.5, side * 0.6],
                    [reach * 0.95, side * 1.35],
                    [reach * 0.9 - 0.25, side * 1.9],
                ]
            )
            canvas.strand(
                spot.at + turned(leg * size, lay),
                size * 0.15,
                canvas.tint(color),
                spot.base + 2,
                Material.PEEL,
            )
        arm = np.array([[0.6, side * 0.5], [1.3, side * 0.95], [1.75, side * 0.6]])
        path = spot.at + turned(arm * size, lay)
        canvas.strand(path, size * 0.26, color, spot.base + 3, Material.PEEL)
        canvas.dome(
            canvas.blob(path[-1], size * 0.42, size * 0.24, lay, 0.06),
            canvas.tint(color),
            size * 0.25,
            spot.base + 3,
            Material.PEEL,
        )
    long = rng.random() < 0.4
    canvas.dome(
        canvas.blob(spot.at, size * 0.8, size, lay, 0.05),
        color,
        size * 0.5,
        spot.base + 2,
        Material.PEEL,
        mix(color, DARK, 0.25),
    )
    for k in range(5 if long else 0):
        at = spot.at - turned(np.array([[size * (0.7 + 0.28 * k), 0.0]]), lay)[0]
        canvas.dome(
            canvas.blob(at, size * 0.22, size * (0.55 - 0.06 * k), lay, 0),
            canvas.tint(color),
            size * 0.3,
            spot.base + 2,
            Material.PEEL,
            mix(color, DARK, 0.35),
        )


SEAFOOD = (shrimps, fish, shells, salmon, crab)
