"""Light, shadow and paper: from a drawn sheet to the finished picture."""

import functools
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.faces.ground import COARSE, cut, ground
from mlspring.worlds.faces.palette import Palette
from mlspring.worlds.faces.pen import SCALE, SHEET, SIDE, UNIT, Floats, Sheet, Surface

LOST = (0.26, 0.38, 0.3)  # what a full shadow takes of red, green, blue
HATCH, DEPTH = 5.0, 0.26  # of hatched skin: finished pixels from line to line, change of light

# By surface: how much light falls off across it, roundness, mottle, whether shadows fall on it.
SURFACES = np.array(
    [
        [0.08, 0.0, 0.015, 0.0],  # ground
        [0.1, 0.0, 0.015, 1.0],  # skin
        [0.2, 0.3, 0.04, 0.0],  # hair
        [0.16, 0.0, 0.035, 0.5],  # cloth
        [0.04, 0.0, 0.01, 0.85],  # eye
        [0.0, 0.0, 0.02, 0.0],  # ink
        [0.14, 0.1, 0.03, 0.0],  # prop
    ],
    np.float32,
).T.copy()


@cache
def _hatching() -> Floats:
    """Return crossed lines of mean 0, (SHEET, SHEET)."""
    wave = 2 * np.pi * _side() / (HATCH * SCALE)
    lines = np.sin(wave + wave[:, None]) + np.sin(wave - wave[:, None])
    return np.asarray(DEPTH / 2 * lines, np.float32)


@cache
def _side() -> Floats:
    return np.arange(SHEET, dtype=np.float32) + 0.5


def render(sheet: Sheet, colors: Palette, *, hatched: bool = False) -> NDArray[np.uint8]:
    """Return the finished picture of a sheet: (64, 64, 3), its skin ``hatched`` or plain.

    Red, green and blue are kept apart, (3, SHEET, SHEET): numpy is slow along an axis of three.
    """
    face = sheet.face
    *paints, alpha = sheet.image.split()
    surface = np.asarray(alpha)
    behind = surface == Surface.GROUND
    falloff, roundness, mottle, shaded = (np.take(column, surface) for column in SURFACES)

    x, y = sheet.place(np.zeros((1, 2)), 0.0)[0].tolist()
    size = UNIT * face.scale
    across, down = (_side() - x) / size, ((_side() - y) / size)[:, None]
    far = np.clip(across**2 + down**2 - 0.5, 0, 1.4)
    falloff *= across * -sheet.toward[0] + down * -sheet.toward[1]
    roundness *= far * 0.5
    light = (falloff - roundness) * face.contrast
    light += mottle * cut(sheet.chance("mottle"), 2.2, SHEET)
    light += 1
    if hatched:
        light += _hatching() * (surface == Surface.SKIN)
    shade = np.asarray(sheet.shade) * shaded * (face.contrast / 255)
    to_tips = np.clip((down + 0.5) / 1.9, 0, 1) * (surface == Surface.HAIR)

    small = np.empty((SIDE, SIDE, 3), np.float32)
    backs = ground(sheet).astype(np.float32)
    for i, (drawn, back) in enumerate(zip(paints, backs, strict=True)):
        paint = np.asarray(drawn, np.float32)
        paint = np.where(behind, back.repeat(COARSE, 0).repeat(COARSE, 1), paint)
        paint += to_tips * (colors.tips[i] - colors.hair[i])
        paint *= light
        paint *= 1 - shade * LOST[i]
        small[..., i] = _reduced(np.clip(paint, 0, 262, out=paint))
    return _finish(sheet, small)


def _reduced(paint: Floats) -> Floats:
    """Return the means of SCALE x SCALE pixels: (SIDE, SIDE)."""
    rows = functools.reduce(np.add, [paint[i::SCALE] for i in range(SCALE)])
    total = functools.reduce(np.add, [rows[:, i::SCALE] for i in range(SCALE)])
    return np.asarray(total / SCALE**2, np.float32)


def _finish(sheet: Sheet, small: Floats) -> NDArray[np.uint8]:
    """Return the picture in the colour of its light, on grainy paper."""
    face = sheet.face
    warm = 0.05 * face.warmth
    small *= np.array([1 + warm, 1.0, 1 - warm], np.float32)
    small += (5.0 * face.grain) * cut(sheet.chance("grain"), 0.8, SIDE)[..., None]
    return np.asarray(np.clip(np.rint(small), 0, 255).astype(np.uint8))
