"""Hair behind the face: nine styles, drawn before the neck; braids lie on the shoulders."""

import math
from collections.abc import Callable

import numpy as np

from mlspring.worlds.faces.palette import Palette
from mlspring.worlds.faces.pen import Sheet, Surface, curve, mirrored
from mlspring.worlds.shapes import Points, circle

BEHIND = -0.2  # depth

Style = Callable[[Sheet, Palette], None]


def draw_back_hair(sheet: Sheet, colors: Palette) -> None:
    """Draw what is seen of the hair behind head and neck."""
    grow = 1.1 + 0.13 * sheet.face.volume
    skull = circle(26) * (grow, grow + 0.02) + (0.0, -0.16)
    _behind(sheet, skull, colors, "skull")
    STYLES[sheet.face.back](sheet, colors)


def draw_front_braids(sheet: Sheet, colors: Palette) -> None:
    """Draw braids over the clothes, of those faces that wear them."""
    face = sheet.face
    if face.back != "braids":
        return
    count = 3 + round(2 * face.length)
    for side in (-1, 1):
        for i in range(count):
            down = 0.62 + 0.27 * i
            at = np.array([side * (1.0 + 0.07 * i), down])
            lean = side * (0.5 if i % 2 else -0.5)
            knot = circle(14) * (0.22 - 0.015 * i, 0.17)
            c, s = math.cos(lean), math.sin(lean)
            knot = knot @ np.array([[c, s], [-s, c]]) + at
            sheet.fill(knot, colors.hair, Surface.HAIR, 0.1)
            sheet.outline(knot, colors.hair_line, f"braid {side} {i}", 0.1)
        tie = circle(10) * (0.13, 0.08) + (side * (1.0 + 0.07 * count), 0.6 + 0.27 * count - 0.06)
        sheet.fill(tie, colors.prop, Surface.PROP, 0.1)


def _behind(sheet: Sheet, shape: Points, colors: Palette, name: str) -> None:
    sheet.fill(shape, colors.hair_back, Surface.HAIR, BEHIND)
    sheet.outline(shape, colors.hair_line, name, BEHIND)


def _threads(sheet: Sheet, colors: Palette, top: float, bottom: float, wide: float) -> None:
    """Draw lines down the hair on both sides of the neck."""
    each = 3 + round(6 * sheet.face.strands)
    rng = sheet.chance("threads")
    x = rng.uniform(0.45, 0.97, (2, each)) * wide * np.array([[-1], [1]])
    start = top + 0.3 * rng.random((2, each))
    end = bottom - 0.35 * rng.random((2, each))
    x, start, end = x.ravel(), start.ravel(), end.ravel()
    t = np.linspace(0, 1, 6)
    lines = np.stack(
        [
            x[:, None] * (1 + 0.05 * np.sin(5 * t + 3 * x[:, None])),
            start[:, None] + (end - start)[:, None] * t,
        ],
        2,
    )
    pixels = sheet.place(lines.reshape(-1, 2), BEHIND).reshape(lines.shape)
    shades = (colors.hair_line, colors.hair_dark, colors.hair)
    picks = rng.integers(0, 3, len(x)).tolist()
    sheet.hairs(pixels, rng.integers(1, 3, len(x)).tolist(), [shades[pick] for pick in picks])


def _fall(sheet: Sheet, bottom: float, wide: float, wave: float) -> Points:
    """Return the outline of hair that falls to ``bottom``."""
    down = np.linspace(-0.2, bottom, 16)
    side = wide + wave * np.sin((down + 0.3) * 5.2) * np.clip(down + 0.2, 0, 0.8)
    side[-3:] *= (0.97, 0.9, 0.78)
    right = np.stack([side, down], 1)
    return np.concatenate([right, mirrored(right)[::-1]])


def _short(sheet: Sheet, colors: Palette) -> None:
    nape = 0.45 + 0.3 * sheet.face.length
    _behind(sheet, _fall(sheet, nape, 1.0, 0.03), colors, "nape")


def _bob(sheet: Sheet, colors: Palette) -> None:
    face = sheet.face
    bottom, wide = 0.8 + 0.35 * face.length, 1.16 + 0.16 * face.volume
    right = curve((1.0, -0.5), (wide + 0.1, 0.1), (wide, bottom - 0.2), (wide * 0.98, bottom),
                  (wide * 0.6, bottom))  # fmt: skip
    _behind(sheet, np.concatenate([right, mirrored(right)[::-1]]), colors, "bob")
    _threads(sheet, colors, -0.2, bottom, wide)


def _straight(sheet: Sheet, colors: Palette) -> None:
    face = sheet.face
    bottom, wide = 1.3 + 1.3 * face.length, 1.12 + 0.2 * face.volume
    _behind(sheet, _fall(sheet, bottom, wide, 0.03), colors, "straight")
    _threads(sheet, colors, -0.2, bottom, wide)


def _wavy(sheet: Sheet, colors: Palette) -> None:
    face = sheet.face
    bottom, wide = 1.3 + 1.3 * face.length, 1.2 + 0.22 * face.volume
    _behind(sheet, _fall(sheet, bottom, wide, 0.16), colors, "wavy")
    _threads(sheet, colors, -0.2, bottom, wide)


def _tail(sheet: Sheet, colors: Palette, side: int) -> None:
    face = sheet.face
    end = 0.7 + 1.3 * face.length
    out = 1.55 + 0.3 * face.volume
    tail = np.concatenate(
        [
            curve((0.95, -0.85), (out + 0.35, -0.75), (out, 0.2), (out - 0.1, end * 0.7),
                  (out - 0.25, end)),
            curve((out - 0.25, end), (out - 0.5, end * 0.5), (1.25, 0.1), (1.1, -0.3),
                  (0.9, -0.45)),
        ]
    )  # fmt: skip
    shape = tail * (side, 1)
    _behind(sheet, shape, colors, f"tail {side}")
    for share in (0.3, 0.55, 0.8):
        inner = shape[2:16] * (1 - share) + shape[-3:-17:-1] * share
        shade = colors.hair if share < 0.5 else colors.hair_line
        sheet.stroke(inner, 0.7, shade, f"tail {side} {share}", BEHIND, surface=Surface.HAIR)
    tie = circle(12) * (0.14, 0.2) + (side * 1.06, -0.64)
    sheet.fill(tie, colors.prop, Surface.PROP, BEHIND)
    sheet.outline(tie, colors.prop_line, f"tie {side}", BEHIND)


def _twin_tails(sheet: Sheet, colors: Palette) -> None:
    _tail(sheet, colors, -1)
    _tail(sheet, colors, 1)


def _left_tail(sheet: Sheet, colors: Palette) -> None:
    _tail(sheet, colors, -1)


def _right_tail(sheet: Sheet, colors: Palette) -> None:
    _tail(sheet, colors, 1)


def _buns(sheet: Sheet, colors: Palette) -> None:
    radius = 0.34 + 0.12 * sheet.face.length
    for side in (-1, 1):
        at = np.array([side * 0.86, -1.16])
        bun = circle(18) * radius + at
        sheet.fill(bun, colors.hair, Surface.HAIR, BEHIND)
        sheet.outline(bun, colors.hair_line, f"bun {side}", BEHIND)
        turn = np.linspace(0, 7, 14)
        away = np.linspace(0.15, 0.75, 14) * radius
        spiral = np.stack([np.cos(turn) * away, np.sin(turn) * away], 1) + at
        sheet.stroke(spiral, 0.7, colors.hair_line, f"spiral {side}", BEHIND)


def _braids(sheet: Sheet, colors: Palette) -> None:
    _behind(sheet, _fall(sheet, 0.7, 1.04, 0.02), colors, "nape")


STYLES: dict[str, Style] = {
    "short": _short,
    "bob": _bob,
    "straight": _straight,
    "wavy": _wavy,
    "twin tails": _twin_tails,
    "left tail": _left_tail,
    "right tail": _right_tail,
    "buns": _buns,
    "braids": _braids,
}
