"""Augmentation for both sides: what it does, and that gradients go through it."""

import pytest
import torch

from mlspring.homeworks.hw06_gan.augment import Draws, augment, draw, keep, recolour, translate
from mlspring.homeworks.hw06_gan.recipe import DifferentKnobs

ALL = DifferentKnobs(translate=0.125, cutout=0.25, colour=0.3)
NONE = DifferentKnobs(translate=0.0, cutout=0.0, colour=0.0)


def images(num: int = 3, side: int = 16) -> torch.Tensor:
    stream = torch.Generator().manual_seed(0)
    return torch.rand(num, 3, side, side, generator=stream) * 2 - 1


def test_nothing_asked_for_is_nothing_done() -> None:
    before = images()
    assert torch.equal(augment(before, draw(3, torch.Generator().manual_seed(1)), NONE), before)


def test_a_shift_moves_every_pixel_and_brings_in_grey() -> None:
    before = images(2)
    moved = translate(before, torch.tensor([[0.0, 0.999], [0.5, 0.5]]), 0.25)  # 4 pixels at most
    assert torch.equal(moved[1], before[1]), "the middle of the range is no shift"
    # the first number, 0: what was 4 rows above comes down; the second: what was right comes left
    assert torch.equal(moved[0, :, 4:, :-4], before[0, :, :-4, 4:])
    assert moved[0, :, :4].abs().max() == 0 and moved[0, :, :, -4:].abs().max() == 0


def test_the_square_has_its_size_and_its_place() -> None:
    mask = keep(16, torch.tensor([[0.5, 0.5], [0.0, 0.0]]), 0.25)
    assert mask.shape == (2, 1, 16, 16)
    assert (1 - mask[0]).sum() == 16 and mask[0, 0, 6:10, 6:10].sum() == 0
    assert (1 - mask[1]).sum() == 4, "a corner"


def test_colours_move_by_what_was_drawn() -> None:
    before = images(3)
    u = torch.full((3, 3), 0.5)
    assert torch.allclose(recolour(before, u, 0.3), before, atol=1e-6)
    u[0, 0], u[1, 1], u[2, 2] = 1.0, 0.0, 1.0
    after = recolour(before, u, 0.3)
    assert torch.allclose(after[0], before[0] + 0.3, atol=1e-6)
    grey = before[1].mean(0)
    assert torch.allclose(after[1] - grey, 0.7 * (before[1] - grey), atol=1e-6)
    assert after[2].std().item() == pytest.approx(1.3 * before[2].std().item(), rel=1e-4)


def test_gradients_go_through_to_the_picture() -> None:
    draws = draw(2, torch.Generator().manual_seed(3))
    x = images(2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda a: augment(a, draws, ALL), (x,), fast_mode=True)


def test_a_part_of_a_batch_is_changed_like_the_whole() -> None:
    draws, before = draw(5, torch.Generator().manual_seed(4)), images(5)
    part = slice(2, 4)
    assert torch.equal(augment(before, draws, ALL)[part], augment(before[part], draws[part], ALL))
    assert isinstance(draws[part], Draws)
