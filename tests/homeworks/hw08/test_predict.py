"""From maps to scores: means over windows, and what a picture is before a network sees it."""

import pytest
import torch

from mlspring.homeworks.hw08_anomaly.models import Seen
from mlspring.homeworks.hw08_anomaly.predict import suspicion, to_images, worst_window
from mlspring.kit.device import choose

CPU = choose("cpu", "fp32", work="dense")


def seen(images: torch.Tensor, logits: torch.Tensor | None = None) -> Seen:
    return Seen(images, torch.zeros(len(images), 1), None, logits)


def test_a_window_as_large_as_the_picture_is_the_mean() -> None:
    maps = torch.rand(3, 16, 16)
    assert torch.allclose(worst_window(maps, 16, 16), maps.mean((1, 2)))


def test_the_worst_window_finds_a_small_fault_that_the_mean_drowns() -> None:
    spread = torch.full((1, 32, 32), 0.1)
    local = torch.full((1, 32, 32), 0.09)
    local[0, 20:24, 5:9] = 0.5
    maps = torch.cat((spread, local))
    whole, worst = worst_window(maps, 32, 32), worst_window(maps, 4, 32)
    assert whole[0] > whole[1] and worst[0] < worst[1]
    assert worst[1] == pytest.approx(0.5)


def test_a_map_of_half_the_side_has_windows_of_half_the_side() -> None:
    maps = torch.zeros(1, 16, 16)
    maps[0, 3:5, 3:5] = 1.0
    assert worst_window(maps, 4, 32).item() == 1.0
    assert worst_window(maps, 8, 32).item() == pytest.approx(0.25)
    assert worst_window(maps, 1, 32).item() == 1.0


def test_the_error_is_the_mean_square_over_the_colours() -> None:
    images = torch.zeros(1, 3, 4, 4)
    found = images.clone()
    found[0, 1, 2, 3] = 0.6
    error = suspicion(images, seen(found), "error")
    assert error[0, 2, 3] == pytest.approx(0.12)
    assert error.sum() == pytest.approx(0.12)


def test_a_classifier_s_map_is_its_probability() -> None:
    logits = torch.tensor([[[0.0, 100.0]]])
    images = torch.zeros(1, 3, 2, 4)
    assert suspicion(images, seen(images, logits), "classifier").tolist() == [[[0.5, 1.0]]]


def test_pixels_become_values_from_minus_one_to_one_averaged_over_squares() -> None:
    pixels = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    pixels[0, 1::2, :, 0] = 255
    images = to_images(pixels, 64, CPU)
    assert images.shape == (1, 3, 64, 64) and images.min() == -1 and images.max() == 1
    half = to_images(pixels, 32, CPU)
    assert half.shape == (1, 3, 32, 32)
    assert torch.allclose(half[0, 0], torch.zeros(32, 32), atol=1e-6)
