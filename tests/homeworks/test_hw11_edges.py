"""Edges of homework 11 against a plain per-pixel reference and closed forms."""

import heapq

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


# ---- objects


def plain_distances(photo: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Dijkstra's algorithm from all border pixels at once, on colours blurred by a 3 x 3 box."""
    padded = np.pad(photo.astype(float), ((1, 1), (1, 1), (0, 0)), mode="edge")
    h, w = photo.shape[:2]
    colours = sum(padded[y : y + h, x : x + w] for y in range(3) for x in range(3)) / 9
    border = [(y, x) for y in range(h) for x in range(w) if y in (0, h - 1) or x in (0, w - 1)]
    far = np.full((h, w), np.inf)
    waiting = [(0.0, place) for place in border]
    while waiting:
        here, (y, x) = heapq.heappop(waiting)
        if here >= far[y, x]:
            continue
        far[y, x] = here
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= v < h and 0 <= u < w:
                change = np.linalg.norm(colours[v, u] - colours[y, x])
                heapq.heappush(waiting, (here + 0.5 + max(change - edges.SAME, 0), (v, u)))
    return far


def coloured(seed: int) -> NDArray[np.uint8]:
    """A smooth scene in three colours: a disc on a ground, both with a slope."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 40, 24)
    ground = rng.integers(40, 100, 3) + ramp[:, None, None] + ramp[None, :, None] / 2
    ground[disk((12, 11), 7, shape=(24, 24))] += rng.integers(30, 110, 3)
    return ground.clip(0, 255).astype(np.uint8)


def test_distances_to_the_border_are_those_of_the_cheapest_way() -> None:
    photos = np.stack([coloured(seed) for seed in range(4)])
    ours = edges.distance_to_border(torch.from_numpy(photos)).numpy()
    theirs = np.stack([plain_distances(photo) for photo in photos])
    assert np.all(ours >= theirs - 1e-2)  # a way, if not always the cheapest
    assert np.mean(np.abs(ours - theirs) < 0.02 * theirs + 1e-3) > 0.95
    assert theirs[:, 12, 11].min() > 20


def test_nothing_but_steps_counts_within_one_colour() -> None:
    flat = torch.full((1, 9, 11, 3), 90, dtype=torch.uint8)
    rows, columns = torch.arange(9)[:, None], torch.arange(11)
    steps = torch.minimum(torch.minimum(rows, 8 - rows), torch.minimum(columns, 10 - columns))
    assert torch.equal(edges.distance_to_border(flat)[0], 0.5 * steps)
    assert edges.objects(flat, 1.0).sum() == 0


def test_an_object_outshines_the_ground_s_edges() -> None:
    """A disc and a bar of the same colour: the disc lies alone, the bar reaches the border."""
    photo = torch.full((1, 64, 64, 3), 60, dtype=torch.uint8)
    photo[:, :, 4:8] = torch.tensor([200, 90, 60], dtype=torch.uint8)
    inside = torch.zeros(64, 64, dtype=torch.bool)
    inside[disk((32, 40), 12)] = True
    photo[0, inside] = torch.tensor([200, 90, 60], dtype=torch.uint8)
    found = edges.objects(photo, 1.0)[0].float()
    assert found[:, 24:].max() > 250
    assert found[10:54, :12].max() < 0.35 * found[:, 24:].max()
    plain = edges.sobel(photo.float() @ torch.tensor([0.3, 0.6, 0.1]), 1.0)[0].float()
    assert plain[10:54, :12].max() > 0.9 * plain[:, 24:].max()


def test_colours_of_equal_brightness_part_an_object_from_its_ground() -> None:
    photo = torch.full((1, 32, 32, 3), 100, dtype=torch.uint8)
    photo[:, 10:22, 10:22] = torch.tensor([160, 80, 52], dtype=torch.uint8)  # luma 100.7
    assert edges.objects(photo, 1.0).max() == 255
