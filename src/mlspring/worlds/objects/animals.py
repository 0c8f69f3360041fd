"""Animals: horse and dog share one build; cat, dolphin and spider are their own."""

import math
from dataclasses import dataclass

import numpy as np

from mlspring.worlds.outlines import BODY, DARK, SECOND, Part, arc, ellipse, limb, path
from mlspring.worlds.shapes import Points


@dataclass(frozen=True, kw_only=True)
class Build:
    """Proportions of an animal seen from its left side, as ranges to draw from."""

    long: tuple[float, float]
    deep: tuple[float, float]
    legs: tuple[float, float]
    neck: tuple[float, float]
    rise: tuple[float, float]
    head: tuple[float, float]
    snout: tuple[float, float]


HORSE = Build(
    long=(0.46, 0.58), deep=(0.2, 0.27), legs=(0.6, 0.8), neck=(0.48, 0.64),
    rise=(0.8, 1.15), head=(0.13, 0.17), snout=(0.2, 0.28),
)  # fmt: skip
DOG = Build(
    long=(0.48, 0.6), deep=(0.2, 0.28), legs=(0.28, 0.42), neck=(0.16, 0.28),
    rise=(0.7, 1.2), head=(0.17, 0.23), snout=(0.12, 0.2),
)  # fmt: skip


def _standing(rng: np.random.Generator, build: Build) -> tuple[list[Part], Points]:
    """Return body, legs, neck, head and snout, and where the head's middle is: (2,)."""
    long, deep, leg = rng.uniform(*build.long), rng.uniform(*build.deep), rng.uniform(*build.legs)
    rise, neck, head = rng.uniform(*build.rise), rng.uniform(*build.neck), rng.uniform(*build.head)
    parts = []
    thick = rng.uniform(0.05, 0.08)
    stride = rng.normal(0, 0.1, 4)
    for x, step in zip((-0.78, -0.5, 0.5, 0.78), stride.tolist(), strict=True):
        foot = (x * long + step, deep * 0.6 + leg)
        parts.append(Part(points=limb((x * long, deep * 0.4), foot, thick, thick * 0.7)))
    parts.append(Part(points=ellipse(0, 0, long, deep, rng.normal(0, 0.06))))
    shoulder = (-0.72 * long, -0.3 * deep)
    at = np.array(shoulder) + neck * np.array([-math.cos(rise), -math.sin(rise)])
    throat = rng.uniform(0.1, 0.14)
    parts.append(Part(points=limb(shoulder, (at[0], at[1]), throat, throat * 0.75)))
    droop = rng.uniform(0.3, 0.8) if build is HORSE else rng.uniform(0.0, 0.3)
    length = head + rng.uniform(*build.snout)
    middle = at + np.array([-math.cos(droop), math.sin(droop)]) * (length - head)
    if length - head > 0.06:
        parts.append(
            Part(points=limb((at[0], at[1]), (middle[0], middle[1]), head * 0.8, head * 0.5))
        )
    parts.append(Part(points=ellipse(at[0], at[1], head, head * rng.uniform(0.8, 1.0))))
    eye = ellipse(at[0] - head * 0.2, at[1] - head * 0.2, 0.03, 0.03, num=6)
    parts.append(Part(points=eye, tone=DARK, detail=True))
    return parts, at


def horse(rng: np.random.Generator, drawn: bool) -> list[Part]:
    """Return a horse from its side, with mane and tail."""
    parts, at = _standing(rng, HORSE)
    long = parts[4].points[:, 0].max()
    x, y = at.tolist()
    parts.append(Part(points=path((x, y - 0.1), (x + 0.05, y - 0.28), (x + 0.12, y - 0.08))))
    tail = rng.uniform(0.3, 0.55)
    swing = rng.uniform(0.05, 0.25)
    points = path((long, -0.08), (long + swing, 0.08), (long + swing * 0.8, tail))
    parts.append(Part(points=points, closed=False, tone=SECOND))
    for share in np.linspace(0.1, 0.9, 4 if drawn else 6).tolist():
        root = (x + share * (-0.33 - x) + 0.08, y + share * (-0.1 - y) - 0.03)
        end = (root[0] + 0.12, root[1] + rng.uniform(-0.02, 0.1))
        parts.append(Part(points=path(root, end), closed=False, tone=SECOND, detail=True))
    return parts


def dog(rng: np.random.Generator, _drawn: bool) -> list[Part]:
    """Return a dog from its side, or its face."""
    if rng.random() < 0.3:
        return _face(rng, pointed=False)
    parts, at = _standing(rng, DOG)
    long = parts[4].points[:, 0].max()
    x, y = at.tolist()
    hang = rng.uniform(0.26, 0.42)
    ear = path((x - 0.02, y - 0.16), (x + 0.2, y - 0.1), (x + 0.14, y + hang - 0.1))
    parts.append(Part(points=ear, tone=SECOND))
    up = rng.uniform(0.2, 0.5)
    points = path((long - 0.02, -0.08), (long + 0.16, -0.16), (long + rng.uniform(0.05, 0.3), -up))
    parts.append(Part(points=points, closed=False))
    return parts


def cat(rng: np.random.Generator, _drawn: bool) -> list[Part]:
    """Return a cat's face, or a cat that sits."""
    return _face(rng, pointed=True) if rng.random() < 0.55 else _sitting_cat(rng)


def _sitting_cat(rng: np.random.Generator) -> list[Part]:
    """Return a cat that sits and looks at us."""
    wide, head = rng.uniform(0.32, 0.44), rng.uniform(0.26, 0.33)
    body = Part(points=ellipse(0, 0.4, wide, rng.uniform(0.45, 0.55)))
    tail = path((wide * 0.8, 0.75), (wide + 0.3, 0.6), (wide + rng.uniform(0.2, 0.45), 0.15))
    face = [
        Part(
            points=p.points * head + np.array([0, -0.35]),
            closed=p.closed,
            tone=p.tone,
            detail=p.detail,
        )
        for p in _face(rng, pointed=True)
    ]
    paw = rng.uniform(0.08, 0.14)
    paws = [Part(points=ellipse(x, 0.88, paw, 0.08), detail=True) for x in (-0.15, 0.15)]
    return [Part(points=tail, closed=False), body, *paws, *face]


def _face(rng: np.random.Generator, *, pointed: bool) -> list[Part]:
    """Return a cat's face (pointed ears, whiskers) or a dog's (hanging ears, muzzle)."""
    wide, tall = rng.uniform(0.68, 0.85), rng.uniform(0.6, 0.75)
    parts = []
    for side in (-1, 1):
        if pointed:
            ear = path((side * wide * 0.9, -0.15), (side * wide * rng.uniform(0.75, 1.0), -1.0),
                        (side * wide * 0.2, -tall * 0.9))  # fmt: skip
        else:
            x = side * wide * 0.95
            ear = ellipse(x, rng.uniform(-0.15, 0.1), 0.2, rng.uniform(0.42, 0.6), side * -0.25)
        parts.append(Part(points=ear, tone=BODY if pointed else SECOND))
    parts.insert(0 if pointed else len(parts), Part(points=ellipse(0, 0, wide, tall)))
    for side in (-1, 1):
        eye = ellipse(side * rng.uniform(0.26, 0.34), -0.18, 0.09, 0.11, num=10)
        parts.append(Part(points=eye, tone=DARK))
    if pointed:
        parts.append(Part(points=path((-0.09, 0.1), (0.09, 0.1), (0, 0.22)), tone=DARK))
        for side in (-1, 1):
            for y in (0.12, 0.26):
                whisker = path((side * 0.25, 0.2), (side * rng.uniform(0.85, 1.1), y))
                parts.append(Part(points=whisker, closed=False, tone=DARK, detail=True))
    else:
        parts.append(Part(points=ellipse(0, 0.28, 0.36, 0.28), tone=BODY, detail=True))
        parts.append(Part(points=ellipse(0, 0.12, 0.13, 0.09, num=10), tone=DARK))
        mouth = arc(0, 0.28, 0.2, 0.16, 0.3, math.pi - 0.3)
        parts.append(Part(points=mouth, closed=False, tone=DARK, detail=True))
    return parts


def dolphin(rng: np.random.Generator, drawn: bool) -> list[Part]:
    """Return a leaping dolphin."""
    bend, deep = rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.28)
    x = np.linspace(-0.7, 0.72, 12)
    spine = bend * (x * x - 0.25)
    half = deep * np.sqrt(np.clip(1 - ((x + 0.25) / 0.98) ** 2, 0.02, 1)) + 0.02
    back, belly = np.stack([x, spine - half], 1), np.stack([x, spine + half * 0.85], 1)
    tip = bend * (0.98**2 - 0.25)
    beak = path((-0.98, tip * 0.9 + 0.08), (-0.95, tip * 0.9 + 0.15))
    body = np.concatenate([back, belly[::-1], beak[::-1]])
    y = bend * (0.72**2 - 0.25)
    up, down = rng.uniform(0.15, 0.32), rng.uniform(0.15, 0.32)
    fluke = path(
        (0.68, y - 0.04), (1.0, y - up), (0.88, y + 0.04), (1.0, y + down), (0.68, y + 0.05)
    )
    fin_y = -0.25 * bend - deep
    fin = path((-0.15, fin_y + 0.06), (rng.uniform(0.05, 0.2), fin_y - 0.25), (0.18, fin_y + 0.07))
    flipper = path(
        (-0.35, 0.05), (rng.uniform(-0.25, -0.1), 0.38 + rng.uniform(0, 0.1)), (-0.12, 0.08)
    )
    parts = [Part(points=fluke), Part(points=fin), Part(points=body)]
    parts.append(Part(points=flipper, tone=SECOND, detail=drawn))
    eye = ellipse(-0.62, bend * 0.13 - 0.04, 0.03, 0.03, num=6)
    parts.append(Part(points=eye, tone=DARK, detail=True))
    return parts


def spider(rng: np.random.Generator, drawn: bool) -> list[Part]:
    """Return a spider from above, perhaps on a thread."""
    parts = []
    back, reach = rng.uniform(0.24, 0.38), rng.uniform(0.75, 1.0)
    for side in (-1, 1):
        for t in (np.array([-0.75, -0.28, 0.25, 0.7]) + rng.normal(0, 0.08, 4)).tolist():
            knee = (side * 0.55 * math.cos(t), 0.55 * math.sin(t) - rng.uniform(0.12, 0.3))
            foot = (side * reach * math.cos(t), reach * math.sin(t) * 1.05 + 0.05)
            bent = path((side * 0.1, 0), knee, foot) if rng.random() < 0.8 else path((0, 0), foot)
            parts.append(Part(points=bent, closed=False))
    single = rng.random() < (0.45 if drawn else 0.2)
    parts.append(Part(points=ellipse(0, 0.0 if single else 0.22, back, back * 1.05), tone=SECOND))
    if not single:
        parts.append(Part(points=ellipse(0, -back * 0.75, back * 0.6, back * 0.55)))
    if drawn and rng.random() < 0.25:
        parts.append(Part(points=path((0, -0.2), (0, -1.0)), closed=False, detail=True))
    return parts
