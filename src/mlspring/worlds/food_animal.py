"""Dairy products, eggs, meat and seafood: several appearances of each, painted on a spot."""

import math

import numpy as np

from mlspring.worlds.food_baked import DARK, line
from mlspring.worlds.food_plates import Spot, hsv
from mlspring.worlds.paint import Canvas, Color, Material, Points, circle, mix, turned

WHITE: Color = (250, 247, 238)


def one_or_many(
    canvas: Canvas, spot: Spot, most: int, one: float, many: float
) -> tuple[Points, float]:
    """Return (n, 2) places for 1 .. most things and their size in pixels."""
    num = canvas.rng.integers(1, most + 1)
    share = one if num == 1 else many * canvas.rng.uniform(0.85, 1.15)
    return spot.scatter(canvas.rng, num, 0.1 if num == 1 else 0.6), spot.radius * share


# ---- dairy product


def cheese(canvas: Canvas, spot: Spot) -> None:
    """Paint wedges or cubes of yellow cheese, with holes or a rind."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.1, 0.145), rng.uniform(0.35, 0.75), rng.uniform(0.85, 1))
    places, size = one_or_many(canvas, spot, 6, 0.7, 0.36)
    holes, cubes = rng.random() < 0.6, rng.random() < 0.4
    for at in places:
        wedge = np.array([[1.1, 0], [-0.7, -0.65], [-0.85, 0], [-0.7, 0.65]])
        cube = np.array([[-0.7, -0.7], [0.7, -0.7], [0.7, 0.7], [-0.7, 0.7]])
        shape = at + turned((cube if cubes else wedge) * size, rng.uniform(0, 6.3))
        tall = size * rng.uniform(0.5, 0.8)
        own = canvas.tint(color, 7)
        canvas.block(shape, [(own, Material.GLAZE)], tall, spot.base, (own, Material.CREAM))
        crown = spot.base + tall
        for hole in shape.mean(0) + rng.normal(0, size * 0.26, (4 if holes else 0, 2)):
            round_ = size * rng.uniform(0.06, 0.15)
            canvas.dome(canvas.blob(hole, round_, round_, 0, 0), mix(own, (150, 90, 10), 0.4), -3,
                        crown, Material.CREAM)  # fmt: skip


def brie(canvas: Canvas, spot: Spot) -> None:
    """Paint a white round cheese from which a piece is cut."""
    rng = canvas.rng
    size = spot.radius * rng.uniform(0.5, 0.72)
    cut = rng.uniform(0.2, 1.3)
    t = np.linspace(cut, 2 * math.pi, 24)
    arc = np.vstack([np.stack([np.cos(t), np.sin(t)], 1), [[0, 0]]]) * size
    shape = spot.at + turned(arc, rng.uniform(0, 6.3))
    inside = hsv(rng.uniform(0.11, 0.15), rng.uniform(0.2, 0.45), 0.97)
    rind = canvas.tint((240, 234, 220), 6)
    tall = size * rng.uniform(0.3, 0.5)
    sides = [(rind, Material.CRUMB), (inside, Material.CREAM), (inside, Material.CREAM),
             (rind, Material.CRUMB)]  # fmt: skip
    canvas.block(shape, sides, tall, spot.base, (rind, Material.CRUMB))
    middle = shape[-1]
    for edge in (shape[0], shape[-2]):
        canvas.mark(np.stack([middle, edge]), 2, inside, spot.base + tall, -0.5)


def yogurt(canvas: Canvas, spot: Spot) -> None:
    """Paint a pot of yogurt or cream with a swirl, some with berries or muesli on top."""
    rng = canvas.rng
    color = mix(WHITE, hsv(rng.choice([0.95, 0.12, 0.75]), 0.6, 0.9), rng.choice([0, 0, 0.2, 0.35]))
    size = spot.radius * rng.uniform(0.75, 0.98)
    canvas.dome(canvas.blob(spot.at, size, size, None, 0.02), color, 4, spot.base, Material.CREAM)
    t = np.linspace(0, rng.uniform(6, 14), 30)
    swirl = spot.at + turned(np.stack([np.cos(t), np.sin(t)], 1) * (t / t[-1] * size * 0.7)[:, None],
                             rng.uniform(0, 6))  # fmt: skip
    canvas.mark(swirl, 3, mix(color, (190, 170, 150), 0.15), spot.base + 4, 1.5)
    if rng.random() < 0.6:
        spread = spot.part(rng.uniform(0, 6.3), rng.uniform(0, 0.35), rng.uniform(0.3, 0.5))
        berry = hsv(rng.choice([0.97, 0.68, 0.07]), 0.75, rng.uniform(0.4, 0.8))
        for at in spread.scatter(rng, rng.integers(2, 8), 0.9):
            canvas.dome(canvas.blob(at, 3.6, 3.6, None, 0.06), canvas.tint(berry), 3.5,
                        spot.base + 4, Material.PEEL)  # fmt: skip


def butter(canvas: Canvas, spot: Spot) -> None:
    """Paint a block of butter, tofu-like white cheese or feta, some pieces cut off."""
    rng = canvas.rng
    color = mix(hsv(0.14, 0.45, 0.99), WHITE, rng.choice([0.0, 0.2, 1.0]))
    angle, wide = rng.uniform(0, 3.1), spot.radius * rng.uniform(0.25, 0.36)
    tall = wide * rng.uniform(0.8, 1.2)
    reach = spot.radius * rng.uniform(0.45, 0.7)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    block = spot.at + turned(corners * (reach, wide), angle)
    canvas.block(block, [(color, Material.CREAM)], tall, spot.base, (color, Material.CREAM))
    for k in range(rng.integers(0, 4)):
        at = spot.at + turned(
            np.array([[reach + wide * (0.55 + 0.8 * k), rng.normal(0, 2)]]), angle
        )
        slab = at + turned(corners * (wide * 0.2, wide), angle + rng.normal(0, 0.2))
        canvas.block(
            slab, [(color, Material.CREAM)], tall * 0.8, spot.base, (color, Material.CREAM)
        )


def milk(canvas: Canvas, spot: Spot) -> None:
    """Paint glasses of milk, seen from above, or a jug."""
    rng = canvas.rng
    color = canvas.tint(WHITE, 5)
    places, size = one_or_many(canvas, spot, 3, 0.6, 0.38)
    for at in places:
        ring, tall = circle(26)[0] * size, size * rng.uniform(0.8, 1.5)
        glass = mix(color, hsv(0.55, 0.1, 0.8), 0.5)
        layers = [(color, Material.GLAZE), (color, Material.GLAZE), (glass, Material.CHINA)]
        canvas.block(at + ring, layers, tall, spot.base, (glass, Material.CHINA))
        canvas.flat(at + ring * 0.88, color, spot.base + tall - 1.5, Material.LIQUID)
        if rng.random() < 0.4:
            canvas.mark(at + ring[:14] * 0.8, 2, (255, 255, 255), spot.base + tall - 1, 0.6)


# ---- egg


def fried_egg(canvas: Canvas, spot: Spot) -> None:
    """Paint fried eggs, the yolk on top, the white's edge sometimes brown."""
    rng = canvas.rng
    places, size = one_or_many(canvas, spot, 4, 0.68, 0.44)
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
    places, size = one_or_many(canvas, spot, 6, 0.6, 0.33)
    for at in places:
        angle = rng.uniform(0, 6.3)
        body = canvas.blob(at, size, size * 0.74, angle, 0.0)
        canvas.block(body, [(skin, Material.GLAZE)], size * 0.3, spot.base, (skin, Material.GLAZE))
        up = spot.base + size * 0.3
        canvas.flat(at + (body - at) * 0.9, canvas.tint(WHITE, 4), up, Material.CREAM)
        shift = turned(np.array([[size * 0.14, 0.0]]), angle)[0]
        color = hsv(rng.uniform(0.09, 0.13), 0.9 if runny else 0.65, 0.95)
        canvas.dome(canvas.blob(at + shift, size * 0.5, size * 0.46, angle, 0.03), color, 1.2, up,
                    Material.GLAZE if runny else Material.CRUMB, mix(color, DARK, 0.15))  # fmt: skip


def whole_egg(canvas: Canvas, spot: Spot) -> None:
    """Paint whole eggs in their shells, white or brown, perhaps speckled."""
    rng = canvas.rng
    shell = mix(WHITE, (190, 125, 80), rng.choice([0, 0.3, 0.7, 1]))
    speckled = rng.random() < 0.25
    places, size = one_or_many(canvas, spot, 7, 0.5, 0.31)
    for at in places:
        angle = rng.uniform(0, 6.3)
        points = circle(26)[0] * (size, size * 0.76)
        points[:, 1] *= 1 - 0.16 * points[:, 0] / size  # one end is more pointed
        canvas.dome(at + turned(points, angle), canvas.tint(shell, 6), size * 0.75, spot.base,
                    Material.PEEL)  # fmt: skip
        if speckled:
            canvas.dots(at + rng.normal(0, size * 0.35, (9, 2)), 0.8, [(90, 65, 50)],
                        spot.base + size * 0.6)  # fmt: skip


def omelette(canvas: Canvas, spot: Spot) -> None:
    """Paint a folded omelette with browned patches, herbs or a line of ketchup."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.12, 0.145), rng.uniform(0.55, 0.8), rng.uniform(0.85, 0.98))
    angle, size = rng.uniform(0, 6.3), spot.radius * rng.uniform(0.7, 0.88)
    half = circle(26)[0] * (1, 0.72)
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
        canvas.dome(canvas.blob(at, size * 1.2, size, None, 0.2), own, size * 0.6,
                    spot.base + i * 0.25, Material.GLAZE)  # fmt: skip
    canvas.dots(
        spot.scatter(rng, rng.choice([0, 10]), 0.6), 1.1, [hsv(0.3, 0.7, 0.5)], spot.base + 9
    )


# ---- meat


def _roast(canvas: Canvas) -> Color:
    rng = canvas.rng
    return hsv(rng.uniform(0.0, 0.06), rng.uniform(0.45, 0.72), rng.uniform(0.25, 0.55))


def steak(canvas: Canvas, spot: Spot) -> None:
    """Paint steaks or chops with grill marks, a rim of fat, perhaps a bone."""
    rng = canvas.rng
    color = _roast(canvas)
    places, size = one_or_many(canvas, spot, 3, 0.75, 0.5)
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
            canvas.dome(canvas.blob(tip, wide * 0.5, wide * 0.5, 0, 0), own, wide * 0.6, spot.base,
                        Material.GLAZE)  # fmt: skip
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
        canvas.dome(canvas.blob(at, size, size * 0.85, None, rough), canvas.tint(color, 8),
                    size * 0.9, spot.base, Material.FLESH, mix(color, DARK, 0.4))  # fmt: skip


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
        canvas.dome(canvas.blob(at, reach, wide * 0.55, lay, 0.06), canvas.tint(color, 10),
                    wide * 0.7, spot.base + 1, Material.GLAZE, mix(color, DARK, 0.45))  # fmt: skip


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
            canvas.dome(canvas.blob(piece, size * 1.1, size, None, 0.13), canvas.tint(color, 12),
                        size * 0.9, spot.base + 2, Material.FLESH, mix(color, DARK, 0.5))  # fmt: skip


DAIRY = (cheese, brie, yogurt, butter, milk)
EGG = (fried_egg, boiled_egg, whole_egg, omelette, scrambled)
MEAT = (steak, sausages, slices, meatballs, ribs, skewers)
