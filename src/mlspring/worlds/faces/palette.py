"""The colours of one face, from its factors."""

from dataclasses import dataclass

from mlspring.worlds.faces.factors import EYE_COLORS, HAIR_COLORS, Face
from mlspring.worlds.shapes import WHITE, Color, hsv, mix

INK: Color = (44, 30, 40)
PINK: Color = (236, 96, 104)
LILAC: Color = (176, 166, 200)


@dataclass(frozen=True, kw_only=True)
class Palette:
    """What parts of a face are filled and outlined with."""

    skin: Color
    skin_line: Color
    blush: Color
    hair: Color
    hair_back: Color
    hair_dark: Color
    hair_light: Color
    hair_line: Color
    tips: Color
    eye: Color
    eye_dark: Color
    eye_light: Color
    lash: Color
    lip: Color
    cloth: Color
    cloth_dark: Color
    cloth_line: Color
    trim: Color
    prop: Color
    prop_dark: Color
    prop_line: Color


def dark(color: Color, share: float) -> Color:
    """Return ``color`` nearer to ink."""
    return mix(color, INK, share)


def light(color: Color, share: float) -> Color:
    """Return ``color`` nearer to white."""
    return mix(color, WHITE, share)


def palette(face: Face) -> Palette:
    """Return the colours of ``face``."""
    tone = face.skin_tone
    skin = hsv(0.062 + 0.022 * face.skin_warmth, 0.16 + 0.36 * tone, 1.0 - 0.42 * tone**1.3)
    hue, saturation, value = HAIR_COLORS[face.hair_color]
    hair = hsv(hue + 0.012 * face.hair_tint, saturation, value * (1 + 0.16 * face.hair_tint))
    ends = hsv(
        hue + 0.13 * face.tips,
        saturation + 0.2 * abs(face.tips),
        value * (1 + 0.12 * face.hair_tint) + 0.1 * abs(face.tips),
    )
    eye = hsv(*EYE_COLORS[face.eye_color])
    cloth = hsv(face.cloth_hue, 0.5, face.cloth_light)
    prop = hsv(face.accessory_hue, 0.62, 0.85)
    return Palette(
        skin=skin,
        skin_line=mix(skin, (120, 50, 46), 0.62),
        blush=mix(skin, PINK, 0.15 + 0.5 * face.blush),
        hair=hair,
        hair_back=dark(hair, 0.3),
        hair_dark=dark(hair, 0.22),
        hair_light=light(hair, 0.3),
        hair_line=dark(hair, 0.62),
        tips=ends,
        eye=eye,
        eye_dark=dark(eye, 0.6),
        eye_light=light(eye, 0.5),
        lash=mix(dark(hair, 0.8), INK, 0.6),
        lip=mix(skin, (170, 40, 52), 0.7),
        cloth=cloth,
        cloth_dark=dark(cloth, 0.3),
        cloth_line=dark(cloth, 0.65),
        trim=light(cloth, 0.75) if face.cloth_light < 0.7 else dark(cloth, 0.4),
        prop=prop,
        prop_dark=dark(prop, 0.3),
        prop_line=dark(prop, 0.65),
    )
