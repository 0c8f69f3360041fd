"""The tasks: turned, shuffled and split digits; the outputs that are open in each scenario."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from mlspring.core.source import Source
from mlspring.homeworks.hw14_lifelong import data
from mlspring.homeworks.hw14_lifelong.recipe import DataKnobs, Scenario
from mlspring.homeworks.hw14_lifelong.tasks import Stream, make_stream, rotate, to_input
from tests.tiny.digits import blobs, tiny_data


def stream(
    kind: str, scenario: Scenario = "domain", *, num_tasks: int = 5, seed: int = 0
) -> Stream:
    knobs = DataKnobs(stream=kind, num_tasks=num_tasks, angle=20.0, scenarios=[scenario])
    return make_stream(knobs, scenario, tiny_data(), seed, torch.device("cpu"))


def test_a_quarter_turn_is_numpy_s() -> None:
    images, _ = blobs(20, 3)
    flat = torch.from_numpy(images.reshape(20, -1).copy())
    for quarter in range(5):
        expected = np.rot90(images, quarter, axes=(1, 2)).reshape(20, -1)
        assert (rotate(flat, 90.0 * quarter).numpy() == expected).all()


@pytest.mark.parametrize("angle", [20.0, 40.0, 60.0, 80.0])
def test_a_turn_agrees_with_scipy_s(angle: float) -> None:
    """Both take the nearest pixel; scipy calls the outer half of a border pixel outside."""
    image = np.arange(1, 785, dtype=np.int64).reshape(28, 28)
    expected = ndimage.rotate(image, angle, axes=(0, 1), reshape=False, order=0)
    image8 = torch.arange(784).remainder(251).add(1).to(torch.uint8)[None]
    found = rotate(image8, angle).view(28, 28).numpy()
    inside = expected > 0
    assert (found == (expected - 1) % 251 + 1)[inside].mean() > 0.99
    assert inside.mean() > 0.7


def test_tasks_are_turns_of_the_same_digits() -> None:
    made = stream("rotated")
    images, _ = blobs(200, 0)
    assert [task.name for task in made.tasks] == ["0°", "20°", "40°", "60°", "80°"]
    assert (made.tasks[0].pixels.numpy() == images.reshape(200, -1)).all()
    for number, task in enumerate(made.tasks):
        assert (task.pixels == rotate(made.tasks[0].pixels, 20.0 * number)).all()
        assert (task.labels == made.tasks[0].labels).all()
        assert task.pixels.dtype == torch.uint8
        assert task.test_pixels.shape == (100, 784)
    assert to_input(made.tasks[1].pixels).max() <= 1


def test_shuffled_pixels_are_the_same_pixels_in_an_order_of_the_task_s_own() -> None:
    made = stream("permuted")
    first = made.tasks[0]
    for task in made.tasks[1:]:
        assert (task.pixels != first.pixels).any()
        assert (task.pixels.sort(1).values == first.pixels.sort(1).values).all()
    moved = stream("permuted", seed=1)
    assert (moved.tasks[1].pixels != made.tasks[1].pixels).any()
    assert (moved.tasks[0].pixels == first.pixels).all()


def test_training_and_test_part_are_shuffled_alike() -> None:
    """The pixel that is bright in most training images of a digit is so in the test part."""
    task = stream("permuted").tasks[1]
    for digit in range(10):
        bright = [
            pixels[labels == digit].float().mean(0)
            for pixels, labels in (
                (task.pixels, task.labels),
                (task.test_pixels, task.test_labels),
            )
        ]
        assert torch.corrcoef(torch.stack(bright))[0, 1] > 0.9


@pytest.mark.parametrize(
    ("scenario", "labels"), [("task", {4, 5}), ("class", {4, 5}), ("domain", {0, 1})]
)
def test_split_tasks_have_two_digits(scenario: Scenario, labels: set[int]) -> None:
    task = stream("split", scenario).tasks[2]
    assert task.name == "4 or 5"
    assert set(task.labels.tolist()) == labels
    assert (len(task.labels), len(task.test_labels)) == (40, 20)


@pytest.mark.parametrize(
    ("kind", "scenario", "task", "stage", "expected"),
    [
        ("rotated", "domain", 3, 0, tuple(range(10))),
        ("split", "domain", 3, 0, (0, 1)),
        ("split", "task", 1, 4, (2, 3)),
        ("split", "class", 1, 1, (0, 1, 2, 3)),
        ("split", "class", 0, 4, tuple(range(10))),
    ],
)
def test_the_scenario_says_which_outputs_compete(
    kind: str, scenario: Scenario, task: int, stage: int, expected: tuple[int, ...]
) -> None:
    made = stream(kind, scenario)
    assert made.open_classes(task, stage) == expected
    row = made.masks[stage][task]
    assert tuple(torch.isfinite(row).nonzero().flatten().tolist()) == expected
    assert row[list(expected)].eq(0).all()


def test_the_sets_of_outputs_that_old_tasks_used() -> None:
    def found(made: Stream, stage: int) -> list[list[int]]:
        return [outputs.tolist() for outputs in made.old_outputs[stage]]

    assert found(stream("split", "task"), 2) == [[0, 1], [2, 3]]
    assert found(stream("split", "class"), 2) == [[0, 1, 2, 3]]
    assert found(stream("rotated"), 2) == [list(range(10))]
    assert found(stream("rotated"), 0) == []


def test_real_digits_look_like_their_turns_as_measured_elsewhere(real_data: Path) -> None:
    """Mean cosine of an image and its turn: 1.00, 0.60, 0.41, 0.32, 0.29 in an earlier re-run."""
    from tests.homeworks.hw14.test_data import RECIPE

    digits = data.load(Source(kind="official", folder=real_data / "hw14"), RECIPE)
    flat = torch.from_numpy(digits.train_images[:5000].reshape(5000, -1).copy())
    upright = to_input(flat)
    cosines = [
        torch.cosine_similarity(upright, to_input(rotate(flat, angle))).mean().item()
        for angle in (0.0, 20.0, 40.0, 60.0, 80.0)
    ]
    assert cosines == pytest.approx([1.0, 0.60, 0.41, 0.32, 0.29], abs=0.03)
