"""The head without its hair: neck, ears, face, nose, mouth, and the clothes below."""

import math

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.faces.features import Place
from mlspring.worlds.faces.palette import PINK, Palette, dark, light
from mlspring.worlds.faces.pen import SCALE, Sheet, Surface, curve, mirrored
from mlspring.worlds.shapes import WHITE, Points, circle, mix

CHIN_Y = 1.14
DARK_MOUTH = (122, 34, 44)
TONGUE = (226, 112, 112)


def face_outline(sheet: Sheet, shape: str = "oval") -> Points:
    """Return the outline of the face without ears: (n, 2), clockwise from the left temple."""
    face = sheet.face
    wide, chin = face.head_width, face.chin
    if shape == "square":
        half = [(0.0, -1.0), (0.94, -1.0), (0.96, 0.0), (0.92, 1.0), (0.84, 1.1), (0.0, 1.1)]
        right = np.array(half)
    else:
        cheek = 0.93 - 0.07 * chin
        right = curve(
            (0.0, -1.05), (0.98, -1.05), (1.0, -0.1), (1.02, 0.38), (cheek - 0.1, 0.68),
            (0.62 - 0.24 * chin, 1.0), (0.17 - 0.07 * chin, CHIN_Y - 0.02), (0.06, CHIN_Y),
            (0.0, CHIN_Y),
            num=7,
        )  # fmt: skip
    right = right * np.array([wide, 1.0])
    return np.concatenate([right, mirrored(right)[::-1]])


def draw_body(sheet: Sheet, colors: Palette) -> None:
    """Draw neck and clothes; they turn half as much as the head."""
    neck = np.array([[-0.3, 0.6], [0.3, 0.6], [0.34, 1.5], [0.5, 1.75], [-0.5, 1.75], [-0.34, 1.5]])
    sheet.fill(neck, colors.skin, Surface.SKIN, 0.1)
    under = np.array([[-0.32, 0.9], [0.32, 0.9], [0.36, 1.25], [0.0, 1.42], [-0.36, 1.25]])
    sheet.shadow(sheet.place(under + sheet.toward * (0.12, 0.0), 0.1), 0.9)
    shoulder = curve((0.3, 1.38), (0.9, 1.42), (1.35, 1.62), (1.65, 1.8), (1.8, 2.6), num=6)
    body = np.concatenate([shoulder, mirrored(shoulder)[::-1]])
    sheet.fill(body, colors.cloth, Surface.CLOTH, 0.1)
    sheet.stroke(shoulder, 1.0, colors.cloth_line, "right shoulder", 0.1, taper=0.3)
    sheet.stroke(mirrored(shoulder), 1.0, colors.cloth_line, "left shoulder", 0.1, taper=0.3)
    COLLARS[sheet.face.collar](sheet, colors)


def _round(sheet: Sheet, colors: Palette) -> None:
    rim = curve((-0.36, 1.36), (0.0, 1.75), (0.36, 1.36))
    sheet.fill(rim, colors.skin, Surface.SKIN, 0.1)
    sheet.stroke(rim, 2.2, colors.trim, "collar", 0.1, taper=0.0, surface=Surface.CLOTH)
    sheet.stroke(rim + np.array([0.0, 0.05]), 0.7, colors.cloth_line, "seam", 0.1, taper=0.2)


def _sailor(sheet: Sheet, colors: Palette) -> None:
    flap = np.array([[0.28, 1.34], [1.0, 1.5], [0.95, 1.72], [0.0, 2.05], [0.0, 1.88]])
    for side in (flap, mirrored(flap)):
        sheet.fill(side, colors.trim, Surface.CLOTH, 0.1)
        sheet.stroke(side[1:4], 0.8, colors.cloth_line, "sailor", 0.1, taper=0.2)
    sheet.fill(np.array([[-0.26, 1.36], [0.26, 1.36], [0.0, 1.85]]), colors.skin, Surface.SKIN, 0.1)


def _shirt(sheet: Sheet, colors: Palette) -> None:
    sheet.fill(np.array([[-0.3, 1.35], [0.3, 1.35], [0.0, 1.7]]), colors.skin, Surface.SKIN, 0.1)
    wing = np.array([[0.3, 1.3], [0.5, 1.5], [0.24, 1.8], [0.02, 1.62]])
    for side in (wing, mirrored(wing)):
        sheet.fill(side, light(colors.cloth, 0.8), Surface.CLOTH, 0.1)
        sheet.outline(side, colors.cloth_line, "shirt", 0.1)


def _turtleneck(sheet: Sheet, colors: Palette) -> None:
    tube = np.array(
        [[-0.36, 1.2], [0.0, 1.3], [0.36, 1.2], [0.42, 1.55], [0.0, 1.66], [-0.42, 1.55]]
    )
    sheet.fill(tube, colors.cloth, Surface.CLOTH, 0.1)
    sheet.outline(tube, colors.cloth_line, "tube", 0.1)


COLLARS = {"round": _round, "sailor": _sailor, "shirt": _shirt, "turtleneck": _turtleneck}


def draw_head(sheet: Sheet, colors: Palette, shape: str) -> Points:
    """Draw ears, face, its shadow and the cheeks; return the face's outline in pixels."""
    face = sheet.face
    for side in (-1, 1):
        ear = circle(14) * (0.15, 0.23) + (side * 1.0 * face.head_width, 0.3)
        sheet.fill(ear, colors.skin, Surface.SKIN, 0.0)
        sheet.outline(ear, colors.skin_line, f"ear {side}", 0.0)
        inner = curve((side * 1.08, 0.2), (side * 0.96, 0.25), (side * 1.02, 0.42), num=5)
        sheet.stroke(inner, 0.6, colors.skin_line, f"inner ear {side}", 0.0)
    outline = face_outline(sheet, shape)
    pixels = sheet.place(outline, 0.35)
    sheet.fill_pixels(pixels, colors.skin, Surface.SKIN)
    sheet.shadow(pixels, 0.8)
    lit = (pixels - pixels.mean(0)) * 0.97 + pixels.mean(0) - sheet.toward * (2.8, 1.8) * SCALE
    sheet.shadow(lit, 0.0)
    sheet.outline(outline, colors.skin_line, "face", 0.35)
    for side in (-1, 1):
        at = np.array([side * 0.6 * face.head_width, 0.6])
        for share in (1.0, 0.75, 0.5):
            color = mix(colors.skin, colors.blush, 1.35 - share)
            sheet.fill(circle(14) * (0.24, 0.14) * share + at, color, Surface.SKIN)
        if face.blush > 0.6:
            hatch = np.array([[0.04, -0.06], [0.0, 0.0], [-0.04, 0.06]]) + at
            hatches = hatch + np.array([[[-0.08, 0.0]], [[0.0, 0.0]], [[0.08, 0.0]]])
            sheet.stroke(hatches, 0.5, mix(colors.skin, PINK, 0.7), f"hatch {side}")
    return pixels


def draw_nose(sheet: Sheet, place: Place, colors: Palette) -> None:
    """Hint at the nose, on the side away from the light."""
    side = -1.0 if sheet.face.light > 0 else 1.0
    kind = sheet.face.nose
    if kind == "dot":
        spot = place.put(circle(8) * (0.035, 0.028))
        sheet.fill(spot, colors.skin_line, Surface.SKIN, 1.1)
    elif kind == "line":
        line = np.array([[0.02 * side, -0.1], [0.06 * side, 0.0], [0.0, 0.04]])
        sheet.stroke(place.put(line), 0.8, colors.skin_line, "nose", 1.1)
    else:
        wedge = np.array([[0.0, -0.14], [0.1 * side, 0.03], [0.0, 0.05]])
        sheet.fill(place.put(wedge), mix(colors.skin, colors.skin_line, 0.45), Surface.SKIN, 1.1)


def draw_mouth(sheet: Sheet, place: Place, colors: Palette) -> None:
    """Draw the mouth of the face's factors at ``place``."""
    face = sheet.face
    half = 0.2 * face.mouth_width
    t = np.linspace(-1, 1, 11)
    x, arch = half * t, 1 - t**2
    kind = face.mouth

    def line(y: NDArray[np.float64], width: float = 1.3) -> None:
        points = place.put(np.stack([x, y], 1))
        sheet.stroke(points, width, dark(colors.lip, 0.3), f"{place.name} line", taper=0.8)

    if kind == "smile":
        line(0.1 * arch - 0.04)
    elif kind == "flat":
        line(0.015 * np.sin(3 * t))
    elif kind == "frown":
        line(0.03 - 0.08 * arch)
    elif kind == "cat":
        line(0.075 * np.abs(np.sin(math.pi * t)) - 0.02)
    else:
        _open_mouth(sheet, place, colors, half, kind)


def _open_mouth(sheet: Sheet, place: Place, colors: Palette, half: float, kind: str) -> None:
    t = np.linspace(-1, 1, 11)
    if kind == "round":
        rim = circle(16) * (half * 0.42, half * 0.55)
    else:
        deep = 1.0 if kind == "open" else 0.72
        upper = np.stack([half * t, -0.03 + 0.02 * (1 - t**2)], 1)
        lower = np.stack([half * t, -0.03 + half * deep * (1 - t**2) ** 0.8], 1)
        rim = np.concatenate([upper, lower[::-1]])
    sheet.fill(place.put(rim), DARK_MOUTH, Surface.INK)
    if kind == "open":
        tongue = circle(12) * (half * 0.5, half * 0.25) + (0, half * 0.52)
        sheet.fill(place.put(tongue), TONGUE, Surface.INK)
    elif kind == "grin":
        teeth = rim.copy()
        teeth[:, 1] = np.minimum(teeth[:, 1], half * 0.18)
        sheet.fill(place.put(teeth), WHITE, Surface.INK)
    sheet.outline(place.put(rim), dark(colors.lip, 0.3), f"{place.name} rim")
