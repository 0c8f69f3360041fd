"""What is worn: things in the hair, and what an unusual face hides behind."""

import math
from collections.abc import Callable

import numpy as np

from mlspring.worlds.faces.features import Place
from mlspring.worlds.faces.palette import INK, Palette, light
from mlspring.worlds.faces.pen import Sheet, Surface, curve, mirrored
from mlspring.worlds.shapes import WHITE, Points, circle, hsv, mix, turned

Prop = Callable[[Sheet, Palette], None]


def draw_prop(sheet: Sheet, colors: Palette) -> None:
    """Draw what the face wears in its hair."""
    if sheet.face.accessory != "none":
        PROPS[sheet.face.accessory](sheet, colors)


def _solid(sheet: Sheet, shape: Points, colors: Palette, name: str, depth: float = 0.7) -> None:
    sheet.fill(shape, colors.prop, Surface.PROP, depth)
    sheet.outline(shape, colors.prop_line, name, depth)


def _bow(sheet: Sheet, colors: Palette) -> None:
    at = np.array([0.62, -1.02])
    wing = curve((0.0, 0.0), (0.3, -0.42), (0.56, -0.3), (0.42, 0.0), (0.52, 0.3), (0.25, 0.22),
                 (0.0, 0.0), num=6)  # fmt: skip
    for side, shape in ((1, wing), (-1, mirrored(wing))):
        _solid(sheet, turned(shape, 0.35) + at, colors, f"wing {side}")
        fold = np.array([[0.08, 0.0], [0.2, -0.04], [0.34, -0.02]]) * (side, 1)
        sheet.stroke(turned(fold, 0.35) + at, 0.8, colors.prop_dark, f"fold {side}", 0.7)
    _solid(sheet, circle(10) * (0.1, 0.13) + at, colors, "knot")


def _headband(sheet: Sheet, colors: Palette) -> None:
    grow = 1.1 + 0.14 * sheet.face.volume
    t = np.linspace(math.pi + 0.12, 2 * math.pi - 0.12, 20)
    outer = np.stack([np.cos(t) * grow, np.sin(t) * 0.92 - 0.12], 1)
    inner = np.stack([np.cos(t) * grow * 0.99, np.sin(t) * 0.78 - 0.08], 1)
    _solid(sheet, np.concatenate([outer, inner[::-1]]), colors, "band", 0.9)
    sheet.stroke((outer + inner)[3:14] / 2 - (0, 0.03), 0.9, light(colors.prop, 0.5), "band light")


def _cat_ears(sheet: Sheet, colors: Palette) -> None:
    ear = curve((0.36, -1.1), (0.62, -1.6), (0.92, -1.72), (1.08, -1.3), (1.04, -0.72), num=6)
    inside = (ear - (0.76, -1.15)) * 0.56 + (0.78, -1.16)
    for side in (1, -1):
        shape, inner = ear * (side, 1), inside * (side, 1)
        sheet.fill(shape, colors.hair, Surface.HAIR, 0.3)
        sheet.outline(shape[:-1], colors.hair_line, f"cat ear {side}", 0.3)
        sheet.fill(inner, mix(colors.prop, colors.skin, 0.5), Surface.PROP, 0.3)


def _flower(sheet: Sheet, colors: Palette) -> None:
    at = np.array([-0.72, -0.82])
    for i in range(5):
        angle = 2 * math.pi * i / 5 - 0.3
        petal = circle(10) * (0.16, 0.12) + (0.17, 0.0)
        _solid(sheet, turned(petal, angle) + at, colors, f"petal {i}")
    sheet.fill(circle(10) * 0.09 + at, (246, 206, 84), Surface.PROP, 0.7)


def _clip(sheet: Sheet, colors: Palette) -> None:
    for i, y in enumerate((-0.62, -0.44)):
        bar = np.array([[-0.26, -0.05], [0.26, -0.05], [0.26, 0.05], [-0.26, 0.05]])
        _solid(sheet, turned(bar, 0.5 - 0.9 * i) + np.array([0.7, y]), colors, f"bar {i}", 0.9)


def _beret(sheet: Sheet, colors: Palette) -> None:
    top = curve((-1.12, -0.72), (-1.5, -1.25), (-0.55, -1.52), (0.2, -1.7), (0.85, -1.4),
                (1.22, -1.15), (1.06, -0.72), num=7)  # fmt: skip
    rim = curve((1.06, -0.72), (0.0, -1.12), (-1.12, -0.72))
    _solid(sheet, np.concatenate([top, rim]), colors, "beret", 0.3)
    sheet.stroke(rim, 2.6, colors.prop_dark, "beret rim", 0.3, taper=0.2, surface=Surface.PROP)
    stalk = np.array([[-0.16, -1.56], [-0.12, -1.66], [-0.02, -1.72]])
    sheet.stroke(stalk, 2.0, colors.prop_line, "stalk", 0.3, taper=0.3)


PROPS: dict[str, Prop] = {
    "bow": _bow,
    "headband": _headband,
    "cat ears": _cat_ears,
    "flower": _flower,
    "clip": _clip,
    "beret": _beret,
}


def draw_mask(sheet: Sheet, colors: Palette) -> None:
    """Draw a cloth over mouth and nose, in a colour near the skin's."""
    wide = sheet.face.head_width
    right = curve((0.0, 0.47), (0.5, 0.46), (0.88 * wide, 0.56), (0.86, 0.82), (0.55, 1.02),
                  (0.3, 1.14), (0.0, 1.14))  # fmt: skip
    shape = np.concatenate([right, mirrored(right)[::-1]])
    cloth = mix(colors.skin, hsv(sheet.face.cloth_hue, 0.25, 0.9), 0.35)
    sheet.fill(shape, cloth, Surface.PROP)
    line = mix(cloth, INK, 0.4)
    sheet.outline(shape, line, "mask")
    for y in (0.68, 0.86):
        fold = curve((-0.5, y), (0.0, y + 0.06), (0.5, y))
        sheet.stroke(fold, 0.8, line, f"pleat {y}")
    for side in (-1, 1):
        loop = curve((side * 0.86 * wide, 0.58), (side * 0.95, 0.5), (side * 1.04, 0.4))
        sheet.stroke(loop, 0.8, light(cloth, 0.5), f"loop {side}", taper=0.2)


def draw_sunglasses(sheet: Sheet, places: tuple[Place, ...], colors: Palette) -> None:
    """Draw dark glasses over the places of both eyes."""
    lens = mix(mix(colors.eye, colors.skin, 0.5), INK, 0.3)
    around = circle(24)
    rim = np.sign(around) * np.abs(around) ** 0.7 * (0.4, 0.33)
    for place in places:
        sheet.fill(place.put(rim), lens, Surface.PROP, 1.0)
        gleam = np.array([[-0.28, -0.26], [0.06, -0.27], [-0.12, 0.2], [-0.32, 0.14]])
        sheet.fill(place.put(gleam), mix(lens, WHITE, 0.85), Surface.PROP, 1.0)
        sheet.outline(place.put(rim), INK, f"{place.name} shade", 1.0)
    left, right = places[0], places[-1]
    bridge = np.array([[left.x + 0.36, left.y - 0.1], [0.0, left.y - 0.14],
                       [right.x - 0.36, right.y - 0.1]])  # fmt: skip
    sheet.stroke(bridge, 1.6, INK, "bridge", 1.0, taper=0.0)
