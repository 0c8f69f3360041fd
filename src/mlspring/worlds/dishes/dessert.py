"""Dessert: cake, donuts, cookies, macarons, tarts, ice cream and cupcakes."""

import math

import numpy as np

from mlspring.worlds.dishes.bread import crust
from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, Color, Spot, circle, hsv, line, mix, turned


def _sweet(canvas: Canvas) -> Color:
    rng = canvas.rng
    tones = [
        (0.95, 0.45, 0.95),
        (0.06, 0.75, 0.32),
        (0.12, 0.25, 0.97),
        (0.28, 0.3, 0.8),
        (0.99, 0.75, 0.75),
        (0.07, 0.55, 0.62),
        (0.78, 0.35, 0.75),
    ]
    return canvas.tint(hsv(*tones[rng.integers(len(tones))]), 16)


def cake(canvas: Canvas, spot: Spot) -> None:
    """Paint a piece of layer cake, cut as a wedge or a square, with something on top."""
    rng = canvas.rng
    sponge, cream, top = _sweet(canvas), canvas.tint((248, 238, 220), 8), _sweet(canvas)
    layers = [(sponge, Material.CRUMB), (cream, Material.CREAM)] * rng.integers(1, 4)
    for at in spot.scatter(rng, rng.integers(1, 3), 0.4):
        size = spot.radius * rng.uniform(0.5, 0.72)
        wedge = np.array([[1.1, 0], [-0.75, -0.62], [-0.9, 0.0], [-0.75, 0.62]])
        square = np.array([[-0.8, -0.6], [0.8, -0.6], [0.8, 0.6], [-0.8, 0.6]])
        shape = at + turned((wedge if rng.random() < 0.6 else square) * size, rng.uniform(0, 6.3))
        tall = size * rng.uniform(0.6, 1)
        canvas.block(shape, layers, tall, spot.base, (top, Material.CREAM))
        crown = spot.base + tall
        canvas.mark(np.vstack([shape, shape[:1]]), 1, mix(top, cream, 0.6), crown, 0.6)
        for berry in shape.mean(0) + rng.normal(0, size * 0.22, (rng.integers(0, 4), 2)):
            red = canvas.tint(hsv(rng.choice([0.98, 0.75, 0.1]), 0.85, 0.75))
            canvas.dome(
                canvas.blob(berry, size * 0.17, size * 0.17, None, 0.05),
                red,
                size * 0.2,
                crown,
                Material.PEEL,
            )


def donuts(canvas: Canvas, spot: Spot) -> None:
    """Paint glazed rings with sprinkles."""
    rng = canvas.rng
    num = rng.integers(1, 5)
    size = spot.radius * (0.6 if num == 1 else 0.38)
    for at in spot.scatter(rng, num, 0.6 if num > 1 else 0.1):
        dough, glaze = crust(canvas), _sweet(canvas)
        canvas.dome(
            canvas.blob(at, size, size, 0, 0.03), dough, size * 0.4, spot.base, Material.CRUST
        )
        t = np.linspace(0, 2 * math.pi, 22)
        ring = np.stack([np.cos(t), np.sin(t)], 1) * size * 0.63
        canvas.strand(at + ring, size * 0.6, glaze, spot.base + size * 0.25, Material.GLAZE)
        canvas.dome(
            canvas.blob(at, size * 0.26, size * 0.26, 0, 0),
            mix(dough, DARK, 0.5),
            -size * 0.3,
            spot.base + size * 0.3,
            Material.CRUST,
        )
        for i in rng.integers(0, 22, rng.choice([0, 9, 14])):
            start = at + ring[i] + rng.normal(0, size * 0.12, 2)
            canvas.mark(
                line(start, rng.uniform(0, 3), 1.6, steps=2),
                1,
                hsv(rng.random(), 0.8, 0.95),
                spot.base + size * 0.7,
                0,
            )


def cookies(canvas: Canvas, spot: Spot) -> None:
    """Paint flat cookies with dark chips, or sandwiched macarons."""
    rng = canvas.rng
    macaron = rng.random() < 0.4
    num = rng.integers(3, 8)
    size = spot.radius * rng.uniform(0.26, 0.36)
    for at in spot.scatter(rng, num, 0.75):
        color = _sweet(canvas) if macaron else canvas.tint(crust(canvas), 6)
        body = canvas.blob(at, size, size, 0, 0.02 if macaron else 0.07)
        if macaron:
            layers = [(color, Material.CRUMB), ((245, 235, 220), Material.CREAM)]
            canvas.block(body, [*layers, layers[0]], size * 0.8, spot.base, (color, Material.CREAM))
            continue
        canvas.dome(body, color, size * 0.25, spot.base, Material.CRUMB, mix(color, DARK, 0.3))
        chips = at + rng.normal(0, size * 0.4, (6, 2))
        canvas.dots(chips, size * 0.16, [(60, 34, 20)], spot.base + size * 0.2)


def tart(canvas: Canvas, spot: Spot) -> None:
    """Paint a round pie or tart: a ridged crust around cream, custard and fruit."""
    rng = canvas.rng
    rim, fill = crust(canvas), _sweet(canvas)
    size = spot.radius * rng.uniform(0.6, 0.85)
    canvas.block(
        spot.at + circle(26) * size, [(rim, Material.CRUST)], 6, spot.base, (rim, Material.CRUST)
    )
    canvas.dots(spot.at + circle(26) * size * 0.94, 2.2, [canvas.tint(rim)], spot.base + 6)
    canvas.flat(spot.at + circle(26) * size * 0.85, fill, spot.base + 5, Material.GLAZE)
    inner = Spot(x=spot.x, y=spot.y, radius=size, base=spot.base + 5)
    berry = hsv(rng.choice([0.97, 0.68, 0.08, 0.3, 0.0]), 0.75, rng.uniform(0.4, 0.9))
    for at in inner.scatter(rng, rng.choice([0, 6, 10, 14]), 0.72):
        canvas.dome(
            canvas.blob(at, 4, 4, None, 0.08), canvas.tint(berry), 3.5, inner.base, Material.GLAZE
        )
    if rng.random() < 0.4:
        canvas.dome(
            canvas.blob(spot.at, size * 0.3, size * 0.3, None, 0.15),
            (250, 245, 235),
            6,
            inner.base,
            Material.CREAM,
        )


def ice_cream(canvas: Canvas, spot: Spot) -> None:
    """Paint scoops of ice cream with syrup, a wafer or a cherry."""
    rng = canvas.rng
    num = rng.integers(1, 4)
    size = spot.radius * (0.55 if num == 1 else 0.42)
    for at in spot.scatter(rng, num, 0.45 if num > 1 else 0.1):
        color = _sweet(canvas)
        canvas.dome(
            canvas.blob(at, size * 1.08, size * 1.08, None, 0.09),
            color,
            3,
            spot.base,
            Material.CREAM,
        )
        canvas.dome(
            canvas.blob(at, size, size, None, 0.04), color, size, spot.base + 2, Material.CREAM
        )
        if rng.random() < 0.5:
            syrup = canvas.blob(at, size * 0.6, size * 0.45, None, 0.3)
            canvas.flat(syrup, _sweet(canvas), spot.base + size * 0.95, Material.GLAZE)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 6.3)
        wafer = line(spot.at, angle, spot.radius * 0.75)
        canvas.strand(wafer, 6, (205, 150, 85), spot.base + size, Material.CRUMB)


def cupcakes(canvas: Canvas, spot: Spot) -> None:
    """Paint cupcakes: a pleated cup below, a swirl of cream above."""
    rng = canvas.rng
    num = rng.integers(1, 5)
    size = spot.radius * (0.55 if num == 1 else 0.36)
    for at in spot.scatter(rng, num, 0.62 if num > 1 else 0.1):
        cup, cream = _sweet(canvas), _sweet(canvas)
        pleats = [(cup, Material.CLOTH), (mix(cup, DARK, 0.3), Material.CLOTH)]
        canvas.block(at + circle(26) * size * 0.9, pleats, size * 0.6, spot.base, pleats[0])
        for share in (1.0, 0.75, 0.5, 0.25):
            canvas.dome(
                canvas.blob(at, size * share, size * share, None, 0.07),
                cream,
                size * 0.35,
                spot.base + size * (1.3 - 0.7 * share),
                Material.CREAM,
                mix(cream, DARK, 0.18),
            )
        if rng.random() < 0.5:
            canvas.dots(at[None], 2.5, [hsv(0.98, 0.85, 0.75)], spot.base + size * 1.6)


DESSERT = (cake, donuts, cupcakes, ice_cream, tart, cookies)
