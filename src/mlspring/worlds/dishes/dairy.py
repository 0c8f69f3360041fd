"""Dairy products: cheese, brie, yogurt, butter and milk."""

import math

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import WHITE, Spot, circle, hsv, mix, turned


def cheese(canvas: Canvas, spot: Spot) -> None:
    """Paint wedges or cubes of yellow cheese, with holes or a rind."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.1, 0.145), rng.uniform(0.35, 0.75), rng.uniform(0.85, 1))
    places, size = spot.few(rng, 6, 0.7, 0.36)
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
            canvas.dome(
                canvas.blob(hole, round_, round_, 0, 0),
                mix(own, (150, 90, 10), 0.4),
                -3,
                crown,
                Material.CREAM,
            )


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
    sides = [
        (rind, Material.CRUMB),
        (inside, Material.CREAM),
        (inside, Material.CREAM),
        (rind, Material.CRUMB),
    ]
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
    swirl = spot.at + turned(
        np.stack([np.cos(t), np.sin(t)], 1) * (t / t[-1] * size * 0.7)[:, None], rng.uniform(0, 6)
    )
    canvas.mark(swirl, 3, mix(color, (190, 170, 150), 0.15), spot.base + 4, 1.5)
    if rng.random() < 0.6:
        spread = spot.part(rng.uniform(0, 6.3), rng.uniform(0, 0.35), rng.uniform(0.3, 0.5))
        berry = hsv(rng.choice([0.97, 0.68, 0.07]), 0.75, rng.uniform(0.4, 0.8))
        for at in spread.scatter(rng, rng.integers(2, 8), 0.9):
            canvas.dome(
                canvas.blob(at, 3.6, 3.6, None, 0.06),
                canvas.tint(berry),
                3.5,
                spot.base + 4,
                Material.PEEL,
            )


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
    places, size = spot.few(rng, 3, 0.6, 0.38)
    for at in places:
        ring, tall = circle(26) * size, size * rng.uniform(0.8, 1.5)
        glass = mix(color, hsv(0.55, 0.1, 0.8), 0.5)
        layers = [(color, Material.GLAZE), (color, Material.GLAZE), (glass, Material.CHINA)]
        canvas.block(at + ring, layers, tall, spot.base, (glass, Material.CHINA))
        canvas.flat(at + ring * 0.88, color, spot.base + tall - 1.5, Material.LIQUID)
        if rng.random() < 0.4:
            canvas.mark(at + ring[:14] * 0.8, 2, (255, 255, 255), spot.base + tall - 1, 0.6)


DAIRY = (cheese, yogurt, brie, butter, milk)
