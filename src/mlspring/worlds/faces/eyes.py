"""Eyes, brows and glasses. Around an eye's own middle: x outward and y down, -1 to 1 at its rim."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.faces.features import Place
from mlspring.worlds.faces.palette import INK, Palette, dark
from mlspring.worlds.faces.pen import Sheet, Surface
from mlspring.worlds.shapes import WHITE, Color, Points, circle

EYE = np.array([0.295, 0.325])  # half the size of a usual open eye, in half widths of the face
OPEN = {"open": 1.0, "half": 0.58, "closed": 0.0, "wink": 1.0}
BELOW = 0.82  # the lower lid, of the upper one's height
IRIS = np.array([0.66, 0.98])
SPARKLES = {  # x, y, radius in the iris; x turns to where the light comes from
    "one": ((0.28, -0.42, 0.3),),
    "two": ((0.3, -0.44, 0.27), (-0.3, 0.42, 0.17)),
    "many": ((0.3, -0.46, 0.25), (-0.3, 0.4, 0.15), (-0.36, -0.2, 0.11), (0.12, 0.56, 0.1)),
}
NUM = 15


@cache
def _lids() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x along a lid and how far a lid is from the eye's middle line there, both (NUM,)."""
    x = np.linspace(-1, 1, NUM)
    return x, (1 - np.abs(x) ** 2.6) ** 0.85


class Eye:
    """One eye of a face: turns its own coordinates into the face's."""

    def __init__(self, sheet: Sheet, place: Place) -> None:
        self.sheet, self.place = sheet, place
        face = sheet.face
        self.size = EYE * face.eye_size * np.array([1.0, face.eye_height])
        self.slant = -face.slant
        winks = face.lids == "wink" and place.side > 0
        self.open = 0.0 if winks else OPEN[face.lids]

    def put(self, points: Points) -> Points:
        """Return points of the eye as points of the face."""
        own = points * self.size
        c, s = math.cos(self.slant), math.sin(self.slant)
        return self.place.put(own @ np.array([[c, s], [-s, c]]))

    def fill(self, points: Points, color: Color) -> None:
        """Fill an outline of the eye."""
        self.sheet.fill(self.put(points), color, Surface.EYE)

    def stroke(self, points: Points, width: float, color: Color, name: str, taper: float) -> None:
        """Draw a line of the eye."""
        name = f"{self.place.name} {name}"
        self.sheet.stroke(self.put(points), width, color, name, taper=taper)

    def between_lids(self, points: Points) -> Points:
        """Return the points, those beyond a lid moved onto it."""
        reach = (1 - np.clip(np.abs(points[:, 0]), 0, 1) ** 2.6) ** 0.85
        y = np.clip(points[:, 1], -self.open * reach, BELOW * reach)
        return np.stack([points[:, 0], y], 1)


def draw_eye(sheet: Sheet, place: Place, colors: Palette) -> None:
    """Draw an eye, open or closed, with its lashes."""
    eye = Eye(sheet, place)
    x, reach = _lids()
    if eye.open == 0:
        lid = np.stack([x, 0.1 + 0.42 * reach], 1)
        eye.stroke(lid, 2.2, colors.lash, "lid", 0.7)
        eye.stroke(np.array([[0.8, 0.3], [1.05, 0.42], [1.25, 0.46]]), 1.2, colors.lash, "tip", 0.6)
        return
    upper, lower = -eye.open * reach, BELOW * reach
    white = np.concatenate([np.stack([x, upper], 1), np.stack([x, lower], 1)[::-1]])
    eye.fill(white, WHITE)
    _iris(eye, colors)
    strip = np.stack([x, np.minimum(upper + 0.3, lower)], 1)[::-1]
    under_lid = np.concatenate([np.stack([x, upper], 1), strip])
    sheet.shadow(sheet.place(eye.put(under_lid)), 0.55)
    lash = np.stack([x * 1.06, upper - 0.02], 1)
    lash = np.concatenate([lash, [[1.3, -0.3 * eye.open]]])
    eye.stroke(lash, 3.0, colors.lash, "lash", 0.75)
    eye.stroke(np.stack([x, lower], 1)[5:], 0.8, colors.lash, "lower lash", 0.8)
    crease = np.stack([x, upper - 0.3], 1)[3:-2]
    eye.stroke(crease, 0.6, colors.skin_line, "crease", 0.9)


def _iris(eye: Eye, colors: Palette) -> None:
    """Draw the iris from its dark rim to its light lower half, and the lights in it."""
    face, around = eye.sheet.face, circle(18) * IRIS
    middle = np.array([eye.place.side * 0.17 * face.gaze - 0.05, -0.02])
    if face.lids == "half":
        middle[1] = 0.12
    top = around * 0.9
    top[:, 1] = np.minimum(top[:, 1], -0.22)
    from_light = eye.place.side if face.light > 0 else -eye.place.side
    parts = [
        (colors.eye_dark, around),
        (colors.eye, around * 0.86 + (0, 0.06)),
        (colors.eye_light, around * (0.6, 0.36) + (0, 0.42)),
        (dark(colors.eye, 0.42), top),
        (dark(colors.eye, 0.85), around * (0.4, 0.44)),
    ]
    for right, down, radius in SPARKLES[face.sparkle]:
        at = np.array([right * from_light, down]) * IRIS
        parts.append((WHITE, circle(18) * (radius, radius * 0.9) + at))
    points = eye.between_lids(np.concatenate([part for _, part in parts]) + middle)
    pixels = eye.sheet.place(eye.put(points)).reshape(len(parts), -1, 2)
    for (color, _), outline in zip(parts, pixels, strict=True):
        eye.sheet.fill_pixels(outline, color, Surface.EYE)


def draw_brow(sheet: Sheet, place: Place, colors: Palette) -> None:
    """Draw the brow above an eye's place."""
    face = sheet.face
    up = -EYE[1] * face.eye_height * face.eye_size - 0.13 - 0.1 * face.brow_level
    t = np.linspace(-1, 1, 9)
    x, bend = 0.26 * t, -0.06 * (1 - t**2)
    y = up + bend - math.tan(face.brow_slant) * x * 0.8
    line = place.put(np.stack([x + 0.02, y], 1))
    sheet.stroke(line, 0.7 + 1.1 * face.brow_weight, colors.hair_line, f"{place.name} brow")


def draw_glasses(sheet: Sheet, places: tuple[Place, ...]) -> None:
    """Draw a frame around the places of two eyes, and the bridge between them."""
    square = sheet.face.glasses == "square"
    around = circle(24)
    rim = np.sign(around) * np.abs(around) ** (0.55 if square else 1.0) * (0.4, 0.37)
    for place in places:
        sheet.outline(place.put(rim), INK, f"{place.name} rim", 1.0)
        ear = np.array([[0.38, -0.05], [0.5, -0.08], [0.62, -0.06]])
        sheet.stroke(place.put(ear), 1.0, INK, f"{place.name} arm", 0.9, taper=0.2)
    left, right = places[0], places[-1]
    bridge = np.array(
        [[left.x + 0.4, left.y], [0.0, (left.y + right.y) / 2 - 0.06], [right.x - 0.4, right.y]]
    )
    sheet.stroke(bridge, 1.0, INK, "bridge", 1.0, taper=0.0)
