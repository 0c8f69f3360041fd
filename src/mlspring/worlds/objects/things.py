"""Things: bed, clock, apple, plane and television."""

import math

import numpy as np

from mlspring.worlds.outlines import BODY, DARK, SECOND, Part, arc, box, ellipse, path


def bed(rng: np.random.Generator, drawn: bool) -> list[Part]:
    """Return a bed from its side or from a corner."""
    head, foot = rng.uniform(0.45, 0.75), rng.uniform(0.1, 0.4)
    if rng.random() < 0.4:  # from a corner
        lean, deep = rng.uniform(0.25, 0.5), rng.uniform(0.3, 0.5)
        top = path((-0.9, 0.0), (-0.9 + lean, -deep), (0.9, -deep), (0.9 - lean, 0.0))
        front = box(-0.9, 0.0, 0.9 - lean, rng.uniform(0.2, 0.35))
        side = path((0.9 - lean, 0.0), (0.9, -deep), (0.9, 0.25 - deep), (0.9 - lean, 0.28))
        board = path((-0.9, 0.0), (-0.9, -head), (-0.9 + lean, -deep - head), (-0.9 + lean, -deep))
        x = -0.9 + lean
        pillow = path((x - 0.1, -0.12), (x + 0.02, 0.04 - deep), (x + 0.28, 0.04 - deep),
                       (x + 0.16, -0.12))  # fmt: skip
        return [
            Part(points=board, tone=SECOND),
            Part(points=side),
            Part(points=front),
            Part(points=top),
            Part(points=pillow, tone=DARK, detail=True),
        ]
    thick, low = rng.uniform(0.2, 0.32), rng.uniform(0.4, 0.55)
    parts = [Part(points=box(-0.85, low - thick, 0.9, low))]
    parts.append(Part(points=box(-0.98, low - thick - head, -0.85, 0.8), tone=SECOND))
    parts.append(Part(points=box(0.87, low - thick - foot, 0.98, 0.8), tone=SECOND))
    pillow = ellipse(-0.6, low - thick - 0.1, 0.22, 0.12)
    parts.append(Part(points=pillow, tone=DARK, detail=rng.random() < 0.5))
    fold = rng.uniform(-0.35, 0.0)
    cover = path((fold, low - thick), (fold, low))
    parts.append(Part(points=cover, closed=False, tone=SECOND, detail=True))
    return parts


def clock(rng: np.random.Generator, drawn: bool) -> list[Part]:
    """Return a round or square clock, perhaps one that rings."""
    parts = []
    square = rng.random() < 0.2
    rim = box(-0.85, -0.85, 0.85, 0.85) if square else ellipse(0, 0, 0.85, 0.85)
    if rng.random() < 0.5:  # an alarm clock
        for side in (-1, 1):
            parts.append(Part(points=ellipse(side * 0.5, -0.85, 0.26, 0.2), tone=SECOND))
            foot = path((side * 0.5, 0.7), (side * 0.7, 1.05))
            parts.append(Part(points=foot, closed=False, tone=SECOND))
    parts.append(Part(points=rim, tone=SECOND))
    if not drawn or rng.random() < 0.3:
        parts.append(Part(points=rim * 0.82, tone=BODY))
    marks = 12 if rng.random() < 0.5 else 4
    for t in np.linspace(0, 2 * math.pi, marks, endpoint=False).tolist():
        mark = np.outer((0.6, 0.74), (math.cos(t), math.sin(t)))
        parts.append(Part(points=mark, closed=False, tone=DARK, detail=True))
    for length in (0.6, 0.4):
        t = rng.uniform(0, 2 * math.pi)
        hand = path((0, 0), (length * math.cos(t), length * math.sin(t)))
        parts.append(Part(points=hand, closed=False, tone=DARK))
    return parts


def apple(rng: np.random.Generator, drawn: bool) -> list[Part]:
    """Return an apple with its stem."""
    t = np.linspace(0, 2 * math.pi, 28, endpoint=False)
    dent, waist = rng.uniform(0.25, 0.4), rng.uniform(-0.06, 0.16)
    radius = 0.75 * (1 - dent * np.exp(-((t - math.pi / 2) ** 2) / 0.15))
    radius *= 1 - 0.5 * dent * np.exp(-((t - 1.5 * math.pi) ** 2) / 0.1)
    body = np.stack([radius * np.cos(t) * (1 + waist * np.sin(t)), -radius * np.sin(t)], 1)
    lean = rng.normal(0, 0.12)
    top = -0.75 * (1 - dent)
    stem = path((0, top + 0.05), (lean * 0.4, top - 0.15), (lean, top - 0.35))
    parts = [Part(points=body + np.array([0, 0.12])), Part(points=stem, closed=False, tone=DARK)]
    if rng.random() < 0.7:
        side = rng.choice([-1, 1])
        leaf = ellipse(side * 0.24, top - 0.15, 0.22, 0.1, side * -0.5, num=12)
        parts.append(Part(points=leaf, tone=SECOND, detail=True))
    if drawn and rng.random() < 0.15:  # bitten
        parts.append(Part(points=arc(0.8, 0.0, 0.3, 0.3, 1.9, 4.4), closed=False))
    return parts


def plane(rng: np.random.Generator, drawn: bool) -> list[Part]:
    """Return a plane from above or from its side."""
    slim = rng.uniform(0.1, 0.17)
    if rng.random() < 0.6:  # from above, nose to the left
        sweep, span = rng.uniform(0.15, 0.45), rng.uniform(0.65, 0.95)
        parts = []
        for side in (-1, 1):
            wing = path((-0.25, side * slim * 0.8), (sweep - 0.1, side * span),
                         (sweep + 0.1, side * span), (0.2, side * slim * 0.8))  # fmt: skip
            tail = path((0.65, side * slim * 0.6), (0.85, side * 0.38), (0.98, side * 0.38),
                         (0.9, side * slim * 0.4))  # fmt: skip
            parts += [Part(points=wing, tone=SECOND), Part(points=tail, tone=SECOND)]
        return [*parts, Part(points=ellipse(0, 0, 0.97, slim))]
    body = Part(points=ellipse(0, 0, 0.95, slim * 1.15))
    fin = path((0.62, -0.08), (0.82, -rng.uniform(0.4, 0.6)), (0.97, -0.45), (0.9, -0.04))
    drop = rng.uniform(0.35, 0.6)
    wing = path((-0.2, 0.04), (rng.uniform(0.25, 0.5), drop), (0.5, drop), (0.22, 0.04))
    back = path((-0.05, -slim), (0.25, -0.42), (0.38, -0.42), (0.2, -slim))
    parts = [Part(points=back, tone=SECOND, detail=True), Part(points=fin, tone=SECOND), body]
    parts.append(Part(points=wing, tone=SECOND))
    for x in np.linspace(-0.6, 0.5, 5).tolist():
        window = ellipse(x, -0.04, 0.04, 0.04, num=6)
        parts.append(Part(points=window, tone=DARK, detail=True))
    return parts


def television(rng: np.random.Generator, drawn: bool) -> list[Part]:
    """Return a television with antennas, legs or knobs."""
    wide, tall = rng.uniform(0.75, 0.95), rng.uniform(0.5, 0.72)
    parts = []
    if rng.random() < (0.65 if drawn else 0.5):
        for side in (-1, 1):
            rod = path((side * 0.06, -tall), (side * rng.uniform(0.25, 0.5), -tall - 0.4))
            parts.append(Part(points=rod, closed=False, tone=DARK))
    if rng.random() < 0.5:
        for side in (-1, 1):
            leg = path((side * wide * 0.6, tall), (side * wide * 0.75, tall + 0.25))
            parts.append(Part(points=leg, closed=False, tone=SECOND))
    else:
        parts.append(Part(points=box(-0.3, tall, 0.3, tall + 0.15), tone=SECOND, detail=True))
    parts.append(Part(points=box(-wide, -tall, wide, tall)))
    margin = rng.uniform(0.08, 0.15)
    knobs = rng.random() < (0.5 if drawn else 0.3)
    right = wide - (0.35 if knobs else margin)
    parts.append(Part(points=box(margin - wide, margin - tall, right, tall - margin), tone=DARK))
    if knobs:
        for y in (-0.25, 0.05):
            knob = ellipse(wide - 0.18, y, 0.08, 0.08, num=8)
            parts.append(Part(points=knob, tone=SECOND, detail=True))
    return parts
