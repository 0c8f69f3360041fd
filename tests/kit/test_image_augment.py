"""The training transform of homework 3: off means off, and a share of a batch is like the whole."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from mlspring.core.recipe_sections import AugmentKnobs
from mlspring.kit import image_augment as transform
from mlspring.kit.distributed import Ranks
from mlspring.kit.seeding import generator

OFF = dict.fromkeys(AugmentKnobs.model_fields, 0.0) | {"zoom_min": 1.0}
N, SIDE, NUM_CLASSES = 7, 16, 11


def knobs(**on: float) -> AugmentKnobs:
    return AugmentKnobs(**(OFF | on))


def batch(n: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    stream = generator("batch", n)
    pixels = torch.randint(0, 256, (n, SIDE, SIDE, 3), generator=stream, dtype=torch.uint8)
    return pixels, torch.arange(n) % NUM_CLASSES


def prepared(on: dict[str, float], share: slice, n: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    draws = transform.draw(knobs(**on), n, generator("draws"))
    return transform.prepare(*batch(n), NUM_CLASSES, draws, share)


def test_all_off_is_the_test_transform() -> None:
    assert transform.draw(knobs(), N, generator(0)) == transform.Draws()
    images, targets = prepared({}, slice(0, N))
    pixels, labels = batch()
    torch.testing.assert_close(images, transform.to_input(pixels))
    assert torch.equal(targets, F.one_hot(labels, NUM_CLASSES).float())


@pytest.mark.parametrize(
    ("on", "drawn"),
    [
        ({"flip": 0.5}, {"maps"}),
        ({"rotate": 9.0}, {"maps"}),
        ({"shift": 0.1}, {"maps"}),
        ({"brightness": 0.1}, {"colours"}),
        ({"contrast": 0.1}, {"colours"}),
        ({"saturation": 0.1}, {"colours"}),
        ({"zoom_min": 0.5}, {"maps"}),
        ({"stretch": 0.3}, {"maps"}),
        ({"tint": 0.1}, {"colours"}),
        ({"erase": 0.5}, {"holes"}),
        ({"mixup": 0.2}, {"shares"}),
        ({"cutmix": 1.0}, {"patches"}),
        ({"mixup": 0.2, "cutmix": 1.0}, {"patches"}),
    ],
)
def test_only_what_is_on_is_drawn(on: dict[str, float], drawn: set[str]) -> None:
    draws = transform.draw(knobs(**on), N, generator(0))
    assert {name for name, value in vars(draws).items() if value is not None} == drawn
    assert all(len(getattr(draws, name)) == N for name in drawn)


def test_a_part_of_the_choices_is_the_choices_of_a_part() -> None:
    draws = transform.draw(knobs(flip=0.5, tint=0.1, erase=1.0, mixup=0.2), N, generator(0))
    part: Any = draws[2:5]
    for name in ("maps", "colours", "holes", "shares"):
        assert torch.equal(getattr(part, name), getattr(draws, name)[2:5])
    assert part.patches is None


def test_mixup_gives_each_picture_and_its_class_the_same_share() -> None:
    """Without noise the shares can be read off both."""
    draws = transform.draw(knobs(mixup=1.0), N, generator("draws"))
    images, targets = prepared({"mixup": 1.0}, slice(0, N))
    plain = transform.to_input(batch()[0])
    for i in range(N):
        share = float(draws.shares[i])
        torch.testing.assert_close(images[i], share * plain[i] + (1 - share) * plain[N - 1 - i])
        expected = torch.zeros(NUM_CLASSES)
        expected[i] += share
        expected[N - 1 - i] += 1 - share
        torch.testing.assert_close(targets[i], expected)


def test_cutmix_gives_a_class_the_share_of_its_pixels() -> None:
    images, targets = prepared({"cutmix": 1.0}, slice(0, N))
    plain = transform.vary(batch()[0], transform.Draws())
    torch.testing.assert_close(targets.sum(1), torch.ones(N))
    for i in range(N):
        if i != N - 1 - i:
            own = (images[i] == plain[i]).all(0).float().mean()
            torch.testing.assert_close(targets[i, i], own)
            assert 0 < own < 1


@pytest.mark.parametrize("mixing", [{}, {"mixup": 0.5}, {"cutmix": 1.0}])
@pytest.mark.parametrize("size", [2, 3, N])
def test_processes_make_together_what_one_makes(mixing: dict[str, float], size: int) -> None:
    """Also with one picture a process, whose partner is elsewhere."""
    on = {"flip": 0.5, "rotate": 30.0, "zoom_min": 0.5, "tint": 0.2, "erase": 0.5, **mixing}
    parts = [prepared(on, Ranks(rank, size).shard(N)) for rank in range(size)]
    images, targets = prepared(on, slice(0, N))
    torch.testing.assert_close(torch.cat([part[0] for part in parts]), images)
    torch.testing.assert_close(torch.cat([part[1] for part in parts]), targets)


def test_alone_no_picture_is_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    vary = transform.vary

    def counted(pixels: torch.Tensor, draws: transform.Draws) -> torch.Tensor:
        made.append(len(pixels))
        return vary(pixels, draws)

    monkeypatch.setattr(transform, "vary", counted)
    prepared({"mixup": 0.5}, slice(0, N))
    assert made == [N]
