"""What a drawn face is like: every factor with its range, and how factors are drawn and stored.

``FACTORS`` lists them in the order of the columns of ``factors.npy``. Factors are independent of
one another; a law (``WIDE`` here, ``NARROW`` in anomalies.py) says from which part of its range
each is drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

HAIR_COLORS = {  # hue, saturation, value
    "black": (0.68, 0.35, 0.24),
    "brown": (0.06, 0.52, 0.42),
    "chestnut": (0.04, 0.6, 0.58),
    "blonde": (0.125, 0.52, 0.92),
    "silver": (0.62, 0.1, 0.84),
    "red": (0.0, 0.68, 0.68),
    "orange": (0.065, 0.68, 0.9),
    "pink": (0.94, 0.38, 0.94),
    "purple": (0.76, 0.45, 0.66),
    "blue": (0.61, 0.56, 0.72),
    "teal": (0.5, 0.48, 0.74),
    "green": (0.33, 0.4, 0.62),
}
EYE_COLORS = {
    "brown": (0.06, 0.6, 0.55),
    "amber": (0.12, 0.75, 0.85),
    "red": (0.99, 0.75, 0.8),
    "pink": (0.9, 0.55, 0.88),
    "purple": (0.76, 0.6, 0.75),
    "blue": (0.6, 0.7, 0.85),
    "teal": (0.5, 0.7, 0.75),
    "green": (0.36, 0.6, 0.68),
    "grey": (0.6, 0.15, 0.6),
}


def _number(low: float, high: float, meaning: str) -> Any:
    return field(metadata={"low": low, "high": high, "meaning": meaning})


def _choice(choices: tuple[str, ...], meaning: str) -> Any:
    return field(metadata={"choices": choices, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class Face:
    """The factors of one face. Lengths in pixels are those of the finished 64 x 64 picture."""

    # the pose
    turn: float = _number(-24, 24, "head turned to its left, in degrees")
    nod: float = _number(-9, 9, "head bowed, in degrees")
    tilt: float = _number(-12, 12, "head leaning clockwise, in degrees")
    shift_x: float = _number(-2.5, 2.5, "to the right, in pixels")
    shift_y: float = _number(-1.5, 2.5, "down, in pixels")
    scale: float = _number(0.9, 1.1, "size, times the usual one")
    # the head
    head_width: float = _number(0.92, 1.05, "width of the face, times the usual one")
    chin: float = _number(0.0, 1.0, "0 round to 1 pointed")
    skin_tone: float = _number(0.0, 1.0, "0 pale to 1 dark")
    skin_warmth: float = _number(-1.0, 1.0, "-1 rosy to 1 golden")
    blush: float = _number(0.0, 1.0, "how red the cheeks are")
    nose: str = _choice(("dot", "line", "wedge"), "how the nose is hinted at")
    # the hair
    hair_color: str = _choice(tuple(HAIR_COLORS), "colour of the hair")
    hair_tint: float = _number(-1.0, 1.0, "shade within the colour: darker to lighter")
    tips: float = _number(-1.0, 1.0, "hue of the hair's ends against that of its roots")
    back: str = _choice(
        (
            "short",
            "bob",
            "straight",
            "wavy",
            "twin tails",
            "left tail",
            "right tail",
            "buns",
            "braids",
        ),
        "hair behind the face",
    )
    length: float = _number(0.0, 1.0, "0 short to 1 long, of the hair behind")
    fringe: str = _choice(
        ("straight", "parted", "swept left", "swept right", "spiky", "open", "single"),
        "hair above the eyes",
    )
    fringe_length: float = _number(0.0, 1.0, "0 high on the forehead to 1 at the eyes")
    sidelocks: float = _number(0.0, 1.0, "0 none to 1 long, before the ears")
    volume: float = _number(0.0, 1.0, "how far hair stands off the head")
    strands: float = _number(0.0, 1.0, "how many single hairs are drawn")
    ahoge: str = _choice(("none", "one", "two"), "hairs that stand up on the crown")
    # the eyes
    eye_color: str = _choice(tuple(EYE_COLORS), "colour of both irises")
    eye_size: float = _number(0.85, 1.12, "times the usual one")
    eye_height: float = _number(0.8, 1.15, "height of an eye to its width, times the usual one")
    eye_spacing: float = _number(0.92, 1.1, "distance of the eyes, times the usual one")
    eye_level: float = _number(-0.07, 0.07, "down, in half widths of the face")
    slant: float = _number(-0.2, 0.2, "outer corners down to up, in radians")
    gaze: float = _number(-1.0, 1.0, "looking left to right")
    lids: str = _choice(("open", "half", "closed", "wink"), "how open the eyes are")
    sparkle: str = _choice(("one", "two", "many"), "lights in an eye")
    brow_level: float = _number(0.0, 1.0, "0 low to 1 high")
    brow_slant: float = _number(-0.3, 0.3, "worried to stern, in radians")
    brow_weight: float = _number(0.4, 1.0, "thickness of a brow")
    # the mouth
    mouth: str = _choice(
        ("smile", "flat", "open", "grin", "cat", "round", "frown"), "shape of the mouth"
    )
    mouth_width: float = _number(0.75, 1.25, "times the usual one")
    mouth_level: float = _number(-0.05, 0.05, "down, in half widths of the face")
    # what is worn
    accessory: str = _choice(
        ("none", "bow", "headband", "cat ears", "flower", "clip", "beret"), "worn in the hair"
    )
    accessory_hue: float = _number(0.0, 1.0, "hue of it")
    glasses: str = _choice(("none", "round", "square"), "worn before the eyes")
    collar: str = _choice(("round", "sailor", "shirt", "turtleneck"), "clothes")
    cloth_hue: float = _number(0.0, 1.0, "hue of the clothes")
    cloth_light: float = _number(0.25, 0.95, "value of the clothes' colour")
    # what is behind
    ground: str = _choice(
        ("plain", "stripes", "dots", "check", "rays", "bokeh", "clouds"), "pattern behind"
    )
    ground_hue: float = _number(0.0, 1.0, "hue of the background")
    ground_light: float = _number(0.55, 1.0, "value of the background's colour")
    ground_size: float = _number(0.7, 1.4, "size of the pattern, times the usual one")
    ground_angle: float = _number(-0.8, 0.8, "turn of the pattern, in radians")
    # light and pen
    light: float = _number(-1.0, 1.0, "light from the left to from the right")
    contrast: float = _number(0.5, 1.0, "depth of the shadows")
    warmth: float = _number(-1.0, 1.0, "cold to warm light")
    pen: float = _number(0.8, 1.25, "width of the lines, times the usual one")
    unsteady: float = _number(0.4, 1.0, "how uneven the lines are")
    grain: float = _number(0.3, 1.0, "roughness of the paper")


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One factor: a number from ``low`` to ``high``, or one of ``choices`` (then 0 to its last)."""

    name: str
    meaning: str
    low: float
    high: float
    choices: tuple[str, ...] = ()


def _factor(name: str, metadata: Mapping[str, Any]) -> Factor:
    choices = metadata.get("choices", ())
    low, high = (0, len(choices) - 1) if choices else (metadata["low"], metadata["high"])
    meaning = metadata["meaning"]
    return Factor(name=name, meaning=meaning, low=low, high=high, choices=choices)


FACTORS: tuple[Factor, ...] = tuple(_factor(f.name, f.metadata) for f in fields(Face))

Part = tuple[float, float] | Mapping[str, float]  # a range of numbers, or a weight a choice
Law = Mapping[str, Part]

# Where a law says nothing, numbers are uniform and choices equally likely.
WIDE: Law = {
    "lids": {"open": 0.8, "half": 0.1, "closed": 0.05, "wink": 0.05},
    "ahoge": {"none": 0.7, "one": 0.2, "two": 0.1},
    "glasses": {"none": 0.84, "round": 0.08, "square": 0.08},
    "accessory": {
        **{"none": 0.4, "bow": 0.1, "headband": 0.1, "cat ears": 0.1},
        **{"flower": 0.1, "clip": 0.1, "beret": 0.1},
    },
}


def sample_face(rng: np.random.Generator, law: Law = WIDE) -> Face:
    """Return a face whose factors are drawn independently from ``law``.

    One random number a factor is spent whatever the law, so that laws differ where they say so.
    """
    values: dict[str, Any] = {}
    for factor, u in zip(FACTORS, rng.random(len(FACTORS)).tolist(), strict=True):
        part = law.get(factor.name)
        if factor.choices:
            weights = part if isinstance(part, Mapping) else dict.fromkeys(factor.choices, 1.0)
            ends = np.cumsum(list(weights.values()))
            chosen = int(np.searchsorted(ends, u * ends[-1], side="right"))
            values[factor.name] = tuple(weights)[chosen]
        else:
            low, high = part if isinstance(part, tuple) else (factor.low, factor.high)
            values[factor.name] = low + u * (high - low)
    return Face(**values)


def to_row(face: Face) -> NDArray[np.float32]:
    """Return the factors as a row of ``factors.npy``: (num_factors,), choices by their number."""
    values = [getattr(face, factor.name) for factor in FACTORS]
    return np.array(
        [
            factor.choices.index(value) if factor.choices else value
            for factor, value in zip(FACTORS, values, strict=True)
        ],
        np.float32,
    )


def from_row(row: NDArray[np.float32]) -> Face:
    """Return the face of a row of ``factors.npy``, with the row's precision."""
    return Face(
        **{
            factor.name: factor.choices[round(value)] if factor.choices else value
            for factor, value in zip(FACTORS, row.tolist(), strict=True)
        }
    )
