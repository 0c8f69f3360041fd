"""What surrounds the food: table tops below it, cups, cutlery and hands at a picture's edge."""

import math

import numpy as np
from PIL import Image

from mlspring.worlds.food_plates import china
from mlspring.worlds.paint import NOISE_SIZE, SIZE, Canvas, Floats, Material, noise
from mlspring.worlds.shapes import Points, circle, hsv, mix, turned

# ---- table tops


def lay_table(canvas: Canvas) -> None:
    """Cover the whole canvas with wood, cloth, stone, tiles or a plain top."""
    rng = canvas.rng
    x, y = canvas.table_grid()
    angle = rng.uniform(0, math.pi)
    u = x * math.cos(angle) + y * math.sin(angle)
    v = y * math.cos(angle) - x * math.sin(angle)
    top = TOPS[rng.integers(len(TOPS))]
    pixels = np.empty((SIZE, SIZE, 4), np.uint8)
    pixels[..., :3] = np.clip(top(canvas, u, v), 0, 255)
    pixels[..., 3] = Material.CLOTH if top is _cloth else Material.TABLE
    canvas.color.paste(Image.fromarray(pixels))


def _wood(canvas: Canvas, u: Floats, v: Floats) -> Floats:
    rng = canvas.rng
    dark = hsv(rng.uniform(0.04, 0.1), rng.uniform(0.25, 0.7), rng.uniform(0.25, 0.8))
    width = rng.uniform(16, 60)
    plank = np.floor(v / width)
    row = np.floor(v * 2.2 + plank * 71).astype(np.intp) % NOISE_SIZE
    column = np.floor(u * 0.22 + plank * 133).astype(np.intp) % NOISE_SIZE
    grain = noise(2.2)[row, column]
    shade = 1 + rng.uniform(0.05, 0.16) * grain + 0.09 * np.sin(plank * 12.9)
    shade -= 0.45 * (np.mod(v, width) < 1.3)
    return np.asarray(shade[..., None] * np.array(dark, np.float32))


def _cloth(canvas: Canvas, u: Floats, v: Floats) -> Floats:
    rng = canvas.rng
    one = np.array(hsv(rng.random(), rng.uniform(0, 0.8), rng.uniform(0.3, 0.95)), np.float32)
    two = np.array(hsv(rng.random(), rng.uniform(0, 0.4), rng.uniform(0.6, 1)), np.float32)
    period = rng.uniform(7, 26)
    across = (np.mod(u, period) < period * rng.uniform(0.2, 0.6)).astype(np.float32)
    along = (np.mod(v, period) < period / 2).astype(np.float32)
    patterns = np.stack([across * 0, across, (across + along) / 2, across * along])
    pattern = patterns[rng.integers(len(patterns))]
    return np.asarray(two + pattern[..., None] * (one - two))


def _stone(canvas: Canvas, u: Floats, v: Floats) -> Floats:
    rng = canvas.rng
    tone = hsv(rng.uniform(0, 1), rng.uniform(0, 0.18), rng.uniform(0.15, 0.95))
    cloud = canvas.noise(8.0) * rng.uniform(2, 14) + canvas.noise(0.8) * rng.uniform(2, 16)
    vein = np.abs(np.sin(u * rng.uniform(0.02, 0.06) + canvas.noise(8.0) * rng.uniform(0.6, 2)))
    cloud += rng.choice([-60, 40, 0]) * np.clip(1 - vein * 7, 0, 1)
    return np.asarray(np.array(tone, np.float32) + cloud[..., None])


def _tiles(canvas: Canvas, u: Floats, v: Floats) -> Floats:
    rng = canvas.rng
    tone = np.array(hsv(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.3, 0.9)), np.float32)
    period = rng.uniform(5, 45)
    grout = (np.mod(u, period) < 1.6) | (np.mod(v, period * rng.choice([1, 9])) < 1.6)
    number = np.floor(u / period) * 7.3 + np.floor(v / period) * 3.1
    level = 1 + 0.09 * np.sin(number * 5.7) - 0.35 * grout
    return np.asarray(level[..., None] * tone)


def _plain(canvas: Canvas, u: Floats, v: Floats) -> Floats:
    rng = canvas.rng
    one = np.array(hsv(rng.random(), rng.uniform(0, 0.75), rng.uniform(0.1, 0.95)), np.float32)
    two = one * rng.uniform(0.6, 1.3)
    far = 1 / (1 + np.exp(-np.clip((v - rng.uniform(-50, 50)) * rng.uniform(0.02, 0.5), -9, 9)))
    return np.asarray(one + far[..., None] * (two - one))


TOPS = (_wood, _wood, _cloth, _stone, _tiles, _plain)


# ---- things at the edge


def clutter(canvas: Canvas) -> None:
    """Paint a cup, napkin, cutlery, hand or sauce at the edge; it may hide part of the food."""
    rng = canvas.rng
    angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(46, 66)
    seen = np.array([SIZE / 2 + math.cos(angle) * reach, SIZE / 2 + math.sin(angle) * reach])
    at = (seen - canvas.middle) @ np.linalg.inv(canvas.view)
    things = (_cup, _napkin, _cutlery, _cutlery, _hand, _sauce)
    things[rng.integers(len(things))](canvas, at)


def _cup(canvas: Canvas, at: Points) -> None:
    rng = canvas.rng
    color, tall, radius = china(canvas), rng.uniform(12, 26), rng.uniform(11, 22)
    ring = circle(26) * radius
    layers = [(color, Material.CHINA)]
    canvas.block(at + ring, layers, tall, 0, (color, Material.CHINA))
    drink = hsv(
        rng.choice([0.06, 0.1, 0.25, 0.0, 0.55]), rng.uniform(0.1, 0.9), rng.uniform(0.15, 1)
    )
    canvas.flat(at + ring * 0.86, drink, tall - 2, Material.LIQUID)


def _napkin(canvas: Canvas, at: Points) -> None:
    rng = canvas.rng
    color, size = china(canvas), rng.uniform(20, 42)
    corners = np.array([[-1, -1], [1, -0.95], [0.96, 1], [-1.03, 0.94]]) * size
    sheet = turned(corners, rng.uniform(0, 6.3))
    canvas.flat(at + sheet, color, 1.2, Material.CLOTH)
    if rng.random() < 0.6:
        stripe = sheet * 0.8
        canvas.flat(at + stripe, china(canvas), 1.3, Material.CLOTH)
        canvas.flat(at + stripe * 0.88, color, 1.3, Material.CLOTH)
    canvas.mark(at + sheet[[0, 2]], 1, mix(color, (0, 0, 0), 0.2), 1.6, 0.8)


def _cutlery(canvas: Canvas, at: Points) -> None:
    rng = canvas.rng
    angle = math.atan2(*(-at[::-1])) + rng.normal(0, 0.7)
    ahead, aside = turned(np.array([[1.0, 0.0], [0.0, 1.0]]), angle)
    color = hsv(rng.uniform(0.05, 0.65), rng.uniform(0, 0.2), rng.uniform(0.55, 0.85))
    start, end = at - ahead * 40, at + ahead * rng.uniform(4, 26)
    kind = rng.integers(3)
    if kind == 0:  # chopsticks
        wood = hsv(rng.uniform(0, 0.1), rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.7))
        for side in (-3.0, 3.0):
            stick = np.stack([start + aside * side, end + ahead * 14 + aside * side * 0.4])
            canvas.strand(stick, 3, wood, 9, Material.PEEL)
        return
    canvas.strand(np.stack([start, end]), 3, color, 6, Material.METAL)
    if kind == 1:  # spoon
        canvas.dome(canvas.blob(end + ahead * 6, 8, 5.5, angle, 0), color, -2, 7, Material.METAL)
        return
    canvas.flat(
        end + turned(np.array([[0, -4], [5, -4], [5, 4], [0, 4]]), angle), color, 7, Material.METAL
    )
    for side in (-3.5, -1.2, 1.2, 3.5):
        tine = np.stack([end + ahead * 4 + aside * side, end + ahead * 13 + aside * side])
        canvas.strand(tine, 1, color, 7, Material.METAL)


def _hand(canvas: Canvas, at: Points) -> None:
    rng = canvas.rng
    skin = hsv(rng.uniform(0.03, 0.08), rng.uniform(0.25, 0.6), rng.uniform(0.3, 0.95))
    angle = math.atan2(*(-at[::-1])) + rng.normal(0, 0.3)
    ahead, aside = turned(np.array([[1.0, 0.0], [0.0, 1.0]]), angle)
    palm = at - ahead * rng.uniform(8, 22)
    canvas.dome(canvas.blob(palm - ahead * 8, 22, 13, angle, 0.05), skin, 7, 9, Material.SKIN)
    for side in (-9.0, -3.0, 3.0, 9.0):
        tip = palm + ahead * (19 - abs(side) * 0.5) + aside * side * 1.1
        canvas.strand(np.stack([palm + aside * side, tip]), 5, skin, 13, Material.SKIN)
        canvas.dome(canvas.blob(tip, 2.8, 2.8, 0, 0), skin, 2.5, 13, Material.SKIN)


def _sauce(canvas: Canvas, at: Points) -> None:
    rng = canvas.rng
    ring = circle(26) * rng.uniform(9, 15)
    color = china(canvas)
    canvas.block(at + ring, [(color, Material.CHINA)], 5, 0, (color, Material.CHINA))
    sauce = hsv(rng.choice([0.0, 0.03, 0.12, 0.3]), rng.uniform(0.2, 0.95), rng.uniform(0.2, 0.9))
    canvas.flat(at + ring * 0.82, sauce, 3.5, Material.LIQUID)
