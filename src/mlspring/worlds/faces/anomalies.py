"""Faces with something wrong: each kind changes the structure of a normal face's drawing, no more.

Most kinds change which features are drawn and where; some rearrange the finished picture. None
brings in colours that normal faces lack.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.faces.drawing import draw
from mlspring.worlds.faces.factors import Face, Law
from mlspring.worlds.faces.features import EYE_Y, MOUTH_Y, Features, Place, features
from mlspring.worlds.faces.pen import SCALE, SIDE, Sheet

# The faces among which anomalies hide: fewer colours, poses and things than hw06's, so that
# structure is what differs.
NARROW: Law = {
    "turn": (-22.0, 22.0),
    "nod": (-6.0, 6.0),
    "tilt": (-9.0, 9.0),
    "shift_x": (-2.2, 2.2),
    "shift_y": (-1.3, 2.2),
    "scale": (0.94, 1.06),
    "skin_tone": (0.05, 0.5),
    "skin_warmth": (-0.5, 0.5),
    "hair_color": {"black": 1.0, "brown": 1.0, "chestnut": 1.0, "blonde": 1.0, "silver": 1.0},
    "tips": (-0.3, 0.3),
    "back": {"short": 1.0, "bob": 1.0, "straight": 1.0, "wavy": 1.0, "twin tails": 1.0},
    "fringe": {"straight": 1.0, "parted": 1.0, "swept left": 1.0, "swept right": 1.0},
    "fringe_length": (0.2, 0.8),
    "ahoge": {"none": 1.0},
    "eye_color": {"brown": 1.0, "blue": 1.0, "green": 1.0},
    "gaze": (-0.5, 0.5),
    "lids": {"open": 1.0},
    "mouth": {"open": 1.0, "grin": 1.0},
    "mouth_width": (1.05, 1.25),
    "accessory": {"none": 1.0},
    "glasses": {"none": 1.0},
    "ground": {"plain": 1.0, "clouds": 1.0, "bokeh": 1.0},
    "ground_hue": (0.45, 0.75),
    "ground_light": (0.7, 1.0),
}

MIDDLE_Y = (EYE_Y + MOUTH_Y) / 2  # of eyes and mouth
PIVOT_Y = 0.43  # around which they turn; a face is too narrow for eyes further down
FOREHEAD_Y = -0.42
LARGE = 1.3  # the eye of a cyclops, a second mouth
TINY = 0.5  # eyes
BOX = 10  # pixels: half the box of a face whose picture is rearranged

Pixels = NDArray[np.uint8]
Change = Callable[[Features], Features]
Rearrange = Callable[[Pixels], Pixels]


def _no_mouth(shown: Features) -> Features:
    return replace(shown, mouths=())


def _one_eye(shown: Features) -> Features:
    return replace(shown, eyes=shown.eyes[1:])


def _cyclops(shown: Features) -> Features:
    eye = replace(shown.eyes[1], x=0.0, size=LARGE)
    return replace(shown, eyes=(eye,), brows=(eye,))


def _tiny_eyes(shown: Features) -> Features:
    return replace(shown, eyes=tuple(replace(place, size=TINY) for place in shown.eyes))


def _third_eye(shown: Features) -> Features:
    return replace(shown, eyes_above=(Place(x=0.0, y=FOREHEAD_Y, name="third eye"),))


def _second_mouth(shown: Features) -> Features:
    return replace(
        shown, mouths_above=(Place(x=0.0, y=FOREHEAD_Y, size=LARGE, name="second mouth"),)
    )


def _mask(shown: Features) -> Features:
    return replace(shown, cover="mask")


def _sunglasses(shown: Features) -> Features:
    return replace(shown, cover="sunglasses")


def _turned(place: Place) -> Place:
    return replace(place, x=-place.x, y=2 * PIVOT_Y - place.y, turn=np.pi)


def _upside_down(shown: Features) -> Features:
    return replace(
        shown,
        eyes=tuple(_turned(place) for place in shown.eyes),
        brows=tuple(_turned(place) for place in shown.brows),
        nose=_turned(shown.nose),
        mouths=tuple(_turned(place) for place in shown.mouths),
    )


def _swapped(shown: Features) -> Features:
    (left, right), (mouth,) = shown.eyes, shown.mouths
    eye = replace(right, x=mouth.x, y=mouth.y)
    mouth = replace(mouth, x=right.x, y=right.y)
    return replace(shown, eyes=(left, eye), mouths=(mouth,))


def _square_head(shown: Features) -> Features:
    return replace(shown, head="square")


def _hatched(shown: Features) -> Features:
    return replace(shown, skin="hatched")


CHANGES: dict[str, Change] = {
    "no mouth": _no_mouth,
    "one eye": _one_eye,
    "cyclops": _cyclops,
    "tiny eyes": _tiny_eyes,
    "third eye": _third_eye,
    "second mouth": _second_mouth,
    "mask": _mask,
    "sunglasses": _sunglasses,
    "upside down": _upside_down,
    "swapped": _swapped,
    "square head": _square_head,
    "hatched": _hatched,
}


def _halves(box: Pixels) -> Pixels:
    """Let the left and the right half of the face change places."""
    return np.roll(box, box.shape[1] // 2, axis=1)


def _negative(box: Pixels) -> Pixels:
    """Make light what is dark in an oval of the face; hues and the mean brightness stay."""
    side = np.linspace(-1, 1, len(box))
    oval = side**2 + side[:, None] ** 2 < 1
    brightness = box.mean(2)
    change = 2 * (brightness[oval].mean() - brightness) * oval
    return np.asarray(np.clip(box + change[..., None], 0, 255).astype(np.uint8))


REARRANGED: dict[str, Rearrange] = {
    "halves": _halves,
    "negative": _negative,
}
KINDS: tuple[str, ...] = (*CHANGES, *REARRANGED)


def draw_anomaly(face: Face, texture: int, kind: str) -> Pixels:
    """Return the picture of a face with one of ``KINDS`` wrong with it: (64, 64, 3)."""
    if kind in CHANGES:
        return draw(face, texture, CHANGES[kind](features(face)))
    picture = draw(face, texture).copy()
    rows, columns = face_box(face)
    picture[rows, columns] = REARRANGED[kind](picture[rows, columns])
    return picture


def face_box(face: Face) -> tuple[slice, slice]:
    """Return rows and columns of the box around eyes and mouth, 2 BOX pixels a side."""
    at = Sheet(face, 0).place(np.array([[0.0, MIDDLE_Y]]))[0] / SCALE
    x, y = (round(min(max(middle, BOX), SIDE - BOX)) for middle in at.tolist())
    return slice(y - BOX, y + BOX), slice(x - BOX, x + BOX)
