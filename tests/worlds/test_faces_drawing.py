"""Drawn faces: independent factors, each of which shows where it should and nowhere else."""

import math
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring.worlds.faces.anomalies import NARROW
from mlspring.worlds.faces.drawing import draw
from mlspring.worlds.faces.factors import FACTORS, WIDE, Face, from_row, sample_face, to_row
from mlspring.worlds.faces.features import features
from mlspring.worlds.faces.palette import palette
from mlspring.worlds.faces.pen import MIDDLE, SCALE, SIDE, UNIT, Sheet, Surface, curve, weights

LAWS = {"wide": WIDE, "narrow": NARROW}
NAMES = [factor.name for factor in FACTORS]
# A face on which every factor can be seen.
PLAIN = Face(
    turn=0.0, nod=0.0, tilt=0.0, shift_x=0.0, shift_y=0.0, scale=1.0, head_width=1.0, chin=0.5,
    skin_tone=0.3, skin_warmth=0.0, blush=0.5, nose="line", hair_color="brown", hair_tint=0.0,
    tips=0.2, back="bob", length=0.5, fringe="swept left", fringe_length=0.3, sidelocks=0.0,
    volume=0.5, strands=0.5, ahoge="one", eye_color="blue", eye_size=1.0, eye_height=1.0,
    eye_spacing=1.0, eye_level=0.0, slant=0.0, gaze=0.0, lids="open", sparkle="two",
    brow_level=0.5, brow_slant=0.0, brow_weight=0.7, mouth="open", mouth_width=1.0,
    mouth_level=0.0, accessory="bow", accessory_hue=0.1, glasses="none", collar="sailor",
    cloth_hue=0.6, cloth_light=0.6, ground="stripes", ground_hue=0.5, ground_light=0.9,
    ground_size=1.0, ground_angle=0.1, light=-0.4, contrast=0.8, warmth=0.0, pen=1.0,
    unsteady=0.7, grain=0.6,
)  # fmt: skip
TEXTURE = 5


@cache
def plain() -> NDArray[np.uint8]:
    return draw(PLAIN, TEXTURE)


def changed(**factors: float | str) -> NDArray[np.bool_]:
    """Return which pixels of the plain face change with some factors: (64, 64)."""
    other = draw(replace(PLAIN, **factors), TEXTURE)  # type: ignore[arg-type]
    return (other != plain()).any(2)


def near(face: Face, x: float, y: float, wide: float, tall: float) -> NDArray[np.bool_]:
    """Return the pixels of a box around a point of the face, its half sides in pixels."""
    column, row = (Sheet(face, 0).place(np.array([[x, y]]))[0] / SCALE).tolist()
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    return (abs(columns - column) < wide) & (abs(rows - row) < tall)


def near_eyes(wide: float = 9, tall: float = 9, up: float = 0.0) -> NDArray[np.bool_]:
    left, right = (near(PLAIN, place.x, place.y - up, wide, tall) for place in features(PLAIN).eyes)
    return left | right


def test_there_are_many_factors_each_with_a_meaning_and_a_range() -> None:
    assert len(FACTORS) >= 25
    assert [f.name for f in fields(Face)] == NAMES
    for factor in FACTORS:
        assert factor.low < factor.high and factor.meaning
        assert len(set(factor.choices)) == len(factor.choices) != 1


@pytest.mark.parametrize("law", LAWS)
def test_sampled_factors_stay_in_their_law(law: str) -> None:
    rng = np.random.default_rng(3)
    rows = np.array([to_row(sample_face(rng, LAWS[law])) for _ in range(500)])
    for factor, column in zip(FACTORS, rows.T, strict=True):
        part = LAWS[law].get(factor.name, ())
        if factor.choices:
            allowed = set(part or factor.choices)
            assert {factor.choices[int(number)] for number in column} == allowed
            assert allowed <= set(factor.choices)
        else:
            low, high = part or (factor.low, factor.high)
            assert factor.low <= low <= column.min() < column.max() <= high <= factor.high
            assert np.ptp(column) > 0.95 * (high - low)


def test_factors_do_not_depend_on_one_another() -> None:
    rng = np.random.default_rng(4)
    rows = np.array([to_row(sample_face(rng)) for _ in range(2000)])
    correlation = np.corrcoef(rows.T) - np.eye(len(FACTORS))
    assert np.abs(correlation).max() < 0.1  # the largest of 1,485 by chance: about 0.08


def test_weights_of_choices_are_kept() -> None:
    rng = np.random.default_rng(5)
    open_eyes = np.mean([sample_face(rng).lids == "open" for _ in range(2000)])
    assert open_eyes == pytest.approx(0.8, abs=0.03)


def test_a_row_gives_its_face_back() -> None:
    face = sample_face(np.random.default_rng(6))
    again = from_row(to_row(face))
    assert np.array_equal(to_row(again), to_row(face))
    assert (again.back, again.mouth) == (face.back, face.mouth)
    assert again.turn == pytest.approx(face.turn, rel=1e-6)


def test_laws_that_agree_on_a_factor_draw_it_alike() -> None:
    wide, narrow = (sample_face(np.random.default_rng(8), law) for law in (WIDE, NARROW))
    assert wide.chin == narrow.chin and wide.turn != narrow.turn


def test_a_picture_is_a_pure_function_of_factors_and_texture() -> None:
    face = sample_face(np.random.default_rng(7))
    picture = draw(face, 1)
    assert picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.uint8
    assert np.array_equal(draw(face, 1), picture)
    assert not np.array_equal(draw(face, 2), picture)


@pytest.mark.parametrize("name", NAMES)
def test_every_factor_shows(name: str) -> None:
    factor = FACTORS[NAMES.index(name)]
    middle = (factor.low + factor.high) / 2  # a hue's ends are one colour
    values = factor.choices or (factor.low, middle)
    pictures = {draw(replace(PLAIN, **{name: value}), TEXTURE).tobytes() for value in values}
    assert len(pictures) == len(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [("eye_color", "amber"), ("gaze", 0.9), ("sparkle", "many"), ("lids", "closed")],
)
def test_what_eyes_are_like_shows_at_the_eyes_alone(name: str, value: str) -> None:
    pixels = changed(**{name: value})
    assert pixels.sum() > 10 and not (pixels & ~near_eyes()).any()


@pytest.mark.parametrize("value", ["smile", "flat", "grin", "cat", "round", "frown"])
def test_the_mouth_shows_below_the_nose_alone(value: str) -> None:
    place = features(PLAIN).mouths[0]
    pixels = changed(mouth=value)
    assert pixels.any() and not (pixels & ~near(PLAIN, place.x, place.y, 6, 4)).any()


def test_small_features_show_where_they_are() -> None:
    assert not (changed(nose="wedge") & ~near(PLAIN, 0.0, 0.55, 4, 4)).any()
    assert not (changed(blush=1.0) & ~near(PLAIN, 0.0, 0.6, 16, 4)).any()
    assert not (changed(brow_slant=0.3) & ~near_eyes(8, 7, up=0.5)).any()
    assert not (changed(accessory_hue=0.6) & ~near(PLAIN, 0.62, -1.02, 13, 11)).any()


def test_clothes_show_below_the_chin_and_the_ground_around_the_head() -> None:
    for factors in ({"cloth_hue": 0.1}, {"cloth_light": 0.3}, {"collar": "round"}):
        assert not changed(**factors)[:54].any()  # type: ignore[arg-type]
    for factors in ({"ground": "dots"}, {"ground_hue": 0.9}, {"ground_size": 1.3}):
        pixels = changed(**factors)  # type: ignore[arg-type]
        assert pixels[:6].mean() > 0.2 and not pixels[20:50, 18:46].any()


def test_hair_and_skin_keep_to_their_surfaces() -> None:
    hair, skin = changed(hair_color="pink"), changed(skin_tone=0.9)
    assert hair[14:20, 20:30].all() and not hair[:, :6].any() and not hair[52:56, 28:36].any()
    assert skin[44:47, 28:36].all() and not skin[14:19].any()


def test_a_turned_head_moves_its_features_more_than_its_rim() -> None:
    sheet = Sheet(replace(PLAIN, turn=20.0), 0)
    middle = sheet.place(np.array([[0.0, 0.3]]))[0, 0] - MIDDLE[0]
    rim = sheet.place(np.array([[1.25, 0.0]]))[0, 0] - MIDDLE[0] - UNIT * 1.25
    assert middle > 0.2 * UNIT and rim < 0
    assert Sheet(PLAIN, 0).place(np.array([[0.0, 0.3]]))[0, 0] == pytest.approx(MIDDLE[0])


def test_tilt_turns_and_scale_stretches_about_the_middle() -> None:
    at = Sheet(replace(PLAIN, tilt=12.0, scale=1.1), 0).place(np.array([[0.0, 0], [1.0, 0]]), 0.0)
    away = at[1] - at[0]
    assert at[0] == pytest.approx(MIDDLE)
    assert np.hypot(*away) == pytest.approx(1.1 * UNIT)
    assert math.degrees(math.atan2(away[1], away[0])) == pytest.approx(12.0)


def test_a_curve_keeps_its_ends_and_leans_to_its_pull() -> None:
    assert weights(9).sum(1) == pytest.approx(np.ones(9))
    line = curve((0.0, 0.0), (1.0, 2.0), (2.0, 0.0))
    assert line[[0, -1]].tolist() == [[0.0, 0.0], [2.0, 0.0]]
    assert line[4].tolist() == pytest.approx([1.0, 1.0])  # half way to the pull
    assert len(curve((0, 0), (1, 1), (2, 0), (3, -1), (4, 0), num=5)) == 10


@pytest.mark.parametrize("taper", [0.0, 1.0])
def test_a_stroke_is_as_wide_as_said_and_thins_to_its_ends(taper: float) -> None:
    sheet = Sheet(replace(PLAIN, unsteady=0.0), 0)
    line = np.stack([np.linspace(-1, 1, 21), np.zeros(21)], 1)
    sheet.stroke(line, 6.0, (1.0, 2.0, 3.0), "line", 0.0, taper=taper)
    inked = np.asarray(sheet.image)[..., 3] == Surface.INK
    across = inked.sum(0)[inked.any(0)]
    assert across.max() == pytest.approx(6 * 0.85 * SCALE, abs=1.5)
    assert across[1] == pytest.approx(across.max() if taper == 0 else 3, abs=2)


def test_colours_stay_in_gamut() -> None:
    for seed in range(30):
        rng = np.random.default_rng([9, seed])
        face = sample_face(rng)
        for part in fields(colors := palette(face)):
            assert all(0 <= value <= 255 for value in getattr(colors, part.name)), part.name
        picture = draw(face, seed)
        assert (picture == 0).mean() < 0.02 and (picture == 255).mean() < 0.06


def test_faces_of_one_law_are_all_different_and_of_one_kind() -> None:
    pictures = np.stack(
        [draw(sample_face(np.random.default_rng([10, i])), i) for i in range(40)]
    ).astype(float)
    flat = pictures.reshape(40, -1)
    apart = np.linalg.norm(flat[:, None] - flat, axis=2) + np.diag([np.inf] * 40)
    assert apart.min() > 1500  # 14 of 255 a channel
    middle = pictures[:, 24:44, 22:42].mean(0)
    assert middle.std((0, 1)).max() > 8, "eyes show even in the mean of all"
