"""What only real sketches need, against closed forms and plain references."""

import heapq
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.draw import disk

from mlspring.homeworks.hw11_adaptation import edges, sketches
from mlspring.kit.seeding import generator


def test_the_contrastive_loss_is_the_cross_entropy_of_finding_the_partner() -> None:
    codes = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    unit = codes / codes.norm(dim=1, keepdim=True)
    expected = 0.0
    for row in range(6):
        close = {other: math.exp(unit[row] @ unit[other] / 0.2) for other in range(6)}
        del close[row]
        expected -= math.log(close[(row + 3) % 6] / sum(close.values())) / 6
    assert sketches.contrastive_loss(codes).item() == pytest.approx(expected)
    assert sketches.contrastive_loss(7 * codes).item() == pytest.approx(expected)  # angles alone
    assert sketches.contrastive_loss(torch.ones(8, 5)).item() == pytest.approx(math.log(7))
    same = torch.eye(4).repeat(2, 1)  # each row equals its partner, and no other
    assert sketches.contrastive_loss(same).item() < 0.05


def test_own_statistics_are_learnt_apart_and_used_apart() -> None:
    norm = sketches.DomainNorm(2).train()
    norm.num_photos = 400
    draw = generator("own statistics")
    photos = 5 + 2 * torch.randn(400, 2, 3, 3, generator=draw)
    x = torch.cat((photos, torch.randn(400, 2, 3, 3, generator=draw) - 1))
    for _ in range(100):
        normalised = norm(x)
    for part in (normalised[:400], normalised[400:]):
        assert part.mean().item() == pytest.approx(0, abs=1e-5)
        assert part.std().item() == pytest.approx(1, abs=1e-3)
    assert norm.photo_mean.tolist() == pytest.approx([5, 5], abs=0.2)
    assert norm.photo_var.tolist() == pytest.approx([4, 4], abs=0.4)
    assert norm.running_mean is not None
    assert norm.running_mean.tolist() == pytest.approx([-1, -1], abs=0.1)
    norm.eval()
    torch.testing.assert_close(norm(x), normalised, atol=0.02, rtol=0.01)
    norm.num_photos = 0  # drawings alone
    torch.testing.assert_close(norm(x[400:]), normalised[400:], atol=0.02, rtol=0.01)
    norm.num_photos = 400  # photos alone
    torch.testing.assert_close(norm(x[:400]), normalised[:400], atol=0.02, rtol=0.01)


def test_clutter_is_a_photo_s_border_over_a_drawing() -> None:
    photos = torch.zeros(3, 1, 8, 8)
    photos[:, :, 3:5, 3:5] = 1  # an object in the centre
    drawings = torch.zeros(3, 1, 8, 8)
    drawings[:, :, 4] = 0.6
    covered = sketches.clutter(drawings, photos, torch.tensor([0.0, 0.5, 1.0]))
    assert torch.equal(covered[0], drawings[0])
    assert covered[1, 0, 0, 0] == 0.5  # the object came to the corners
    assert covered[2, 0, 7, 7] == 1
    assert torch.equal(covered[:, :, 4], drawings[:, :, 4])
    strength = sketches.draw_clutter(2000, generator(0))
    assert 0.75 < (strength > 0).float().mean() < 0.85
    assert strength.max() < 1


def test_thick_lines_are_two_pixels_wide_and_no_others() -> None:
    picture = torch.zeros(2, 1, 5, 5)
    picture[:, :, 2, 1:4] = 1
    changed = sketches.thicken(picture, torch.tensor([True, False]))
    assert changed[0, 0].nonzero().tolist() == [[y, x] for y in (2, 3) for x in (1, 2, 3, 4)]
    assert torch.equal(changed[1], picture[1])


def test_cut_ends_are_black_and_white_and_the_rest_is_spread() -> None:
    picture = torch.tensor([0, 0.2, 0.4, 0.8, 1]).repeat(2, 1, 5, 1)
    ends = torch.tensor([[0.2, 0.4], [0.0, 0.0]])  # 0.2 becomes 0, 0.6 becomes 1
    changed = sketches.cut_contrast(picture, ends)
    torch.testing.assert_close(changed[0, 0, 0], torch.tensor([0.0, 0.0, 0.5, 1.0, 1.0]))
    torch.testing.assert_close(changed[1], picture[1])


# ---- outlines of objects


def plain_distances(photo: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Dijkstra's algorithm from all border pixels at once, on colours blurred by a 3 x 3 box."""
    padded = np.pad(photo.astype(float), ((1, 1), (1, 1), (0, 0)), mode="edge")
    h, w = photo.shape[:2]
    colours = sum(padded[y : y + h, x : x + w] for y in range(3) for x in range(3)) / 9
    border = [(y, x) for y in range(h) for x in range(w) if y in (0, h - 1) or x in (0, w - 1)]
    far = np.full((h, w), np.inf)
    waiting = [(0.0, pixel) for pixel in border]
    while waiting:
        here, (y, x) = heapq.heappop(waiting)
        if here >= far[y, x]:
            continue
        far[y, x] = here
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= v < h and 0 <= u < w:
                change = float(np.linalg.norm(colours[v, u] - colours[y, x]))
                heapq.heappush(waiting, (here + 0.5 + max(change - 4.0, 0), (v, u)))
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
    ours = sketches.distance_to_border(torch.from_numpy(photos)).numpy()
    theirs = np.stack([plain_distances(photo) for photo in photos])
    assert np.all(ours >= theirs - 1e-2)  # a way, if not always the cheapest
    assert np.mean(np.abs(ours - theirs) < 0.02 * theirs + 1e-3) > 0.95
    assert theirs[:, 12, 11].min() > 20


def test_nothing_but_steps_counts_within_one_colour() -> None:
    flat = torch.full((1, 9, 11, 3), 90, dtype=torch.uint8)
    rows, columns = torch.arange(9)[:, None], torch.arange(11)
    steps = torch.minimum(torch.minimum(rows, 8 - rows), torch.minimum(columns, 10 - columns))
    assert torch.equal(sketches.distance_to_border(flat)[0], 0.5 * steps)
    assert sketches.object_edges(flat, 1.0).sum() == 0


def test_an_object_outshines_the_background_s_edges() -> None:
    """A disc and a bar of the same colour: the disc lies alone, the bar reaches the border."""
    photo = torch.full((1, 64, 64, 3), 60, dtype=torch.uint8)
    photo[:, :, 4:8] = torch.tensor([200, 90, 60], dtype=torch.uint8)
    inside = torch.zeros(64, 64, dtype=torch.bool)
    inside[disk((32, 40), 12)] = True
    photo[0, inside] = torch.tensor([200, 90, 60], dtype=torch.uint8)
    outline = sketches.object_edges(photo, 1.0)[0].float()
    assert outline[:, 24:].max() > 250
    assert outline[10:54, :12].max() < 0.35 * outline[:, 24:].max()
    plain = edges.sobel(photo.float() @ torch.tensor([0.3, 0.6, 0.1]), 1.0)[0].float()
    assert plain[10:54, :12].max() > 0.9 * plain[:, 24:].max()


def test_colours_of_equal_brightness_part_an_object_from_its_background() -> None:
    photo = torch.full((1, 32, 32, 3), 100, dtype=torch.uint8)
    photo[:, 10:22, 10:22] = torch.tensor([160, 80, 52], dtype=torch.uint8)  # luma 100.7
    assert sketches.object_edges(photo, 1.0).max() == 255
