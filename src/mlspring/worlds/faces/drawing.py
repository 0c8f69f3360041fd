"""One drawn face: the order in which its parts are drawn."""

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.faces.back_hair import draw_back_hair, draw_front_braids
from mlspring.worlds.faces.eyes import draw_brow, draw_eye, draw_glasses
from mlspring.worlds.faces.factors import Face
from mlspring.worlds.faces.features import Features, features
from mlspring.worlds.faces.hair import draw_front_hair
from mlspring.worlds.faces.head import draw_body, draw_head, draw_mouth, draw_nose
from mlspring.worlds.faces.palette import palette
from mlspring.worlds.faces.pen import Sheet
from mlspring.worlds.faces.props import draw_mask, draw_prop, draw_sunglasses
from mlspring.worlds.faces.shading import render


def draw(face: Face, texture: int, changed: Features | None = None) -> NDArray[np.uint8]:
    """Return the picture of a face: (64, 64, 3).

    Args:
        face: its factors.
        texture: fixes the unevenness of pen, hair and paper.
        changed: features other than a normal face's.
    """
    sheet, colors = Sheet(face, texture), palette(face)
    normal = features(face)
    shown = changed or normal
    draw_back_hair(sheet, colors)
    draw_body(sheet, colors)
    draw_front_braids(sheet, colors)
    draw_head(sheet, colors, shown.head)
    draw_nose(sheet, shown.nose, colors)
    for place in shown.mouths:
        draw_mouth(sheet, place, colors)
    if shown.cover == "mask":
        draw_mask(sheet, colors)
    for place in shown.eyes:
        draw_eye(sheet, place, colors)
    draw_front_hair(sheet, colors)
    for place in shown.brows:
        draw_brow(sheet, place, colors)
    for place in shown.eyes_above:
        draw_eye(sheet, place, colors)
    for place in shown.mouths_above:
        draw_mouth(sheet, place, colors)
    if shown.cover == "sunglasses":
        draw_sunglasses(sheet, normal.eyes, colors)
    elif face.glasses != "none":
        draw_glasses(sheet, normal.eyes)
    draw_prop(sheet, colors)
    return render(sheet, colors, hatched=shown.skin == "hatched")
