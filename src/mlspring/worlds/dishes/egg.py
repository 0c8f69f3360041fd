"""Eggs: fried, boiled, whole, as omelette and scrambled."""

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, WHITE, Spot, circle, hsv, mix, turned


def fried_egg(canvas: Canvas, spot: Spot) -> None:
    """Paint fried eggs, the yolk on top, the white's edge sometimes brown."""
    rng = canvas.rng
    places, size = spot.few(rng, 4, 0.68, 0.44)
    for at in places:
        edge = mix(WHITE, (170, 105, 45), rng.choice([0, 0.2, 0.6]))
        white = canvas.blob(at, size, size * rng.uniform(0.75, 1), None, rng.uniform(0.04, 0.18))
        canvas.dome(white, canvas.tint(WHITE, 5), 2.2, spot.base, Material.GLAZE, edge)
        yolk = canvas.blob(at + rng.normal(0, size * 0.12, 2), size * 0.4, size * 0.38, None, 0.03)
        color = hsv(rng.uniform(0.085, 0.14), rng.uniform(0.75, 0.95), rng.uniform(0.88, 1))
        canvas.dome(yolk, color, size * 0.33, spot.base + 1.5, Material.GLAZE)
        if rng.random() < 0.4:
            pepper = at + rng.normal(0, size * 0.4, (8, 2))
            canvas.dots(pepper, 0.7, [(50, 40, 30)], spot.base + 2.2)


def boiled_egg(canvas: Canvas, spot: Spot) -> None:
    """Paint boiled eggs cut in half, yolk up; soy-brown outside at times."""
    rng = canvas.rng
    skin = WHITE if rng.random() < 0.7 else (176, 120, 70)
    runny = rng.random() < 0.4
    places, size = spot.few(rng, 6, 0.6, 0.33)
    for at in places:
        angle = rng.uniform(0, 6.3)
        body = canvas.blob(at, size, size * 0.74, angle, 0.0)
        canvas.block(body, [(skin, Material.GLAZE)], size * 0.3, spot.base, (skin, Material.GLAZE))
        up = spot.base + size * 0.3
        canvas.flat(at + (body - at) * 0.9, canvas.tint(WHITE, 4), up, Material.CREAM)
        shift = turned(np.array([[size * 0.14, 0.0]]), angle)[0]
        color = hsv(rng.uniform(0.09, 0.13), 0.9 if runny else 0.65, 0.95)
        canvas.dome(
            canvas.blob(at + shift, size * 0.5, size * 0.46, angle, 0.03),
            color,
            1.2,
            up,
            Material.GLAZE if runny else Material.CRUMB,
            mix(color, DARK, 0.15),
        )


def whole_egg(canvas: Canvas, spot: Spot) -> None:
    """Paint whole eggs in their shells, white or brown, perhaps speckled."""
    rng = canvas.rng
    shell = mix(WHITE, (190, 125, 80), rng.choice([0, 0.2, 0.5]))
    speckled = rng.random() < 0.25
    places, size = spot.few(rng, 7, 0.5, 0.31)
    for at in places:
        angle = rng.uniform(0, 6.3)
        points = circle(26) * (size, size * 0.76)
        points[:, 1] *= 1 - 0.16 * points[:, 0] / size  # one end is more pointed
        canvas.dome(
            at + turned(points, angle), canvas.tint(shell, 6), size * 0.75, spot.base, Material.PEEL
        )
        if speckled:
            canvas.dots(
                at + rng.normal(0, size * 0.35, (9, 2)), 0.8, [(90, 65, 50)], spot.base + size * 0.6
            )


def omelette(canvas: Canvas, spot: Spot) -> None:
    """Paint a folded omelette with browned patches, herbs or a line of ketchup."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.12, 0.145), rng.uniform(0.55, 0.8), rng.uniform(0.85, 0.98))
    angle, size = rng.uniform(0, 6.3), spot.radius * rng.uniform(0.7, 0.88)
    half = circle(26) * (1, 0.72)
    half[:, 1] = np.where(half[:, 1] < 0, half[:, 1] * 0.25, half[:, 1])
    body = spot.at + turned(half * size - (0, size * 0.2), angle)
    canvas.dome(body, color, size * 0.24, spot.base, Material.GLAZE, mix(color, DARK, 0.15))
    middle, up = body.mean(0), spot.base + size * 0.24
    for patch in middle + turned(rng.normal(0, size * 0.22, (5, 2)) * (1.5, 0.7), angle):
        brown = mix(color, (150, 85, 25), rng.uniform(0.2, 0.5))
        canvas.flat(canvas.blob(patch, 6, 3, angle, 0.25), brown, up, Material.CRUST)
    topping = rng.integers(3)
    if topping == 0:
        t = np.linspace(-1, 1, 12)
        wave = np.stack([t * size * 0.6, np.sin(t * 9) * size * 0.14], 1)
        canvas.strand(middle + turned(wave, angle), 2.5, (190, 30, 20), up, Material.GLAZE)
    elif topping == 1:
        herbs = middle + turned(rng.normal(0, size * 0.25, (14, 2)) * (1.4, 0.6), angle)
        canvas.dots(herbs, 1.2, [hsv(0.3, 0.7, 0.5), hsv(0.27, 0.6, 0.65)], up)


def scrambled(canvas: Canvas, spot: Spot) -> None:
    """Paint a soft heap of scrambled egg."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.115, 0.145), rng.uniform(0.45, 0.75), rng.uniform(0.88, 1))
    for i, at in enumerate(spot.scatter(rng, rng.integers(14, 24), 0.6)):
        size = spot.radius * rng.uniform(0.13, 0.24)
        own = mix(canvas.tint(color, 8), WHITE, rng.choice([0, 0, 0.4]))
        canvas.dome(
            canvas.blob(at, size * 1.2, size, None, 0.2),
            own,
            size * 0.6,
            spot.base + i * 0.25,
            Material.GLAZE,
        )
    canvas.dots(
        spot.scatter(rng, rng.choice([0, 10]), 0.6), 1.1, [hsv(0.3, 0.7, 0.5)], spot.base + 9
    )


EGG = (fried_egg, boiled_egg, omelette, scrambled, whole_egg)
