"""Bread: loaves, toast, baguettes, croissants, buns, burgers, bagels and pretzels."""

import math

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, Color, Spot, circle, hsv, line, mix, turned

CRUMB_TONE: Color = (238, 212, 164)


def crust(canvas: Canvas) -> Color:
    """Return a brown between pale dough and dark roast."""
    rng = canvas.rng
    return hsv(rng.uniform(0.065, 0.1), rng.uniform(0.38, 0.66), rng.uniform(0.55, 0.9))


def loaf(canvas: Canvas, spot: Spot) -> None:
    """Paint one oval loaf with slashes, or a few rolls."""
    rng = canvas.rng
    color = crust(canvas)
    num = rng.choice([1, 1, 3, 4])
    size = spot.radius * (0.75 if num == 1 else 0.4)
    for at in spot.scatter(rng, num, 0.62 if num > 1 else 0.1):
        angle = rng.uniform(0, 3.1)
        long, wide = size * rng.uniform(0.9, 1.2), size * rng.uniform(0.55, 0.75)
        body = canvas.blob(at, long, wide, angle, 0.05)
        canvas.dome(
            body, canvas.tint(color), wide * 0.6, spot.base, Material.CRUST, mix(color, DARK, 0.35)
        )
        for step in np.linspace(-0.55, 0.55, rng.integers(2, 5)):
            cut = at + turned(np.array([[step * long, 0.0]]), angle)[0]
            slash = line(cut, angle + rng.normal(1.1, 0.2), wide * 0.55)
            canvas.mark(slash, 2, mix(color, CRUMB_TONE, 0.7), spot.base + wide * 0.5, -1)


def toast(canvas: Canvas, spot: Spot) -> None:
    """Paint slices of white or brown bread with their crust, some spread with something."""
    rng = canvas.rng
    color, side = crust(canvas), rng.uniform(0.42, 0.62) * spot.radius
    crumb = mix(CRUMB_TONE, color, rng.uniform(0, 0.5))
    shape = np.sign(circle(26)) * np.abs(circle(26)) ** rng.uniform(0.3, 0.7)
    for i, at in enumerate(spot.scatter(rng, rng.integers(1, 5), 0.5)):
        outline = turned(shape * (side, side * 0.9), rng.uniform(0, 6.3))
        tall = rng.uniform(3, 6)
        base = spot.base + 2 * i
        canvas.block(at + outline, [(color, Material.CRUST)], tall, base, (color, Material.CRUST))
        canvas.flat(at + outline * 0.88, canvas.tint(crumb, 8), base + tall, Material.CRUMB)
        if rng.random() < 0.25:
            spread = hsv(rng.choice([0.0, 0.07, 0.13, 0.95]), rng.uniform(0.3, 0.9), 0.8)
            canvas.dome(
                canvas.blob(at, side * 0.6, side * 0.5, None, 0.15),
                spread,
                1.5,
                base + tall,
                Material.CREAM,
            )


def baguette(canvas: Canvas, spot: Spot) -> None:
    """Paint long loaves and the round slices cut from them."""
    rng = canvas.rng
    color, angle = crust(canvas), rng.uniform(0, 3.1)
    wide = spot.radius * rng.uniform(0.2, 0.3)
    for k in range(rng.integers(1, 3)):
        at = spot.at + turned(np.array([[0.0, (k - 0.6) * wide * 2.1]]), angle)[0]
        body = canvas.blob(at, spot.radius * 1.05, wide, angle + rng.normal(0, 0.08), 0.03)
        canvas.dome(body, color, wide * 0.9, spot.base, Material.CRUST, mix(color, DARK, 0.3))
        for step in np.linspace(-0.75, 0.75, 5):
            cut = at + turned(np.array([[step * spot.radius, 0.0]]), angle)[0]
            canvas.mark(
                line(cut, angle + 0.6, wide * 0.8),
                2,
                mix(color, CRUMB_TONE, 0.75),
                spot.base + wide * 0.7,
                -1,
            )
    for at in spot.scatter(rng, rng.integers(0, 5), 0.7):
        slice_ = canvas.blob(at, wide * 1.1, wide * 0.9, None, 0.05)
        canvas.block(slice_, [(color, Material.CRUST)], 4, spot.base + 2, (color, Material.CRUST))
        canvas.flat(
            at + (slice_ - at) * 0.86, canvas.tint(CRUMB_TONE), spot.base + 6, Material.CRUMB
        )


def croissant(canvas: Canvas, spot: Spot) -> None:
    """Paint crescents made of rolled segments."""
    rng = canvas.rng
    color = crust(canvas)
    num = rng.integers(1, 4)
    size = spot.radius * (0.72 if num == 1 else 0.5)
    for start in spot.scatter(rng, num, 0.5 if num > 1 else 0.1):
        arc = line(start, rng.uniform(0, 6.3), size, rng.uniform(0.5, 0.8), 9)
        steps = np.gradient(arc, axis=0)
        for at, step, share in zip(arc, steps, np.linspace(-1, 1, 9), strict=True):
            thick = size * (0.42 - 0.3 * share * share)
            segment = canvas.blob(at, size * 0.17, thick, math.atan2(step[1], step[0]), 0.03)
            canvas.dome(
                segment,
                canvas.tint(color, 6),
                thick * 0.9,
                spot.base,
                Material.CRUST,
                mix(color, DARK, 0.45),
            )


def buns(canvas: Canvas, spot: Spot) -> None:
    """Paint shiny round buns, some with sesame; a burger where the lower half shows."""
    rng = canvas.rng
    color = crust(canvas)
    num = rng.choice([1, 2, 3, 5])
    size = spot.radius * (0.62 if num == 1 else 0.75 / math.sqrt(num))
    burger, seeds = rng.random() < 0.35, rng.random() < 0.6
    for at in spot.scatter(rng, num, 0.6 if num > 1 else 0.1):
        base = spot.base
        if burger:
            fills: list[Color] = [color, (70, 40, 25), hsv(0.13, 0.7, 0.95), hsv(0.28, 0.6, 0.7)]
            layers = [(fill, Material.FLESH) for fill in fills]
            canvas.block(
                canvas.blob(at, size * 1.05, size * 1.05, 0, 0.04),
                layers,
                size * 0.5,
                base,
                (hsv(0.28, 0.7, 0.65), Material.LEAF),
            )
            base += size * 0.5
        canvas.dome(
            canvas.blob(at, size, size * 0.97, None, 0.03),
            canvas.tint(color, 8),
            size * 0.7,
            base,
            Material.GLAZE,
            mix(color, DARK, 0.25),
        )
        if seeds:
            spread = Spot(x=at[0], y=at[1], radius=size * 0.7, base=base)
            canvas.dots(spread.scatter(rng, 12, 0.9), 0.9, [(245, 230, 190)], base + size * 0.5)


def bagel(canvas: Canvas, spot: Spot) -> None:
    """Paint bread rings: bagels or the crossing strands of a pretzel."""
    rng = canvas.rng
    color = crust(canvas)
    num = rng.integers(1, 4)
    size = spot.radius * (0.55 if num == 1 else 0.36)
    for at in spot.scatter(rng, num, 0.6 if num > 1 else 0.1):
        t = np.linspace(0, 2 * math.pi, 26)
        wide = size * 0.75
        ring = np.stack([np.cos(t), np.sin(t)], 1) * size
        if rng.random() < 0.4:
            ring = turned(
                np.stack([np.sin(t), np.sin(2 * t + 0.5) * 0.8], 1) * size * 1.3, rng.uniform(0, 6)
            )
            wide = size * 0.4
        canvas.strand(at + ring, wide, color, spot.base, Material.CRUST)
        salt = rng.integers(0, 14)
        canvas.dots(
            at + ring[rng.integers(0, 26, salt)] + rng.normal(0, 1.5, (salt, 2)),
            0.9,
            [(250, 245, 230), (40, 30, 30)],
            spot.base + wide,
        )


BREAD = (toast, loaf, baguette, buns, croissant, bagel)
