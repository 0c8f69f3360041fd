"""Edges of homework 11 against a plain per-pixel reference and closed forms."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import feature
from skimage.draw import disk

from mlspring.homeworks.hw11_adaptation import edges


def plain_canny(image: NDArray[np.uint8], low: float, high: float) -> NDArray[np.bool_]:
    """OpenCV's rules, pixel by pixel: Sobel, |gx| + |gy|, thinning, hysteresis."""
    h, w = image.shape
    padded = np.pad(image.astype(int), 1, mode="edge")
    gx, gy = np.zeros((h, w), int), np.zeros((h, w), int)
    for y in range(h):
        for x in range(w):
            p = padded[y : y + 3, x : x + 3]
            gx[y, x] = p[0, 2] + 2 * p[1, 2] + p[2, 2] - p[0, 0] - 2 * p[1, 0] - p[2, 0]
            gy[y, x] = p[2, 0] + 2 * p[2, 1] + p[2, 2] - p[0, 0] - 2 * p[0, 1] - p[0, 2]
    strength = np.pad(np.abs(gx) + np.abs(gy), 1)
    kept = np.zeros((h, w), int)
    for y in range(h):
        for x in range(w):
            angle = np.degrees(np.arctan2(gy[y, x], gx[y, x])) % 180
            step = [(0, 1), (1, 1), (1, 0), (1, -1), (0, 1)][int((angle + 22.5) // 45)]
            here = strength[y + 1, x + 1]
            before = strength[y + 1 - step[0], x + 1 - step[1]]
            after = strength[y + 1 + step[0], x + 1 + step[1]]
            if here > before and here >= after:
                kept[y, x] = here
    found, waiting = kept > high, [tuple(p) for p in np.argwhere(kept > high)]
    while waiting:
        y, x = waiting.pop()
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                v, u = y + dy, x + dx
                if 0 <= v < h and 0 <= u < w and kept[v, u] > low and not found[v, u]:
                    found[v, u] = True
                    waiting.append((v, u))
    return found


def scene(seed: int, side: int = 32) -> NDArray[np.uint8]:
    """A disc on a noisy slope."""
    rng = np.random.default_rng(seed)
    image = np.tile(np.linspace(60, 120, side), (side, 1)) + rng.normal(0, 12, (side, side))
    image[disk((16, 15), 9, shape=image.shape)] += 90
    return image.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_canny_follows_opencv_s_rules(seed: int) -> None:
    image = scene(seed)
    ours = edges.canny(torch.from_numpy(image)[None], 0.0, 100, 250)[0].numpy() > 0
    theirs = plain_canny(image, 100, 250)
    assert theirs.any()
    # angles on the border between two directions may fall to either side
    assert (ours != theirs).mean() < 0.002


def test_canny_finds_what_scikit_image_finds() -> None:
    image = scene(0, 48)
    ours = edges.canny(torch.from_numpy(image)[None], 1.5, 60, 150)[0].numpy() > 0
    theirs = feature.canny(image.astype(float), sigma=1.5, low_threshold=60, high_threshold=150)
    near = torch.nn.functional.max_pool2d(torch.from_numpy(theirs)[None].float(), 3, 1, 1)[0]
    assert theirs.sum() > 20
    assert near.numpy()[ours].mean() > 0.95  # at most one pixel beside
    assert 0.7 < ours.sum() / theirs.sum() < 1.4


def test_weak_edges_stay_only_beside_strong_ones() -> None:
    image = torch.zeros(1, 12, 24)
    image[:, :, 6:12] = 40  # weak alone: gradient 160
    image[:, :, 18:] = torch.linspace(20, 200, 12)[:, None]  # weak above, strong below
    found = edges.canny(image, 0.0, 50, 400)[0]
    assert found[:, :14].sum() == 0
    assert (found[:, 16:20].amax(1) > 0).sum() >= 9  # followed upwards from the strong end


def test_a_flat_picture_has_no_edges() -> None:
    flat = torch.full((2, 32, 32), 77, dtype=torch.uint8)
    assert edges.canny(flat, 1.0, 50, 100).sum() == 0
    assert edges.sobel(flat, 1.0).sum() == 0


def test_sobel_measures_a_step_as_its_docstring_says() -> None:
    image = torch.zeros(1, 8, 8)
    image[:, :, 4:] = 255
    across, down = edges.gradients(image, 0.0)
    assert across.max() == 1020
    assert down.abs().max() == 0
    assert edges.sobel(image, 0.0)[0, :, 3:5].min() == 255


def test_pictures_of_a_batch_do_not_touch_each_other() -> None:
    batch = torch.from_numpy(np.stack([scene(s) for s in range(3)]))
    for find in (lambda x: edges.canny(x, 0.8, 80, 200), lambda x: edges.sobel(x, 0.8)):
        together = find(batch)
        alone = torch.cat([find(batch[i : i + 1]) for i in range(3)])
        assert torch.equal(together, alone)
