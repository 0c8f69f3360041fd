"""Meat: steaks, sausages, sliced roast, meatballs, ribs, bacon and skewers."""

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, Color, Spot, hsv, line, mix, turned


def _roast(canvas: Canvas) -> Color:
    rng = canvas.rng
    return hsv(rng.uniform(-0.01, 0.045), rng.uniform(0.5, 0.75), rng.uniform(0.28, 0.52))


def steak(canvas: Canvas, spot: Spot) -> None:
    """Paint steaks or chops with grill marks, a rim of fat, perhaps a bone."""
    rng = canvas.rng
    color = _roast(canvas)
    places, size = spot.few(rng, 3, 0.75, 0.5)
    for at in places:
        angle = rng.uniform(0, 6.3)
        if rng.random() < 0.3:
            bone = at + turned(np.array([[0.3, 0.0], [1.35, 0.3]]) * size, angle)
            canvas.strand(bone, size * 0.16, (225, 205, 175), spot.base + 3, Material.PEEL)
        edge = mix(color, (225, 185, 145), 0.6) if rng.random() < 0.5 else mix(color, DARK, 0.5)
        body = canvas.blob(at, size, size * 0.64, angle, 0.12)
        canvas.dome(body, color, size * 0.3, spot.base, Material.FLESH, edge)
        marks = rng.uniform(0, 3.1)
        for step in np.linspace(-0.5, 0.5, 5) if rng.random() < 0.75 else ():
            aside = at + turned(np.array([[0.0, step * size]]), marks)[0]
            burn = line(aside, marks, size * (0.5 - 0.5 * abs(step)), steps=2)
            canvas.mark(burn, 2, mix(color, (15, 8, 5), 0.75), spot.base + size * 0.28, -0.8)


def sausages(canvas: Canvas, spot: Spot) -> None:
    """Paint sausages, straight or bent, with cuts."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.0, 0.06), rng.uniform(0.5, 0.75), rng.uniform(0.4, 0.75))
    lay, bend = rng.uniform(0, 3.1), rng.normal(0, 0.25)
    num = rng.integers(1, 6)
    wide = spot.radius * rng.uniform(0.2, 0.28)
    for i in range(num):
        aside = (i - (num - 1) / 2) * wide * 1.25
        at = spot.at + turned(np.array([[rng.normal(0, 4), aside]]), lay)[0]
        body = line(at, lay + rng.normal(0, 0.2), spot.radius * rng.uniform(0.5, 0.75), bend, 8)
        own = canvas.tint(color, 8)
        canvas.strand(body, wide, own, spot.base, Material.GLAZE)
        for tip in (body[0], body[-1]):
            canvas.dome(
                canvas.blob(tip, wide * 0.5, wide * 0.5, 0, 0),
                own,
                wide * 0.6,
                spot.base,
                Material.GLAZE,
            )
        for at_cut in body[2:-1:2]:
            cut = line(at_cut, lay + 1.0, wide * 0.35, steps=2)
            canvas.mark(cut, 1, mix(own, DARK, 0.6), spot.base + wide * 0.8, -1)


def slices(canvas: Canvas, spot: Spot) -> None:
    """Paint overlapping slices of roast or ham: pink inside, dark or fat at the rim."""
    rng = canvas.rng
    inside = hsv(rng.uniform(-0.03, 0.03), rng.uniform(0.35, 0.6), rng.uniform(0.6, 0.9))
    rim = mix(inside, DARK if rng.random() < 0.6 else (250, 225, 200), 0.75)
    angle, num = rng.uniform(0, 6.3), rng.integers(3, 8)
    size = spot.radius * rng.uniform(0.36, 0.5)
    for i, along in enumerate(np.linspace(-0.55, 0.55, num)):
        at = spot.at + turned(np.array([[along * spot.radius, rng.normal(0, 2)]]), angle)[0]
        piece = canvas.blob(at, size * 0.62, size, angle, 0.07)
        canvas.dome(piece, canvas.tint(inside, 7), 1.6, spot.base + i * 1.3, Material.FLESH, rim)


def meatballs(canvas: Canvas, spot: Spot) -> None:
    """Paint meatballs or cubes of stewed meat, some in a dark sauce."""
    rng = canvas.rng
    color = _roast(canvas)
    if rng.random() < 0.5:
        pool = canvas.blob(spot.at, spot.radius * 0.85, spot.radius * 0.75, None, 0.1)
        canvas.flat(pool, mix(color, (120, 30, 5), 0.5), spot.base + 0.5, Material.LIQUID)
    rough = rng.choice([0.05, 0.2])
    size = spot.radius * rng.uniform(0.2, 0.3)
    for at in spot.scatter(rng, rng.integers(4, 11), 0.62):
        canvas.dome(
            canvas.blob(at, size, size * 0.85, None, rough),
            canvas.tint(color, 8),
            size * 0.9,
            spot.base,
            Material.FLESH,
            mix(color, DARK, 0.4),
        )


def ribs(canvas: Canvas, spot: Spot) -> None:
    """Paint a rack of glazed ribs or bacon: parallel strips of meat and light fat."""
    rng = canvas.rng
    color = _roast(canvas)
    light: Color = (235, 205, 170)
    bacon = rng.random() < 0.45
    lay, num = rng.uniform(0, 3.1), rng.integers(3, 7)
    wide = spot.radius * rng.uniform(0.2, 0.27)
    for i in range(num):
        aside = (i - (num - 1) / 2) * wide * (1.3 if bacon else 0.95)
        at = spot.at + turned(np.array([[rng.normal(0, 2), aside]]), lay)[0]
        reach = spot.radius * rng.uniform(0.55, 0.75)
        if bacon:
            t = np.linspace(-1, 1, 14)
            wave = turned(np.stack([t * reach, np.sin(t * 7 + i) * 2], 1), lay) + at
            canvas.strand(wave, wide, canvas.tint(color, 10), spot.base + i, Material.GLAZE)
            shift = turned(np.array([[0.0, wide * 0.22]]), lay)
            canvas.mark(wave + shift, 2, light, spot.base + i + wide * 0.5, 0.5)
            continue
        bone = line(at, lay, reach * 1.12, steps=2)
        canvas.strand(bone, wide * 0.3, light, spot.base + 2, Material.PEEL)
        canvas.dome(
            canvas.blob(at, reach, wide * 0.55, lay, 0.06),
            canvas.tint(color, 10),
            wide * 0.7,
            spot.base + 1,
            Material.GLAZE,
            mix(color, DARK, 0.45),
        )


def skewers(canvas: Canvas, spot: Spot) -> None:
    """Paint pieces of grilled meat on sticks."""
    rng = canvas.rng
    color = _roast(canvas)
    lay, num = rng.uniform(0, 3.1), rng.integers(2, 5)
    size = spot.radius * rng.uniform(0.15, 0.2)
    for i in range(num):
        aside = (i - (num - 1) / 2) * size * 2.6
        at = spot.at + turned(np.array([[0.0, aside]]), lay)[0]
        stick = line(at, lay + rng.normal(0, 0.06), spot.radius * 1.05, steps=6)
        canvas.strand(stick, 2, (215, 180, 120), spot.base + 1, Material.PEEL)
        for piece in stick[1:-1] + rng.normal(0, 1, (4, 2)):
            canvas.dome(
                canvas.blob(piece, size * 1.1, size, None, 0.13),
                canvas.tint(color, 12),
                size * 0.9,
                spot.base + 2,
                Material.FLESH,
                mix(color, DARK, 0.5),
            )


MEAT = (steak, slices, sausages, ribs, meatballs, skewers)
