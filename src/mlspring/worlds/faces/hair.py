"""Hair before the face: the cap, the locks of the fringe, side locks, single hairs, the gloss."""

import math
from dataclasses import dataclass

import numpy as np

from mlspring.worlds.faces.palette import Palette, light
from mlspring.worlds.faces.pen import Sheet, Surface, curve, mirrored, weights
from mlspring.worlds.shapes import Points

ROOT_Y = -0.86
CROWN_Y = -1.16
HAIRS = (4, 16)  # single hairs a lock: few to many


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock of the fringe: where it grows, how wide, where it ends, whether its end is blunt."""

    root: float
    half: float
    x: float
    y: float
    blunt: bool = False

    def edges(self) -> tuple[Points, Points]:
        """Return its left edge downward and its right edge upward, each (9, 2)."""
        middle = (self.y + ROOT_Y) / 2
        flat = self.half * 0.85 if self.blunt else 0.0
        bend = (self.x - self.root) * 0.25
        left = curve(
            (self.root - self.half, ROOT_Y),
            (self.root - self.half * 1.12 + bend, middle),
            (self.x - flat, self.y),
        )
        right = curve(
            (self.x + flat, self.y),
            (self.root + self.half * 1.0 + bend, middle + 0.05),
            (self.root + self.half, ROOT_Y),
        )
        return left, right


def locks(sheet: Sheet) -> list[Lock]:
    """Return the locks of the face's fringe, those drawn first in front of none."""
    face, rng = sheet.face, sheet.chance("fringe")
    low = -0.36 + 0.36 * face.fringe_length
    jitter = rng.uniform(-1, 1, (9, 2))
    kind = face.fringe
    if kind in {"swept left", "swept right"}:
        side = 1 if kind == "swept right" else -1
        made = []
        for i, x in enumerate(np.linspace(-0.82, 0.82, 6).tolist()):
            down = low - 0.16 + 0.3 * (x + 0.82) + 0.04 * jitter[i, 1]
            end = x + 0.3 + 0.05 * jitter[i, 0]
            made.append(Lock(root=side * x, half=0.24, x=side * end, y=down))
        return made
    if kind == "straight":
        ends = np.linspace(-0.84, 0.84, 7).tolist()
        return [
            Lock(root=x, half=0.16, x=x * 1.02, y=low + 0.05 * j, blunt=True)
            for x, j in zip(ends, jitter[:, 1].tolist(), strict=False)
        ]
    if kind == "spiky":
        return [
            Lock(root=x, half=0.19, x=x + 0.12 * a, y=low + 0.13 * b)
            for x, (a, b) in zip(
                np.linspace(-0.88, 0.88, 8).tolist(), jitter.tolist(), strict=False
            )
        ]
    inner = {"parted": 0.16, "open": 0.5, "single": 0.5}[kind]
    made = []
    for i, share in enumerate((0.0, 0.5, 1.0)):
        for side in (-1, 1):
            x = inner + (0.86 - inner) * share
            a, b = jitter[2 * i + (side > 0)]
            drop = 0.52 * (x - 0.1) + 0.06 * b
            end = side * (x + 0.2 + 0.05 * a)
            made.append(Lock(root=side * x, half=0.22, x=end, y=low - 0.12 + drop))
    if kind == "single":
        made.append(Lock(root=0.0, half=0.13, x=0.12 * jitter[8, 0], y=low + 0.22))
    return made


def cap(sheet: Sheet) -> Points:
    """Return the outline of the hair on the head: the rim from the left, then the hairline."""
    grow = 1.08 + 0.14 * sheet.face.volume
    t = np.linspace(math.pi, 2 * math.pi, 22)
    rim = np.stack([np.cos(t) * grow, np.sin(t) * (grow + 0.02) - 0.16], 1)
    hairline = curve((grow * 0.97, 0.0), (0.92, -0.62), (0.0, -0.66), (-0.92, -0.62),
                     (-grow * 0.97, 0.0))  # fmt: skip
    return np.concatenate([rim, hairline])


def draw_front_hair(sheet: Sheet, colors: Palette) -> None:
    """Draw all hair before the face, and its shadow on the face."""
    face, fringe, outline = sheet.face, locks(sheet), cap(sheet)
    shapes = [np.concatenate(lock.edges()) for lock in fringe]
    for shape in (outline, *shapes):
        sheet.cast(shape, (2.2, 3.5))
    _side_locks(sheet, colors)
    sheet.fill(outline, colors.hair, Surface.HAIR)
    sheet.stroke(outline[:22], 1.2, colors.hair_line, "cap", taper=0.3)
    for shape in shapes:
        sheet.fill(shape, colors.hair, Surface.HAIR)
    edges = np.stack([edge for shape in shapes for edge in (shape[3:9], shape[9:15])])
    sheet.stroke(edges, 0.8, colors.hair_line, "locks", taper=0.7)
    _hairs(sheet, fringe, colors)
    _gloss(sheet, colors)
    if face.fringe not in {"straight", "spiky"}:
        part = {"swept left": 0.5, "swept right": -0.5}.get(face.fringe, 0.0)
        line = curve((part * 0.5, -1.2), (part * 0.9, -0.95), (part, -0.7))
        sheet.stroke(line, 0.9, colors.hair_line, "parting", taper=0.9)
    _ahoge(sheet, colors)


def _hairs(sheet: Sheet, fringe: list[Lock], colors: Palette) -> None:
    """Draw single hairs from the crown into every lock."""
    few, many = HAIRS
    each = round(few + (many - few) * sheet.face.strands)
    rng = sheet.chance("hairs")
    count = each * len(fringe)
    root = np.repeat([lock.root for lock in fringe], each)
    half = np.repeat([lock.half for lock in fringe], each)
    end = np.repeat([[lock.x, lock.y] for lock in fringe], each, axis=0)
    u, v, reach = rng.uniform(-1, 1, count), rng.random(count), rng.uniform(0.35, 0.97, count)
    start = np.stack([root * 0.35 + 0.12 * u, CROWN_Y + 0.12 * v], 1)
    pull = np.stack([root + half * 0.8 * u, ROOT_Y + 0.2 * v], 1)
    tip = pull + (end + np.stack([half * 0.3 * u, 0 * u], 1) - pull) * reach[:, None]
    lines = weights(8) @ np.stack([start, pull, tip], 1)
    pixels = sheet.place(lines.reshape(-1, 2)).reshape(lines.shape)
    shades = (colors.hair_dark, colors.hair_dark, colors.hair_light, colors.hair_line)
    picks = rng.integers(0, len(shades), count).tolist()
    widths = rng.integers(1, 3, count).tolist()
    sheet.hairs(pixels, widths, [shades[pick] for pick in picks])


def _gloss(sheet: Sheet, colors: Palette) -> None:
    """Draw the bright band across the crown, jagged below, toward the light."""
    face, rng = sheet.face, sheet.chance("gloss")
    x = np.linspace(-0.62, 0.62, 15) + 0.22 * face.light
    upper = -0.93 + 0.2 * x**2
    thick = (1 - np.linspace(-1, 1, 15) ** 2) * 0.6 + 0.25
    jagged = 0.09 * thick + 0.13 * thick * rng.random(15) * (np.arange(15) % 2)
    band = np.stack([np.concatenate([x, x[::-1]]), np.concatenate([upper, (upper + jagged)[::-1]])],
                    1)  # fmt: skip
    sheet.fill(band, light(colors.hair, 0.26 + 0.24 * face.contrast), Surface.HAIR)


def _side_locks(sheet: Sheet, colors: Palette) -> None:
    """Draw a lock before each ear."""
    long = sheet.face.sidelocks
    if long < 0.1:
        return
    wide = sheet.face.head_width
    end = 0.05 + 1.05 * long
    lock = np.concatenate(
        [
            curve((1.0, -0.5), (1.14 * wide, end * 0.5), (0.98 * wide, end)),
            curve((0.98 * wide, end), (0.9 * wide, end * 0.45), (0.74, -0.5)),
        ]
    )
    both = np.stack([lock, mirrored(lock)])
    for shape in both:
        sheet.cast(shape, (1.8, 1.0), 0.5)
        sheet.fill(shape, colors.hair, Surface.HAIR, 0.5)
    sheet.stroke(both, 1.0, colors.hair_line, "side locks", 0.5, taper=0.3)
    middle = (both[:, 2:9] + both[:, -3:-10:-1]) / 2
    sheet.stroke(middle, 0.7, colors.hair_dark, "side hair", 0.5, surface=Surface.HAIR)


def _ahoge(sheet: Sheet, colors: Palette) -> None:
    """Draw the hairs that stand up on the crown."""
    count = ("none", "one", "two").index(sheet.face.ahoge)
    for side in (1, -1)[:count]:
        bow = curve((0.02 * side, -1.16), (0.02 * side, -1.62), (0.42 * side, -1.46))
        for width, color in ((3.6, colors.hair_line), (2.0, colors.hair)):
            name = f"ahoge {side}"
            sheet.stroke(bow, width, color, name, taper=0.9, surface=Surface.HAIR)
