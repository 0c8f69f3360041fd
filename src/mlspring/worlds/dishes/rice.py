"""Rice: plain, fried, with curry, pressed and rolled in seaweed."""

import math

import numpy as np

from mlspring.worlds.paint import Canvas, Material
from mlspring.worlds.shapes import DARK, Color, Spot, circle, hsv, mix, turned


def _rice(canvas: Canvas) -> Color:
    rng = canvas.rng
    return canvas.tint(hsv(rng.uniform(0.09, 0.15), rng.choice([0.03, 0.1, 0.3]), 0.97), 6)


def _grains(canvas: Canvas, spot: Spot, color: Color, lift: float, share: float = 0.8) -> None:
    """Paint a mound of rice: a body and single grains on it."""
    rng = canvas.rng
    mound = canvas.blob(spot.at, spot.radius * share, spot.radius * share * 0.95, None, 0.05)
    canvas.dome(mound, mix(color, DARK, 0.14), lift, spot.base, Material.GRAIN)
    num = int(np.clip(spot.radius**2 * share * share * 0.13, 30, 190))
    angle = rng.uniform(0, 2 * math.pi, num)
    reach = np.sqrt(rng.random(num)) * spot.radius * share * 0.97
    at = spot.at + np.stack([np.cos(angle), np.sin(angle)], 1) * reach[:, None]
    lay = rng.uniform(0, math.pi, num)
    half = np.stack([np.cos(lay), np.sin(lay)], 1) * 2.1
    heights = spot.base + lift * (1 - 0.8 * (reach / (spot.radius * share)) ** 2)
    tones = [canvas.tint(color, 7) for _ in range(6)]
    for i in range(num):
        grain = np.stack([at[i] - half[i], at[i] + half[i]])
        canvas.mark(grain, 2, tones[i % 6], float(heights[i]), 1.1)


def plain_rice(canvas: Canvas, spot: Spot) -> None:
    """Paint a mound of white or brown rice, perhaps with sesame or a plum."""
    rng = canvas.rng
    _grains(canvas, spot, _rice(canvas), rng.uniform(4, 11), rng.uniform(0.6, 0.92))
    if rng.random() < 0.3:
        canvas.dots(spot.scatter(rng, 12, 0.4), 0.9, [(35, 30, 25)], spot.base + 10)
    elif rng.random() < 0.25:
        plum = canvas.blob(spot.at, 4.5, 4.5, None, 0.05)
        canvas.dome(plum, (170, 40, 50), 3, spot.base + 9, Material.PEEL)


def fried_rice(canvas: Canvas, spot: Spot) -> None:
    """Paint fried or yellow rice with peas, carrot, egg and meat in it."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.08, 0.14), rng.uniform(0.35, 0.75), rng.uniform(0.7, 0.95))
    _grains(canvas, spot, color, 6, 0.88)
    bits = [hsv(0.29, 0.7, 0.6), hsv(0.06, 0.85, 0.9), hsv(0.13, 0.6, 0.97), hsv(0.0, 0.6, 0.6)]
    first = int(rng.integers(4))
    canvas.dots(
        spot.scatter(rng, rng.integers(12, 28), 0.75),
        rng.uniform(1.5, 2.2),
        bits[first:] + bits[:first],
        spot.base + 5,
    )


def curry_rice(canvas: Canvas, spot: Spot) -> None:
    """Paint rice on one half and a sauce with pieces on the other."""
    rng = canvas.rng
    angle = rng.uniform(0, 6.3)
    sauce = hsv(rng.choice([0.06, 0.1, 0.02, 0.28]), rng.uniform(0.6, 0.9), rng.uniform(0.3, 0.75))
    pool = spot.part(angle, 0.3, 0.68)
    canvas.dome(
        canvas.blob(pool.at, pool.radius, pool.radius, None, 0.06),
        sauce,
        2.5,
        spot.base,
        Material.LIQUID,
    )
    for at in pool.scatter(rng, rng.integers(3, 8), 0.7):
        piece = hsv(rng.choice([0.06, 0.12, 0.02]), 0.7, rng.uniform(0.4, 0.9))
        canvas.dome(canvas.blob(at, 4.5, 4, None, 0.12), piece, 3, pool.base, Material.FLESH)
    _grains(canvas, spot.part(angle + math.pi, 0.35, 0.72), _rice(canvas), 7, 0.85)


def onigiri(canvas: Canvas, spot: Spot) -> None:
    """Paint triangles of pressed rice with a band of seaweed."""
    rng = canvas.rng
    num = rng.integers(1, 4)
    size = spot.radius * (0.62 if num == 1 else 0.42)
    for at in spot.scatter(rng, num, 0.5 if num > 1 else 0.1):
        angle = rng.uniform(0, 6.3)
        t = circle(26)
        corner = 1 + 0.16 * np.cos(3 * np.arctan2(t[:, 1], t[:, 0]))
        shape = at + turned(t * corner[:, None] * size, angle)
        color = _rice(canvas)
        canvas.block(
            shape, [(color, Material.CRUMB)], size * 0.5, spot.base, (color, Material.CRUMB)
        )
        inner = Spot(x=at[0], y=at[1], radius=size * 0.85, base=spot.base + size * 0.5)
        _grains(canvas, inner, color, 1.5, 0.9)
        band = np.array([[-0.95, -0.32], [-0.2, -0.32], [-0.2, 0.32], [-0.95, 0.32]]) * size
        canvas.flat(at + turned(band, angle), (28, 42, 34), inner.base + 2, Material.LEAF)


def maki(canvas: Canvas, spot: Spot) -> None:
    """Paint rolls of rice in seaweed, cut, with a coloured heart."""
    rng = canvas.rng
    size = spot.radius * rng.uniform(0.24, 0.34)
    heart = hsv(rng.choice([0.03, 0.3, 0.13, 0.97]), 0.75, 0.85)
    for at in spot.scatter(rng, rng.integers(3, 9), 0.7):
        ring = canvas.blob(at, size, size, 0, 0.02)
        nori = (30, 42, 36)
        canvas.block(ring, [(nori, Material.LEAF)], size * 0.8, spot.base, (nori, Material.LEAF))
        up = spot.base + size * 0.8
        inner = Spot(x=at[0], y=at[1], radius=size * 0.86, base=up)
        _grains(canvas, inner, (250, 247, 240), 0.8, 0.98)
        canvas.dome(
            canvas.blob(at, size * 0.34, size * 0.3, None, 0.12),
            canvas.tint(heart),
            1,
            up,
            Material.FLESH,
        )


RICE = (plain_rice, fried_rice, curry_rice, maki, onigiri)
