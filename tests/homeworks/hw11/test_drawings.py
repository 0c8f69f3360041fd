"""How homework 11's drawings are read: which way round, on which ground, how bright."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring.core.errors import DataError
from mlspring.core.source import official
from mlspring.homeworks.hw11_adaptation import data, drawings
from tests.tiny.domains import drawing, recipe, write_domains


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_domains(tmp_path / "data")


def test_dark_strokes_are_inverted(folder: Path) -> None:
    bright = data.load(official(folder), recipe())
    assert not bright.inverted
    for file in drawing(folder).parent.iterdir():
        with Image.open(file) as image:
            turned = image.point(lambda value: 255 - value)
        turned.save(file)
    dark = data.load(official(folder), recipe())
    assert dark.inverted
    assert np.abs(dark.target_images.astype(int) - bright.target_images).max() <= 1


def make_transparent(folder: Path, ink: int) -> None:
    """Turn the drawings into PNGs whose strokes are so bright, on a transparent ground."""
    for file in drawing(folder).parent.iterdir():
        with Image.open(file) as image:
            alpha = image.convert("L")
        strokes = Image.new("L", alpha.size, ink)
        Image.merge("LA", (strokes, alpha)).convert("RGBA").save(file.with_suffix(".png"))
        file.unlink()


@pytest.mark.parametrize("ink", [255, 250, 0, 5])
def test_strokes_on_a_transparent_ground_are_seen_whatever_their_brightness(
    folder: Path, ink: int
) -> None:
    plain = data.load(official(folder), recipe())
    make_transparent(folder, ink)
    loaded = data.load(official(folder), recipe())
    assert loaded.inverted == (ink < 128)
    assert np.abs(loaded.target_images.astype(int) - plain.target_images).max() <= 8
    again = data.load(official(folder), recipe())
    assert np.array_equal(again.target_images, loaded.target_images)


def test_blank_drawings_are_refused_where_they_are_most(folder: Path) -> None:
    files = sorted(drawing(folder).parent.iterdir())
    for file in files[: len(files) // 2]:
        Image.new("L", (28, 28), 255).save(file)
    data.load(official(folder), recipe())
    Image.new("L", (28, 28), 0).save(files[-1])
    with pytest.raises(DataError) as refused:
        data.load(official(folder), recipe())
    assert f"{files[0]}: has no strokes, as have 19 of 36 drawings" in str(refused.value)


def test_faint_drawings_are_made_white() -> None:
    faint = np.zeros((3, 10, 10), np.uint8)
    faint[0, 0] = 50  # a tenth of the pixels, faint
    faint[1, 0] = 200
    faint[2, 0, 0] = 9  # almost empty: no stroke
    bright = drawings.whitened(faint, 95)
    assert bright.dtype == np.uint8
    assert bright[0, 0].tolist() == bright[1, 0].tolist() == [255] * 10
    assert bright[:, 1:].max() == 0
    assert 100 < bright[2, 0, 0] < 160


def test_a_recipe_says_whether_drawings_are_made_white(folder: Path) -> None:
    for file in drawing(folder).parent.iterdir():
        with Image.open(file) as image:
            faint = image.point(lambda value: value // 4)
        faint.save(file)
    assert data.load(official(folder), recipe()).target_images.max() < 64
    assert data.load(official(folder), recipe("data.white=97")).target_images.max() == 255
