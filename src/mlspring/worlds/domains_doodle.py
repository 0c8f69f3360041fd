"""One drawing of an object by a hasty hand: white on black, in pens and manners of all kinds.

A hand keeps its manner through a drawing: how thick its pen is, whether it draws a line in one go,
in dashes, or twice, whether it hatches faces, and how it sees proportions.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mlspring.worlds.objects import OUTLINES
from mlspring.worlds.outlines import Part
from mlspring.worlds.shapes import Points, turned

SIDE = 28  # pixels of a finished doodle, as in Quick, Draw!
SCALE = 4  # drawn so many times larger, which smooths the lines
STEP = 0.09  # distance of the points of a line, before it is scaled
PEN = (3.5, 8.0)  # width of a line, in pixels of the larger drawing
WHOLE, DASHED, DOUBLED, HATCHED = range(4)
MANNERS = (0.5, 0.08, 0.27, 0.15)  # how often a hand draws so
PAPER = (1.0, 50, 110)  # probability of printed lines, their smallest and largest brightness
PITCH = (12.0, 22.0)  # their distance, in pixels of the larger drawing
BEND = 0.05  # how far proportions are bent, of half the picture


@dataclass(frozen=True, kw_only=True)
class Hand:
    """The manner of a drawing.

    Args:
        pen: width of a line in pixels of the larger drawing.
        dash: length of a dash and of the gap behind it, in points of a line; none: lines are whole.
        doubled: whether lines are drawn twice.
        hatch: distance of the hatching's lines in pixels of the larger drawing; none: no hatching.
    """

    pen: float
    dash: tuple[int, int] | None
    doubled: bool
    hatch: float | None


def doodle(rng: np.random.Generator, label: int) -> NDArray[np.uint8]:
    """Return a drawing (28, 28) of class ``label``; ``rng`` decides the rest."""
    hand = new_hand(rng)
    parts = chosen(rng, OUTLINES[label](rng, True))
    lines = [stroke(rng, part) for part in parts]
    closed = [part.closed for part in parts]
    if hand.doubled:
        lines += [stroke(rng, part) for part in parts]
    lines = bent(rng, lines)
    canvas = paper(rng)
    ink = ImageDraw.Draw(canvas)
    placed = fitted(rng, lines)
    if hand.hatch is not None:
        faces = [line for line, face in zip(placed, closed, strict=False) if face]
        hatch(rng, canvas, faces, hand.hatch, round(hand.pen * 0.6))
    for line in placed:
        color, width = int(rng.integers(190, 256)), round(hand.pen * rng.uniform(0.8, 1.2))
        for piece in dashes(rng, line, hand.dash):
            ink.line(piece.ravel().tolist(), fill=color, width=max(2, width), joint="curve")
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX))


def paper(rng: np.random.Generator) -> Image.Image:
    """Return a sheet of a notebook, as large as the drawing: ruled, squared, dotted or plain."""
    side = SIDE * SCALE
    sheet = Image.new("L", (side, side))
    probability, least, most = PAPER
    if rng.random() >= probability:
        return sheet
    y, x = np.mgrid[:side, :side].astype(np.float32)
    angle, pitch = rng.normal(0, 0.08), rng.uniform(*PITCH)
    across = (x * math.cos(angle) + y * math.sin(angle) + rng.uniform(0, pitch)) % pitch < 4
    down = (y * math.cos(angle) - x * math.sin(angle) + rng.uniform(0, pitch)) % pitch < 4
    printed = (down, across | down, across & down)[rng.integers(3)]
    return Image.fromarray((printed * rng.uniform(least, most)).astype(np.uint8))


def new_hand(rng: np.random.Generator) -> Hand:
    """Return how someone draws."""
    manner = rng.choice(4, p=MANNERS)
    pen = float(np.exp(rng.uniform(*np.log(PEN))))
    return Hand(
        pen=pen if manner in (WHOLE, HATCHED) else min(pen, 6.0),
        dash=(int(rng.integers(6, 11)), int(rng.integers(1, 3))) if manner == DASHED else None,
        doubled=manner == DOUBLED,
        hatch=rng.uniform(7, 11) if manner == HATCHED else None,
    )


def chosen(rng: np.random.Generator, parts: list[Part]) -> list[Part]:
    """Return the parts that a drawer takes the time for; the largest is always there."""
    haste = rng.uniform(0.05, 0.6)
    largest = max(parts, key=lambda part: float(np.ptp(part.points, axis=0).prod()))
    return [
        part for part in parts
        if part is largest or rng.random() >= (haste if part.detail else 0.05)
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


def dashes(rng: np.random.Generator, line: Points, dash: tuple[int, int] | None) -> list[Points]:
    """Return the pieces of a line that are drawn: all of it, or dashes with gaps between."""
    if dash is None:
        return [line]
    length, gap = dash
    start = -int(rng.integers(length))
    starts = range(start, len(line) - 1, length + gap)
    pieces = [line[max(0, i) : i + length] for i in starts]
    return [piece for piece in pieces if len(piece) > 1]


def hatch(
    rng: np.random.Generator, canvas: Image.Image, faces: list[Points], distance: float, width: int
) -> None:
    """Draw parallel lines across the faces of an object, all in one direction."""
    side = SIDE * SCALE
    mask = Image.new("L", (side, side))
    inside = ImageDraw.Draw(mask)
    for face in faces:
        if len(face) > 2:
            inside.polygon(face.ravel().tolist(), fill=255)
    lines = Image.new("L", (side, side))
    ink = ImageDraw.Draw(lines)
    angle, color = rng.uniform(0, math.pi), int(rng.integers(150, 256))
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]])
    for offset in np.arange(-side, side, distance):
        middle = across * offset + side / 2
        ends = np.stack([middle - along * side, middle + along * side])
        ink.line(ends.ravel().tolist(), fill=color, width=max(2, width))
    canvas.paste(lines, mask=mask)


def bent(rng: np.random.Generator, lines: list[Points]) -> list[Points]:
    """Return the lines with other proportions: some of the picture grown, some of it shrunk."""
    phase, amount = rng.uniform(0, 2 * math.pi, 2), rng.normal(0, BEND, 2)
    return [line + amount * np.sin(2.2 * line + phase) for line in lines]


def fitted(rng: np.random.Generator, lines: list[Points]) -> list[Points]:
    """Return the lines in pixels of the canvas: mirrored, slanted, filling the frame as a whole."""
    angle, slant = rng.normal(0, 0.12), rng.normal(0, 0.1)
    mirror = rng.choice([-1.0, 1.0])
    shear = np.array([[mirror, 0.0], [slant, 1.0]])
    moved = [turned(line @ shear, angle) for line in lines]
    everything = np.concatenate(moved)
    low, high = everything.min(0), everything.max(0)
    side = SIDE * SCALE
    margin = side * rng.uniform(0.06, 0.14)
    grow = (side - 2 * margin) / max((high - low).max(), 1e-6)
    stretch = np.clip(rng.normal(1, 0.12, 2), 0.75, 1.25)
    stretch /= stretch.max()
    return [(line - (low + high) / 2) * grow * stretch + side / 2 for line in moved]
