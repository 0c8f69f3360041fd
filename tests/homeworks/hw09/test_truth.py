"""What a map is worth: made-up maps whose scores are known."""

import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from mlspring.core.errors import InternalError
from mlspring.homeworks.hw09_explain.truth import (
    area,
    edges,
    hidden_pictures,
    inside_share,
    middle,
    points_at_dish,
    rank_correlation,
    step_curves,
)

SIDE = 8


def dish() -> Tensor:
    """Return the mask of a dish in the upper left quarter: (1, 8, 8)."""
    mask = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    mask[0, :4, :4] = True
    return mask


def one_hot(row: int, column: int, value: float = 1.0) -> Tensor:
    found = torch.zeros(1, SIDE, SIDE)
    found[0, row, column] = value
    return found


def test_the_pointing_game_asks_where_the_highest_pixel_is() -> None:
    assert points_at_dish(one_hot(1, 2), dish()).tolist() == [1.0]
    assert points_at_dish(one_hot(6, 2), dish()).tolist() == [0.0]
    assert points_at_dish(one_hot(6, 2, -1.0), dish()).item() == pytest.approx(16 / 63)
    assert points_at_dish(torch.full((1, SIDE, SIDE), 2.0), dish()).tolist() == [0.0]
    both = one_hot(0, 0) + one_hot(7, 7)
    assert points_at_dish(both, dish()).tolist() == [0.5], "half of the highest pixels"


def test_the_share_inside_is_of_what_speaks_for_the_label() -> None:
    flat = torch.ones(1, SIDE, SIDE)
    assert inside_share(flat, dish()).item() == pytest.approx(0.25)
    assert inside_share(dish().float(), dish()).item() == 1.0
    assert inside_share(one_hot(0, 0, 3.0) + one_hot(7, 7), dish()).item() == pytest.approx(0.75)
    assert inside_share(one_hot(0, 0, 3.0) - one_hot(7, 7), dish()).item() == 1.0
    assert inside_share(-flat, dish()).item() == 0.0


class SeesCorner(nn.Module):
    """Says class 1 with certainty exactly where the pixel (0, 0) is white."""

    def forward(self, images: Tensor) -> Tensor:
        sees = 200 * (images[:, 0, 0, 0] - 0.5)
        return torch.stack((-sees, sees), 1)


def corner_white() -> tuple[Tensor, Tensor]:
    images = torch.zeros(1, 3, SIDE, SIDE)
    images[0, :, 0, 0] = 1.0
    return images, torch.tensor([1])


def test_a_map_that_finds_the_pixel_inserts_at_once_and_deletes_at_once() -> None:
    images, labels = corner_white()
    coming, going = step_curves(SeesCorner(), images, labels, one_hot(0, 0), 64)
    assert coming[0].tolist() == pytest.approx([0.0] + [1.0] * 64, abs=1e-6)
    assert going[0].tolist() == pytest.approx([1.0] + [0.0] * 64, abs=1e-6)
    assert area(coming).item() == pytest.approx(1 - 0.5 / 64)
    assert area(going).item() == pytest.approx(0.5 / 64)


def test_a_map_that_puts_the_pixel_last_does_both_at_the_end() -> None:
    images, labels = corner_white()
    coming, going = step_curves(SeesCorner(), images, labels, -one_hot(0, 0), 64)
    assert area(coming).item() == pytest.approx(0.5 / 64, abs=1e-6)
    assert area(going).item() == pytest.approx(1 - 0.5 / 64, abs=1e-6)


def test_curves_begin_and_end_with_the_whole_and_the_hidden_picture() -> None:
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    labels, model = torch.tensor([0, 1]), SeesCorner()
    own = [model(x).softmax(1).gather(1, labels[:, None])[:, 0] for x in (
        images, hidden_pictures(images)
    )]  # fmt: skip
    coming, going = step_curves(model, images, labels, images.sum(1), 5)
    assert torch.allclose(torch.stack((coming[:, -1], coming[:, 0])), torch.stack(own))
    assert torch.allclose(torch.stack((going[:, 0], going[:, -1])), torch.stack(own))
    alone = step_curves(model, images[1:], labels[1:], images[1:].sum(1), 5)
    assert torch.allclose(coming[1:], alone[0]) and torch.allclose(going[1:], alone[1])


def test_hiding_keeps_the_light_and_takes_the_details() -> None:
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    hidden = hidden_pictures(images)
    assert torch.allclose(hidden.mean((2, 3)), images.mean((2, 3)), atol=0.02)
    assert hidden.std() < 0.3 * images.std()
    grey = torch.full((1, 3, 32, 32), 0.4)
    assert torch.allclose(hidden_pictures(grey), grey)


def test_the_area_is_that_of_trapezoids() -> None:
    assert area(torch.tensor([[0.0, 1.0], [1.0, 1.0]])).tolist() == [0.5, 1.0]
    assert area(torch.linspace(0, 1, 101)[None] ** 2).item() == pytest.approx(1 / 3, abs=1e-3)


def test_the_rank_correlation_is_spearman_s_also_with_ties() -> None:
    stream = torch.Generator().manual_seed(0)
    a = torch.rand(3, SIDE, SIDE, generator=stream)
    b = (a + torch.rand(3, SIDE, SIDE, generator=stream)).mul(5).round()
    expected = [spearmanr(x.flatten(), y.flatten()).statistic for x, y in zip(a, b, strict=True)]
    assert rank_correlation(a, b).tolist() == pytest.approx(expected, abs=1e-9)
    assert rank_correlation(a, a**3).tolist() == pytest.approx([1.0] * 3)
    assert rank_correlation(a, -a).tolist() == pytest.approx([-1.0] * 3)
    assert rank_correlation(a, torch.zeros_like(a)).tolist() == [0.0] * 3
    with pytest.raises(InternalError, match="maps of"):
        rank_correlation(a, b[:2])


def test_the_maps_that_ask_no_network() -> None:
    images = torch.zeros(1, 3, SIDE, SIDE)
    images[:, :, :, 4:] = 1.0
    found = edges(images)
    assert found[0, :, 3:5].min() > 0 and found[0, :, :3].max() == 0 == found[0, :, 5:].max()
    heat = middle(torch.zeros(2, 3, 9, 9))
    assert heat.shape == (2, 9, 9)
    assert (heat.flatten(1).argmax(1) == 4 * 9 + 4).all()
