"""Noodles, rice, seafood, soup, vegetables and fruit: several appearances of each."""

import math

import numpy as np

from mlspring.worlds.food_baked import DARK, line
from mlspring.worlds.food_plates import Spot, hsv
from mlspring.worlds.paint import Canvas, Color, Material, circle, mix, turned

PALE: Color = (248, 240, 222)

# ---- noodles/pasta


def _pasta(canvas: Canvas) -> Color:
    rng = canvas.rng
    color = hsv(rng.uniform(0.09, 0.14), rng.uniform(0.2, 0.6), rng.uniform(0.78, 0.98))
    return mix(color, hsv(rng.choice([0.02, 0.08, 0.3]), 0.8, 0.6), rng.choice([0, 0, 0.3, 0.5]))


def _tangle(canvas: Canvas, spot: Spot, num: int, width: float, color: Color) -> None:
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
        canvas.strand(spot.at + path, width, canvas.tint(color, 9), spot.base + lift + i * 0.06,
                      Material.GRAIN)  # fmt: skip


def spaghetti(canvas: Canvas, spot: Spot) -> None:
    """Paint a tangle of thin noodles, perhaps with a spoon of sauce on it."""
    rng = canvas.rng
    color = _pasta(canvas)
    heap = canvas.blob(spot.at, spot.radius * 0.78, spot.radius * 0.74, None, 0.06)
    canvas.dome(heap, mix(color, DARK, 0.3), 4, spot.base, Material.GRAIN)
    _tangle(canvas, spot, int(rng.integers(26, 40)), rng.uniform(2, 3.2), color)
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
    _tangle(canvas, spot, int(rng.integers(12, 20)), rng.uniform(4.5, 7), color)


def ramen(canvas: Canvas, spot: Spot) -> None:
    """Paint combed noodles lying side by side, in bundles."""
    rng = canvas.rng
    color = _pasta(canvas)
    if rng.random() < 0.6:
        broth = mix(color, hsv(rng.uniform(0.04, 0.12), 0.8, 0.5), 0.6)
        canvas.flat(spot.at + circle(40)[0] * spot.radius * 0.98, broth, spot.base, Material.LIQUID)
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


# ---- rice


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


def _rice(canvas: Canvas) -> Color:
    rng = canvas.rng
    return canvas.tint(hsv(rng.uniform(0.09, 0.15), rng.choice([0.03, 0.1, 0.3]), 0.97), 6)


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
    canvas.dots(spot.scatter(rng, rng.integers(12, 28), 0.75), rng.uniform(1.5, 2.2),
                bits[first:] + bits[:first], spot.base + 5)  # fmt: skip


def curry_rice(canvas: Canvas, spot: Spot) -> None:
    """Paint rice on one half and a sauce with pieces on the other."""
    rng = canvas.rng
    angle = rng.uniform(0, 6.3)
    sauce = hsv(rng.choice([0.06, 0.1, 0.02, 0.28]), rng.uniform(0.6, 0.9), rng.uniform(0.3, 0.75))
    pool = spot.part(angle, 0.3, 0.68)
    canvas.dome(canvas.blob(pool.at, pool.radius, pool.radius, None, 0.06), sauce, 2.5, spot.base,
                Material.LIQUID)  # fmt: skip
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
        t = circle(26)[0]
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
        canvas.dome(canvas.blob(at, size * 0.34, size * 0.3, None, 0.12), canvas.tint(heart), 1, up,
                    Material.FLESH)  # fmt: skip


# ---- soup


def _broth(canvas: Canvas, spot: Spot) -> tuple[Color, float]:
    rng = canvas.rng
    tones = [(0.02, 0.8, 0.75), (0.08, 0.8, 0.9), (0.11, 0.55, 0.75), (0.13, 0.25, 0.93),
             (0.28, 0.5, 0.6), (0.06, 0.7, 0.4), (0.95, 0.7, 0.5)]  # fmt: skip
    color = canvas.tint(hsv(*tones[rng.integers(len(tones))]), 16)
    level = spot.base + 1
    shape = spot.at + circle(40)[0] * spot.radius * 1.04
    canvas.flat(shape, mix(color, DARK, 0.2), level - 0.5, Material.LIQUID)
    canvas.flat(spot.at + (shape - spot.at) * 0.93, color, level, Material.LIQUID)
    return color, level


def cream_soup(canvas: Canvas, spot: Spot) -> None:
    """Paint a thick soup with a swirl of cream, herbs or croutons."""
    rng = canvas.rng
    color, level = _broth(canvas, spot)
    t = np.linspace(0, rng.uniform(4, 13), 26)
    swirl = np.stack([np.cos(t), np.sin(t)], 1) * (0.1 + 0.6 * t / t[-1])[:, None] * spot.radius
    if rng.random() < 0.6:
        canvas.mark(spot.at + swirl, 2, mix(color, PALE, 0.8), level, 0.3)
    canvas.dots(spot.scatter(rng, rng.choice([0, 8, 16]), 0.6), 1.1, [hsv(0.3, 0.7, 0.45)], level)
    for at in spot.scatter(rng, rng.choice([0, 0, 5]), 0.4):
        cube = at + turned(np.array([[-3, -3], [3, -3], [3, 3], [-3, 3]]), rng.uniform(0, 3))
        canvas.block(cube, [((190, 130, 60), Material.CRUST)], 3, level,
                     ((215, 160, 85), Material.CRUMB))  # fmt: skip


def clear_soup(canvas: Canvas, spot: Spot) -> None:
    """Paint a broth with rings of oil and sunken pieces of all kinds."""
    rng = canvas.rng
    color, level = _broth(canvas, spot)
    for at in spot.scatter(rng, rng.integers(3, 11), 0.75):
        size = spot.radius * rng.uniform(0.1, 0.22)
        piece = hsv(rng.choice([0.06, 0.12, 0.3, 0.02, 0.15]), rng.uniform(0.1, 0.8), 0.8)
        sunk = mix(piece, color, rng.uniform(0.1, 0.6))
        canvas.dome(
            canvas.blob(at, size, size * 0.75, None, 0.12), sunk, 1.2, level, Material.FLESH
        )
    for at in spot.scatter(rng, rng.integers(6, 18), 0.85):
        size = rng.uniform(1.5, 4)
        canvas.flat(
            canvas.blob(at, size, size, 0, 0), mix(color, PALE, 0.35), level, Material.LIQUID
        )
        canvas.flat(canvas.blob(at, size * 0.7, size * 0.7, 0, 0), color, level, Material.LIQUID)
    canvas.dots(spot.scatter(rng, rng.choice([0, 9]), 0.6), 1.6, [hsv(0.3, 0.6, 0.6)], level)


def noodle_soup(canvas: Canvas, spot: Spot) -> None:
    """Paint a soup with tofu, dumplings, egg or a few noodles in it."""
    rng = canvas.rng
    color, level = _broth(canvas, spot)
    inner = Spot(x=spot.x, y=spot.y, radius=spot.radius * 0.8, base=level)
    kind = rng.integers(3)
    if kind == 0:
        _tangle(canvas, inner, 7, 2, mix(PALE, color, 0.4))
    for at in inner.scatter(rng, rng.integers(3, 8) if kind else 0, 0.75):
        size = spot.radius * rng.uniform(0.14, 0.2)
        if kind == 1:
            cube = at + turned(np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size, 0.4)
            canvas.block(cube, [(PALE, Material.CREAM)], 3, level, (PALE, Material.CREAM))
        else:
            canvas.dome(canvas.blob(at, size * 1.4, size, None, 0.08), mix(PALE, color, 0.3), 4,
                        level, Material.GLAZE)  # fmt: skip
    leaves = [hsv(0.3, 0.7, rng.uniform(0.35, 0.65)), hsv(0.28, 0.5, 0.75)]
    canvas.dots(inner.scatter(rng, rng.integers(0, 14), 0.8), 1.7, leaves, level + 1)


NOODLES = (spaghetti, ribbons, ramen, penne)
RICE = (plain_rice, fried_rice, curry_rice, onigiri, maki)
SOUP = (cream_soup, clear_soup, noodle_soup)
