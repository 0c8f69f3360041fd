"""Bread, dessert and fried food: several appearances of each, painted on a spot."""

import math

import numpy as np

from mlspring.worlds.food_plates import Spot, hsv
from mlspring.worlds.paint import Canvas, Color, Material, Points, circle, mix, turned

DARK: Color = (60, 32, 14)
CRUMB_TONE: Color = (238, 212, 164)


def crust(canvas: Canvas) -> Color:
    """Return a brown between pale dough and dark roast."""
    rng = canvas.rng
    return hsv(rng.uniform(0.055, 0.1), rng.uniform(0.45, 0.8), rng.uniform(0.42, 0.85))


def line(at: Points, angle: float, half: float, bend: float = 0.0, steps: int = 6) -> Points:
    """Return (steps, 2) points of a line or arc through ``at``, ``half`` pixels to each side."""
    t = np.linspace(-1, 1, steps)
    return np.asarray(turned(np.stack([t * half, bend * half * (1 - t * t)], 1), angle) + at)


# ---- bread


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
        canvas.dome(body, canvas.tint(color), wide * 0.6, spot.base, Material.CRUST,
                    mix(color, DARK, 0.35))  # fmt: skip
        for step in np.linspace(-0.55, 0.55, rng.integers(2, 5)):
            cut = at + turned(np.array([[step * long, 0.0]]), angle)[0]
            slash = line(cut, angle + rng.normal(1.1, 0.2), wide * 0.55)
            canvas.mark(slash, 2, mix(color, CRUMB_TONE, 0.7), spot.base + wide * 0.5, -1)


def toast(canvas: Canvas, spot: Spot) -> None:
    """Paint slices of white or brown bread with their crust, some spread with something."""
    rng = canvas.rng
    color, side = crust(canvas), rng.uniform(0.42, 0.62) * spot.radius
    crumb = mix(CRUMB_TONE, color, rng.uniform(0, 0.5))
    shape = np.sign(circle(26)[0]) * np.abs(circle(26)[0]) ** rng.uniform(0.3, 0.7)
    for i, at in enumerate(spot.scatter(rng, rng.integers(1, 5), 0.5)):
        outline = turned(shape * (side, side * 0.9), rng.uniform(0, 6.3))
        tall = rng.uniform(3, 6)
        base = spot.base + 2 * i
        canvas.block(at + outline, [(color, Material.CRUST)], tall, base, (color, Material.CRUST))
        canvas.flat(at + outline * 0.88, canvas.tint(crumb, 8), base + tall, Material.CRUMB)
        if rng.random() < 0.25:
            spread = hsv(rng.choice([0.0, 0.07, 0.13, 0.95]), rng.uniform(0.3, 0.9), 0.8)
            canvas.dome(canvas.blob(at, side * 0.6, side * 0.5, None, 0.15), spread, 1.5,
                        base + tall, Material.CREAM)  # fmt: skip


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
            canvas.mark(line(cut, angle + 0.6, wide * 0.8), 2, mix(color, CRUMB_TONE, 0.75),
                        spot.base + wide * 0.7, -1)  # fmt: skip
    for at in spot.scatter(rng, rng.integers(0, 5), 0.7):
        slice_ = canvas.blob(at, wide * 1.1, wide * 0.9, None, 0.05)
        canvas.block(slice_, [(color, Material.CRUST)], 4, spot.base + 2, (color, Material.CRUST))
        canvas.flat(at + (slice_ - at) * 0.86, canvas.tint(CRUMB_TONE), spot.base + 6,
                    Material.CRUMB)  # fmt: skip


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
            canvas.dome(segment, canvas.tint(color, 6), thick * 0.9, spot.base, Material.CRUST,
                        mix(color, DARK, 0.45))  # fmt: skip


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
            canvas.block(canvas.blob(at, size * 1.05, size * 1.05, 0, 0.04), layers, size * 0.5,
                         base, (hsv(0.28, 0.7, 0.65), Material.LEAF))  # fmt: skip
            base += size * 0.5
        canvas.dome(canvas.blob(at, size, size * 0.97, None, 0.03), canvas.tint(color, 8),
                    size * 0.7, base, Material.GLAZE, mix(color, DARK, 0.25))  # fmt: skip
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
            ring = turned(np.stack([np.sin(t), np.sin(2 * t + 0.5) * 0.8], 1) * size * 1.3,
                          rng.uniform(0, 6))  # fmt: skip
            wide = size * 0.4
        canvas.strand(at + ring, wide, color, spot.base, Material.CRUST)
        salt = rng.integers(0, 14)
        canvas.dots(at + ring[rng.integers(0, 26, salt)] + rng.normal(0, 1.5, (salt, 2)), 0.9,
                    [(250, 245, 230), (40, 30, 30)], spot.base + wide)  # fmt: skip


# ---- dessert


def _sweet(canvas: Canvas) -> Color:
    rng = canvas.rng
    tones = [(0.95, 0.45, 0.95), (0.06, 0.75, 0.32), (0.12, 0.25, 0.97), (0.28, 0.3, 0.8),
             (0.99, 0.75, 0.75), (0.07, 0.55, 0.62), (0.78, 0.35, 0.75)]  # fmt: skip
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
            canvas.dome(canvas.blob(berry, size * 0.17, size * 0.17, None, 0.05), red, size * 0.2,
                        crown, Material.PEEL)  # fmt: skip


def donuts(canvas: Canvas, spot: Spot) -> None:
    """Paint glazed rings with sprinkles."""
    rng = canvas.rng
    num = rng.integers(1, 5)
    size = spot.radius * (0.6 if num == 1 else 0.38)
    for at in spot.scatter(rng, num, 0.6 if num > 1 else 0.1):
        dough, glaze = crust(canvas), _sweet(canvas)
        canvas.dome(canvas.blob(at, size, size, 0, 0.03), dough, size * 0.4, spot.base,
                    Material.CRUST)  # fmt: skip
        t = np.linspace(0, 2 * math.pi, 22)
        ring = np.stack([np.cos(t), np.sin(t)], 1) * size * 0.63
        canvas.strand(at + ring, size * 0.6, glaze, spot.base + size * 0.25, Material.GLAZE)
        canvas.dome(canvas.blob(at, size * 0.26, size * 0.26, 0, 0), mix(dough, DARK, 0.5),
                    -size * 0.3, spot.base + size * 0.3, Material.CRUST)  # fmt: skip
        for i in rng.integers(0, 22, rng.choice([0, 9, 14])):
            start = at + ring[i] + rng.normal(0, size * 0.12, 2)
            canvas.mark(line(start, rng.uniform(0, 3), 1.6, steps=2), 1,
                        hsv(rng.random(), 0.8, 0.95), spot.base + size * 0.7, 0)  # fmt: skip


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
    canvas.block(spot.at + circle(26)[0] * size, [(rim, Material.CRUST)], 6, spot.base,
                 (rim, Material.CRUST))  # fmt: skip
    canvas.dots(spot.at + circle(26)[0] * size * 0.94, 2.2, [canvas.tint(rim)], spot.base + 6)
    canvas.flat(spot.at + circle(26)[0] * size * 0.85, fill, spot.base + 5, Material.GLAZE)
    inner = Spot(x=spot.x, y=spot.y, radius=size, base=spot.base + 5)
    berry = hsv(rng.choice([0.97, 0.68, 0.08, 0.3, 0.0]), 0.75, rng.uniform(0.4, 0.9))
    for at in inner.scatter(rng, rng.choice([0, 6, 10, 14]), 0.72):
        canvas.dome(canvas.blob(at, 4, 4, None, 0.08), canvas.tint(berry), 3.5, inner.base,
                    Material.GLAZE)  # fmt: skip
    if rng.random() < 0.4:
        canvas.dome(canvas.blob(spot.at, size * 0.3, size * 0.3, None, 0.15), (250, 245, 235), 6,
                    inner.base, Material.CREAM)  # fmt: skip


def ice_cream(canvas: Canvas, spot: Spot) -> None:
    """Paint scoops of ice cream with syrup, a wafer or a cherry."""
    rng = canvas.rng
    num = rng.integers(1, 4)
    size = spot.radius * (0.55 if num == 1 else 0.42)
    for at in spot.scatter(rng, num, 0.45 if num > 1 else 0.1):
        color = _sweet(canvas)
        canvas.dome(canvas.blob(at, size * 1.08, size * 1.08, None, 0.09), color, 3, spot.base,
                    Material.CREAM)  # fmt: skip
        canvas.dome(canvas.blob(at, size, size, None, 0.04), color, size, spot.base + 2,
                    Material.CREAM)  # fmt: skip
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
        canvas.block(at + circle(26)[0] * size * 0.9, pleats, size * 0.6, spot.base, pleats[0])
        for share in (1.0, 0.75, 0.5, 0.25):
            canvas.dome(canvas.blob(at, size * share, size * share, None, 0.07), cream, size * 0.35,
                        spot.base + size * (1.3 - 0.7 * share), Material.CREAM,
                        mix(cream, DARK, 0.18))  # fmt: skip
        if rng.random() < 0.5:
            canvas.dots(at[None], 2.5, [hsv(0.98, 0.85, 0.75)], spot.base + size * 1.6)


# ---- fried food


def fries(canvas: Canvas, spot: Spot) -> None:
    """Paint a heap of sticks of fried potato."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.1, 0.135), rng.uniform(0.55, 0.8), rng.uniform(0.75, 0.97))
    lay = rng.uniform(0, 3.1)
    for i, at in enumerate(spot.scatter(rng, rng.integers(14, 30), 0.68)):
        angle = lay + rng.normal(0, rng.choice([0.3, 1.2]))
        stick = line(at, angle, spot.radius * rng.uniform(0.28, 0.48), rng.normal(0, 0.06), 3)
        canvas.strand(stick, spot.radius * 0.12, canvas.tint(color, 12), spot.base + i * 0.35,
                      Material.CREAM)  # fmt: skip


def nuggets(canvas: Canvas, spot: Spot) -> None:
    """Paint craggy battered lumps: nuggets, fried chicken, croquettes."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.06, 0.105), rng.uniform(0.65, 0.85), rng.uniform(0.5, 0.88))
    size = spot.radius * rng.uniform(0.24, 0.42)
    long = rng.uniform(1, 1.6)
    for i, at in enumerate(spot.scatter(rng, rng.integers(4, 11), 0.66)):
        body = canvas.blob(at, size * long, size * rng.uniform(0.7, 0.95), None, 0.22)
        canvas.dome(body, canvas.tint(color, 12), size * 0.75, spot.base + i * 0.4, Material.FRIED,
                    mix(color, DARK, 0.25))  # fmt: skip


def rings(canvas: Canvas, spot: Spot) -> None:
    """Paint battered rings of onion or squid."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.07, 0.115), rng.uniform(0.6, 0.8), rng.uniform(0.6, 0.92))
    t = np.linspace(0, 2 * math.pi, 20)
    for i, at in enumerate(spot.scatter(rng, rng.integers(4, 10), 0.68)):
        size = spot.radius * rng.uniform(0.2, 0.36)
        ring = np.stack([np.cos(t), np.sin(t) * rng.uniform(0.6, 1)], 1) * size
        shape = at + turned(ring, rng.uniform(0, 3)) + rng.normal(0, 0.6, (20, 2))
        canvas.strand(shape, size * 0.45, canvas.tint(color), spot.base + i, Material.FRIED)


def rolls(canvas: Canvas, spot: Spot) -> None:
    """Paint fried rolls or tempura sticks side by side."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.07, 0.11), rng.uniform(0.5, 0.8), rng.uniform(0.6, 0.9))
    lay, wide = rng.uniform(0, 3.1), spot.radius * rng.uniform(0.13, 0.2)
    num = rng.integers(3, 7)
    for i in range(num):
        aside = (i - (num - 1) / 2) * wide * 2
        at = spot.at + turned(np.array([[rng.normal(0, 3), aside]]), lay)[0]
        body = canvas.blob(at, spot.radius * rng.uniform(0.5, 0.68), wide,
                           lay + rng.normal(0, 0.15), 0.04)  # fmt: skip
        canvas.dome(body, canvas.tint(color), wide, spot.base + i * 0.5, Material.FRIED,
                    mix(color, DARK, 0.3))  # fmt: skip


def drumsticks(canvas: Canvas, spot: Spot) -> None:
    """Paint fried drumsticks with the end of the bone."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.055, 0.09), rng.uniform(0.65, 0.85), rng.uniform(0.45, 0.8))
    for i, at in enumerate(spot.scatter(rng, rng.integers(1, 5), 0.45)):
        size, angle = spot.radius * rng.uniform(0.36, 0.46), rng.uniform(0, 6.3)
        ahead = turned(np.array([[1.0, 0.0]]), angle)[0]
        bone = np.stack([at + ahead * size * 0.6, at + ahead * size * 1.7])
        canvas.strand(bone, size * 0.2, (235, 220, 195), spot.base + i * 3, Material.PEEL)
        thin = canvas.blob(at + ahead * size * 0.6, size * 0.65, size * 0.36, angle, 0.1)
        canvas.dome(thin, color, size * 0.6, spot.base + i * 3, Material.FRIED)
        canvas.dome(canvas.blob(at, size * 0.9, size * 0.65, angle, 0.14), canvas.tint(color, 8),
                    size * 0.8, spot.base + i * 3, Material.FRIED, mix(color, DARK, 0.3))  # fmt: skip


BREAD = (loaf, toast, baguette, croissant, buns, bagel)
DESSERT = (cake, donuts, cookies, tart, ice_cream, cupcakes)
FRIED = (fries, nuggets, rings, rolls, drumsticks)
