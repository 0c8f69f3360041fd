"""What maps look like: dark is high, pale is nothing, and no picture is mixed up with another."""

import numpy as np
import pytest

from mlspring.homeworks.hw09_explain.mosaic import FADED, captions, dark, enlarged, lit, mosaic

SIDE = 16


def test_a_map_is_dark_where_it_is_high() -> None:
    found = dark(np.array([[[0.0, 1.0]]], np.float32))
    assert found.tolist() == [[[[1, 1, 1], [0, 0, 0]]]]


def test_a_picture_is_whole_where_it_is_lit_and_pale_elsewhere() -> None:
    images = np.full((1, 1, 3, 3), 0.2, np.float32)
    found = lit(images, np.array([[[1.0, 0.0, -5.0]]], np.float32))
    assert found[0, 0, 0] == pytest.approx([0.2] * 3)
    assert found[0, 0, 1] == pytest.approx([1 - FADED * 0.8] * 3)
    assert np.array_equal(found[0, 0, 1], found[0, 0, 2])


def test_small_maps_become_squares() -> None:
    found = enlarged(np.array([[[1.0, 2.0], [3.0, 4.0]]], np.float32), 4)
    assert found[0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]


def test_every_picture_has_its_place() -> None:
    pictures = np.stack([np.full((SIDE, SIDE, 3), n / 10, np.float32) for n in range(3)])
    figure = mosaic({"up": pictures, "down": 1 - pictures}, ["a", "b", "c"], ["x", "y", "z"])
    (axes,) = figure.axes
    shown = np.asarray(axes.get_images()[0].get_array())
    step = shown.shape[1] // 3
    for column in range(3):
        left = step * column
        assert np.allclose(shown[:SIDE, left : left + SIDE], column / 10)
        assert np.allclose(shown[step : step + SIDE, left : left + SIDE], 1 - column / 10)
    assert [text.get_text() for text in axes.texts] == ["a", "b", "c"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["up", "down"]


def test_a_wrong_answer_stands_in_brackets() -> None:
    numbers = {"pictures": {"label": [0, 10, 9], "answer": [0, 10, 3]}}
    assert captions(numbers) == ["bread", "vegetable", "soup\n(egg)"]
