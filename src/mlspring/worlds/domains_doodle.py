"""One pen doodle of an object: a hasty, shaky line drawing, white on black."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mlspring.worlds.objects import OUTLINES
from mlspring.worlds.outlines import Part
from mlspring.worlds.shapes import Points, turned

SIDE = 28  # pixels of a finished doodle, as in Quick, Draw!
SCALE = 4  # drawn so many times larger, which smooths the lines
STEP = 0.09  # distance of the points of a line, before it is scaled


def doodle(rng: np.random.Generator, label: int) -> NDArray[np.uint8]:
    """Return a drawing (28, 28) of class ``label``; ``rng`` decides the rest."""
    lines = [stroke(rng, part) for part in chosen(rng, OUTLINES[label](rng, True))]
    canvas = Image.new("L", (SIDE * SCALE, SIDE * SCALE))
    pen = ImageDraw.Draw(canvas)
    width = int(rng.integers(3, 7))
    for line in fitted(rng, lines):
        pen.line(
            line.ravel().tolist(), fill=int(rng.integers(190, 256)), width=width, joint="curve"
        )
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX))


def chosen(rng: np.random.Generator, parts: list[Part]) -> list[Part]:
    """Return the parts that a drawer takes the time for; the largest is always there."""
    haste = rng.uniform(0.05, 0.6)
    largest = max(parts, key=lambda part: float(np.ptp(part.points, axis=0).prod()))
    return [
        part for part in parts
        if part is largest or rng.random() >= (haste if part.detail else 0.03)
    ]  # fmt: skip


def stroke(rng: np.random.Generator, part: Part) -> Points:
    """Return the line (n, 2) that a hand makes of an outline: shaky, shifted, not quite closed."""
    points = np.concatenate([part.points, part.points[:1]]) if part.closed else part.points
    points = dense(points)
    num = len(points)
    size = np.ptp(points, axis=0).max()
    shaky = 0.1 * min(1.0, 0.4 + size) * rng.uniform(0.3, 1.2)
    t = np.linspace(0, 1, num)
    for waves in (1.0, 2.3, 4.1):
        phase = rng.uniform(0, 2 * math.pi, 2)
        angle = 2 * math.pi * waves * t[:, None] + phase
        points = points + shaky / (1 + waves) * np.sin(angle)
    middle = points.mean(0)
    grown = rng.normal(1, 0.07)
    points = middle + (points - middle) * grown + rng.normal(0, 0.035, 2)
    if part.closed:  # a pen starts anywhere and stops early or late
        start = int(rng.integers(num))
        points = np.concatenate([points[start:], points[1 : start + 1]])
        gap = rng.normal(0, 0.06)
        if gap > 0:
            points = points[: max(2, round(num * (1 - gap)))]
    return points


def dense(points: Points) -> Points:
    """Return the corners of a line with points in between, ``STEP`` apart or closer."""
    legs = np.diff(points, axis=0)
    lengths = np.hypot(legs[:, 0], legs[:, 1])
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    num = max(2, math.ceil(along[-1] / STEP) + 1)
    t = np.linspace(0, along[-1], num)
    return np.stack([np.interp(t, along, points[:, 0]), np.interp(t, along, points[:, 1])], 1)


def fitted(rng: np.random.Generator, lines: list[Points]) -> list[Points]:
    """Return the lines in pixels of the canvas: mirrored, slanted, filling the frame as a whole."""
    angle, slant = rng.normal(0, 0.12), rng.normal(0, 0.1)
    mirror = rng.choice([-1.0, 1.0])
    shear = np.array([[mirror, 0.0], [slant, 1.0]])
    moved = [turned(line @ shear, angle) for line in lines]
    everything = np.concatenate(moved)
    low, high = everything.min(0), everything.max(0)
    side = SIDE * SCALE
    margin = side * rng.uniform(0.04, 0.14)
    grow = (side - 2 * margin) / max((high - low).max(), 1e-6)
    stretch = np.clip(rng.normal(1, 0.12, 2), 0.75, 1.25)
    stretch /= stretch.max()
    return [(line - (low + high) / 2) * grow * stretch + side / 2 for line in moved]
