"""Augmentation against closed forms and against plain per-image references."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from mlspring.kit import augment
from mlspring.kit.seeding import generator


def images(n: int = 4, side: int = 16) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=generator("images", n, side))


def test_no_change_is_the_identity() -> None:
    x = images()
    torch.testing.assert_close(augment.warp(x, augment.draw_affine(4, generator(0))), x)
    torch.testing.assert_close(augment.recolour(x, augment.draw_colour(4, generator(0))), x)
    boxes = augment.draw_boxes(4, generator(0), probability=0, area=(0.1, 0.2))
    torch.testing.assert_close(augment.erase(x, boxes), x)


def test_flip_mirrors_columns() -> None:
    x = images()
    torch.testing.assert_close(
        augment.warp(x, augment.draw_affine(4, generator(0), flip=1)), x.flip(3)
    )


def test_a_quarter_turn_is_exact() -> None:
    x = images()
    maps = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]).expand(4, 2, 3)
    torch.testing.assert_close(augment.warp(x, maps), torch.rot90(x, 1, (2, 3)))


def test_rotation_agrees_with_pillow() -> None:
    side, angle = 64, 30.0
    rows, columns = np.mgrid[0:side, 0:side]
    smooth = (127 + 60 * np.sin(rows / 9) + 60 * np.cos(columns / 7)).astype(np.uint8)
    theirs = np.asarray(Image.fromarray(smooth).rotate(angle, Image.Resampling.BILINEAR), float)
    turn = math.radians(angle)
    maps = torch.tensor(
        [[[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0]]]
    )
    x = torch.from_numpy(smooth.astype(np.float32)).expand(1, 3, side, side)
    ours = augment.warp(x, maps)[0, 0].numpy()
    inside = (rows - 31.5) ** 2 + (
        columns - 31.5
    ) ** 2 < 28**2  # beyond: black there, mirrored here
    assert np.abs(ours - theirs)[inside].max() < 2.0


def test_a_crop_stays_inside_the_image() -> None:
    maps = augment.draw_affine(500, generator(1), zoom=(0.4, 1.0))
    reach = maps[:, :, :2].abs().sum(2) + maps[:, :, 2].abs()
    assert reach.max() <= 1 + 1e-5
    assert maps[:, 0, 0].min() < 0.45
    assert maps[:, 0, 0].max() > 0.95


def test_recolour_is_what_its_docstring_says() -> None:
    x, factors = (
        images(2, 5),
        augment.draw_colour(
            2, generator(3), brightness=0.3, contrast=0.4, saturation=0.5, tint=0.2
        ),
    )
    luma = torch.tensor(augment.LUMA)
    for picture, changed, f in zip(x, augment.recolour(x, factors), factors, strict=True):
        grey = (picture * luma[:, None, None]).sum(0)
        blend = f[2] * picture + (1 - f[2]) * grey
        expected = f[3:, None, None] * f[0] * (grey.mean() + f[1] * (blend - grey.mean()))
        torch.testing.assert_close(changed, expected)


def test_recolour_normalises_on_the_way() -> None:
    x, factors = images(2, 5), augment.draw_colour(2, generator(3), contrast=0.4, saturation=0.5)
    plain = augment.recolour(x, factors)
    torch.testing.assert_close(augment.recolour(x, factors, scale=3.0, shift=-0.7), 3 * plain - 0.7)


def test_the_sampling_grid_is_that_of_affine_grid() -> None:
    maps = augment.draw_affine(3, generator(0), flip=0.5, rotate=40, zoom=(0.4, 1), shift=0.2)
    expected = F.affine_grid(maps, [3, 3, 5, 8], align_corners=False)
    torch.testing.assert_close(augment.sampling_grid(maps, 5, 8), expected)


def test_draws_fill_their_ranges() -> None:
    n = 20_000
    maps = augment.draw_affine(n, generator(1), flip=0.3, rotate=30, zoom=(0.5, 1), stretch=0.4)
    side = maps[:, :, :2].det().abs().sqrt()
    assert 0.5 <= side.min() < 0.505
    assert 0.995 < side.max() <= 1 + 1e-6
    assert (maps[:, :, :2].det() < 0).float().mean() == pytest.approx(0.3, abs=0.02)
    turned = maps[:, 1, 0].abs() / side  # a sine times the root of the aspect
    assert turned.max() < math.sin(math.pi / 6) * math.exp(0.2)
    assert turned.max() > 0.95 * math.sin(math.pi / 6) * math.exp(0.2)
    factors = augment.draw_colour(n, generator(2), brightness=0.2, tint=0.1)
    assert factors[:, 0].min() == pytest.approx(0.8, abs=1e-3)
    assert factors[:, 0].max() == pytest.approx(1.2, abs=1e-3)
    assert torch.equal(factors[:, 1:3], torch.ones(n, 2))
    assert torch.corrcoef(factors[:, [0, 3, 4, 5]].T).fill_diagonal_(0).abs().max() < 0.03


def test_each_image_has_its_own_draw() -> None:
    x = images(1).expand(6, -1, -1, -1)
    maps = augment.draw_affine(6, generator(0), rotate=40, zoom=(0.6, 1.0), stretch=0.2)
    changed = augment.warp(x, maps)
    gaps = [(changed[i] - changed[j]).abs().max() for i in range(6) for j in range(i)]
    assert min(gaps) > 1e-3


def test_a_share_of_the_batch_is_changed_as_in_the_whole_batch() -> None:
    x, maps = images(6), augment.draw_affine(6, generator(0), rotate=40)
    torch.testing.assert_close(augment.warp(x, maps)[2:5], augment.warp(x[2:5], maps[2:5]))


def test_boxes_cover_the_asked_area() -> None:
    boxes = augment.draw_boxes(4000, generator(0), probability=0.25, area=(0.1, 0.2))
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert (area > 0).float().mean() == pytest.approx(0.25, abs=0.03)
    assert area[area > 0].min() >= 0.1 - 1e-6
    assert area.max() <= 0.2 + 1e-6
    assert boxes.min() >= 0
    assert boxes.max() <= 1


def test_a_box_that_would_be_wider_than_the_image_ends_at_its_edges() -> None:
    boxes = augment.draw_boxes(2000, generator(0), probability=1.0, area=(0.7, 1.0))
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert (boxes[:, 2] - boxes[:, 0]).max() == 1


def test_mixup_mixes_images_and_targets_alike() -> None:
    x, targets = images(2), torch.eye(2)
    mixed, soft = augment.mixup(x, targets, torch.tensor([0.75, 1.0]))
    torch.testing.assert_close(mixed[0], 0.75 * x[0] + 0.25 * x[1])
    torch.testing.assert_close(mixed[1], x[1])
    torch.testing.assert_close(soft, torch.tensor([[0.75, 0.25], [0.0, 1.0]]))


@pytest.mark.parametrize(
    ("mix", "choices"),
    [
        (augment.mixup, torch.tensor([0.9, 0.6, 0.7])),
        (augment.cutmix, torch.tensor([[0.0, 0.0, 0.5, 0.5]]).expand(3, 4)),
    ],
)
def test_given_partners_stand_for_the_batch_in_reverse(
    mix: Callable[..., tuple[torch.Tensor, torch.Tensor]], choices: torch.Tensor
) -> None:
    x, targets = images(3), torch.eye(3)
    whole = mix(x, targets, choices)
    for i in range(3):
        partner = (x[2 - i : 3 - i], targets[2 - i : 3 - i])
        one = mix(x[i : i + 1], targets[i : i + 1], choices[i : i + 1], partner)
        torch.testing.assert_close(one, (whole[0][i : i + 1], whole[1][i : i + 1]))


def test_cutmix_weighs_targets_by_pixels() -> None:
    x, targets = images(2, 8), torch.eye(2)
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.25], [0.0, 0.0, 0.0, 0.0]])
    mixed, soft = augment.cutmix(x, targets, boxes)
    torch.testing.assert_close(mixed[0, :, :2, :4], x[1, :, :2, :4])
    torch.testing.assert_close(mixed[0, :, 2:], x[0, :, 2:])
    torch.testing.assert_close(soft[0], torch.tensor([1 - 8 / 64, 8 / 64]))
    torch.testing.assert_close(soft[1], torch.tensor([0.0, 1.0]))


def test_beta_draws_lead_and_have_the_right_mean() -> None:
    shares = augment.draw_beta(20_000, 1.0, generator(0))  # Beta(1, 1): max(u, 1 - u), mean 3/4
    assert shares.min() >= 0.5
    assert shares.mean() == pytest.approx(0.75, abs=0.01)


def test_erase_blanks_each_image_s_own_box_and_nothing_else() -> None:
    images = torch.rand(3, 2, 4, 4) + 1
    boxes = torch.tensor([[0.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.0, 0.0], [0.25, 0.5, 1.0, 0.75]])
    erased = augment.erase(images, boxes)
    expected = images.clone()
    expected[0, :, :, :2] = 0
    expected[2, :, 2, 1:] = 0
    assert torch.equal(erased, expected)


def test_boxes_are_at_most_twice_as_wide_as_high_and_the_reverse() -> None:
    boxes = augment.draw_boxes(2000, generator(0), probability=1.0, area=(0.02, 0.1))
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    ratio = width / height
    assert 0.5 - 1e-4 <= ratio.min() < 0.55
    assert 1.9 < ratio.max() <= 2 + 1e-4
