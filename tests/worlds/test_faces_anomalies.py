"""Anomalies: each changes what it says and nothing else; colour alone gives none of them away."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from mlspring.worlds.faces import anomalies
from mlspring.worlds.faces.anomalies import BOX, CHANGES, KINDS, NARROW, draw_anomaly, face_box
from mlspring.worlds.faces.drawing import draw
from mlspring.worlds.faces.factors import Face, sample_face
from mlspring.worlds.faces.features import features
from mlspring.worlds.faces.pen import SCALE, SIDE, Sheet

FEW, MANY = 3, 60  # faces
# A box of the face, in half widths of it, that holds all that a kind may change.
WHERE = {
    "no mouth": (-0.4, 0.6, 0.4, 1.05),
    "one eye": (-0.95, -0.3, -0.05, 0.75),
    "cyclops": (-1.0, -0.6, 1.0, 0.95),
    "tiny eyes": (-0.95, -0.3, 0.95, 0.75),
    "third eye": (-0.5, -0.95, 0.5, 0.0),
    "second mouth": (-0.4, -0.7, 0.4, -0.1),
    "mask": (-1.15, 0.3, 1.15, 1.25),
    "sunglasses": (-1.0, -0.3, 1.0, 0.8),
    "upside down": (-1.0, -0.45, 1.0, 1.25),
    "swapped": (-0.5, -0.4, 1.0, 1.3),
    "square head": (-1.2, -1.3, 1.2, 1.5),
    "hatched": (-1.3, -1.0, 1.3, 2.0),
}


@cache
def person(number: int) -> Face:
    return sample_face(np.random.default_rng([11, number]), NARROW)


@cache
def normal(number: int) -> NDArray[np.uint8]:
    return draw(person(number), number)


@cache
def wrong(number: int, kind: str) -> NDArray[np.uint8]:
    return draw_anomaly(person(number), number, kind)


def promised(face: Face, kind: str) -> NDArray[np.bool_]:
    """Return the pixels that a kind may change: (64, 64)."""
    allowed = np.zeros((SIDE, SIDE), np.bool_)
    if kind not in WHERE:
        allowed[face_box(face)] = True
        return allowed
    left, top, right, bottom = WHERE[kind]
    across, down = np.meshgrid(np.linspace(left, right, 5), np.linspace(top, bottom, 5))
    inside = np.stack([across.ravel(), down.ravel()], 1)
    sheet = Sheet(face, 0)
    at = np.concatenate([sheet.place(inside, depth) for depth in (0.1, 1.1)]) / SCALE
    (x0, y0), (x1, y1) = np.floor(at.min(0)).astype(int) - 1, np.ceil(at.max(0)).astype(int) + 1
    allowed[max(y0, 0) : y1, max(x0, 0) : x1] = True
    return allowed


def test_there_are_at_least_ten_kinds() -> None:
    assert len(set(KINDS)) == len(KINDS) >= 10
    assert set(WHERE) == set(CHANGES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_changes_what_it_says_and_nothing_else(kind: str) -> None:
    for number in range(FEW):
        pixels = (wrong(number, kind) != normal(number)).any(2)
        allowed = promised(person(number), kind)
        assert pixels.sum() > 12
        assert not (pixels & ~allowed).any()


@pytest.mark.parametrize("kind", CHANGES)
def test_a_kind_changes_no_factor_and_only_some_features(kind: str) -> None:
    shown = features(person(0))
    assert CHANGES[kind](shown) != shown
    assert features(person(0)) == shown


def test_no_mouth_is_skin_and_one_eye_is_one() -> None:
    face, picture = person(1), normal(1).astype(int)
    mouth = features(face).mouths[0]
    column, row = (Sheet(face, 0).place(np.array([[mouth.x, mouth.y]]))[0] / SCALE).astype(int)
    around = np.s_[row - 1 : row + 2, column - 1 : column + 2]
    assert wrong(1, "no mouth").astype(int)[around].std((0, 1)).max() < 12
    assert picture[around].std((0, 1)).max() > 12
    right = np.s_[:, 40:]  # one eye lacks on the left, the other stays as it was
    assert np.array_equal(wrong(1, "one eye")[right], normal(1)[right])


def test_upside_down_is_its_own_inverse() -> None:
    shown = features(person(2))
    once = CHANGES["upside down"](shown)
    assert once.eyes[0].y > once.mouths[0].y
    for place, again in zip(shown.eyes, CHANGES["upside down"](once).eyes, strict=True):
        assert (again.x, again.y) == pytest.approx((place.x, place.y))


def test_rearranged_boxes_keep_their_means() -> None:
    box = normal(0)[face_box(person(0))]
    halves = anomalies.REARRANGED["halves"](box)
    assert np.array_equal(halves[:, :BOX], box[:, BOX:])
    assert np.array_equal(halves[:, BOX:], box[:, :BOX])
    negative = anomalies.REARRANGED["negative"](box).mean(2)
    assert negative.mean() == pytest.approx(box.mean(), abs=8)  # what is clipped at white
    inside = np.s_[BOX - 5 : BOX + 5, BOX - 5 : BOX + 5]
    assert np.corrcoef(negative[inside].ravel(), box.mean(2)[inside].ravel())[0, 1] < -0.8


@pytest.mark.parametrize("kind", KINDS)
def test_colour_alone_does_not_tell_a_kind(kind: str) -> None:
    """The same people twice, so that only what is wrong differs; a person is in one fold."""
    pictures = np.stack([f(number) for f in (normal, lambda n: wrong(n, kind))
                         for number in range(MANY)]).reshape(2 * MANY, -1, 3)  # fmt: skip
    colours = np.concatenate([pictures.mean(1), pictures.std(1)], axis=1)
    colours = (colours - colours.mean(0)) / colours.std(0)
    labels, people = np.repeat([0, 1], MANY), np.tile(np.arange(MANY), 2)
    scores = cross_val_predict(
        LogisticRegression(), colours, labels, groups=people, cv=GroupKFold(5),
        method="decision_function",
    )  # fmt: skip
    assert roc_auc_score(labels, scores) < 0.65
