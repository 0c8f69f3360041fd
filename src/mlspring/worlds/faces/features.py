"""Which features a face has and where: two eyes, a nose, a mouth; an anomaly changes them."""

from dataclasses import dataclass

import numpy as np

from mlspring.worlds.faces.factors import Face
from mlspring.worlds.shapes import Points, turned

EYE_Y, EYE_X = 0.26, 0.47
NOSE_Y = 0.58
MOUTH_Y = 0.8


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a feature is drawn.

    Args:
        x: of its middle, of the face.
        y: of its middle, of the face.
        side: -1 mirrors it, for what belongs to the left of the picture.
        turn: clockwise, in radians.
        size: times the usual one.
        name: keeps the unevenness of its lines apart from that of others.
    """

    x: float
    y: float
    side: int = 1
    turn: float = 0.0
    size: float = 1.0
    name: str = ""

    def put(self, points: Points) -> Points:
        """Return points given around the feature's own middle as points of the face."""
        own = points * np.array([self.side * self.size, self.size])
        return np.asarray(turned(own, self.turn) + np.array([self.x, self.y]))


@dataclass(frozen=True, kw_only=True)
class Features:
    """What a face is drawn with.

    Args:
        eyes: of every eye.
        brows: of the eyes that have a brow.
        mouths: of every mouth.
        nose: of the nose.
        eyes_above: of eyes on top of the hair.
        mouths_above: of mouths on top of the hair.
        head: shape of the head, "oval" or "square".
        skin: how it is shaded, "plain" or "hatched".
        cover: what is worn before the face: "nothing", "mask" or "sunglasses".
    """

    eyes: tuple[Place, ...]
    brows: tuple[Place, ...]
    mouths: tuple[Place, ...]
    nose: Place
    eyes_above: tuple[Place, ...] = ()
    mouths_above: tuple[Place, ...] = ()
    head: str = "oval"
    skin: str = "plain"
    cover: str = "nothing"


def features(face: Face) -> Features:
    """Return the features of a normal face."""
    x, y = EYE_X * face.eye_spacing * face.head_width, EYE_Y + face.eye_level
    eyes = (
        Place(x=-x, y=y, side=-1, name="left eye"),
        Place(x=x, y=y, side=1, name="right eye"),
    )
    return Features(
        eyes=eyes,
        brows=eyes,
        nose=Place(x=0.0, y=NOSE_Y, name="nose"),
        mouths=(Place(x=0.0, y=MOUTH_Y + face.mouth_level, name="mouth"),),
    )
