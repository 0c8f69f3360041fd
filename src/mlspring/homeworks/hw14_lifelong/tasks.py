"""The sequence of tasks, made on the device: turned, shuffled or split digits, and what is open.

A task keeps its digits as uint8 (n, 784) on the device, made once by one batched operation; the
notebook turns every image anew, one at a time, in every epoch.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.data import NUM_CLASSES, SIDE, Data
from mlspring.homeworks.hw14_lifelong.recipe import DataKnobs, Scenario
from mlspring.kit.seeding import generator


@dataclass(frozen=True)
class Task:
    """One task's digits on the device.

    Args:
        name: for axes and tables.
        classes: the outputs that its labels use, ascending.
        pixels: uint8 (n, 784) to learn from, with ``labels`` int64 (n,).
        test_pixels: uint8 (m, 784) to measure on, with ``test_labels``.
    """

    name: str
    classes: tuple[int, ...]
    pixels: Tensor
    labels: Tensor
    test_pixels: Tensor
    test_labels: Tensor


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The tasks in their order, and the scenario that says which outputs compete."""

    tasks: tuple[Task, ...]
    scenario: Scenario

    def __len__(self) -> int:
        return len(self.tasks)

    @cached_property
    def device(self) -> torch.device:
        """The device that holds the digits."""
        return self.tasks[0].pixels.device

    def open_classes(self, task: int, stage: int) -> tuple[int, ...]:
        """Return the outputs that an image of ``task`` may be given once ``stage`` is reached.

        The three scenarios of van de Ven & Tolias 2019 (arXiv:1904.07734), tasks counted from 0:
        domain: all tasks share their outputs. task: the task's own; its number is told at test
        time. class: those of every task seen so far.
        """
        if self.scenario == "task":
            return self.tasks[task].classes
        seen = self.tasks if self.scenario == "domain" else self.tasks[: stage + 1]
        return tuple(sorted({label for t in seen for label in t.classes}))

    @cached_property
    def masks(self) -> Tensor:
        """What is added to the logits of an image: (stages, its task, 10), 0 or -inf.

        On the device once: made in every step, it would make a GPU wait.
        """
        masks = torch.full((len(self), len(self), NUM_CLASSES), -torch.inf)
        for stage in range(len(self)):
            for task in range(len(self)):
                masks[stage, task, list(self.open_classes(task, stage))] = 0
        return masks.to(self.device)

    @cached_property
    def old_outputs(self) -> list[list[Tensor]]:
        """For each stage, the sets of outputs that competed in the tasks before, int64 each."""
        sets = [
            dict.fromkeys(self.open_classes(task, stage - 1) for task in range(stage))
            for stage in range(len(self))
        ]
        return [[torch.tensor(one, device=self.device) for one in before] for before in sets]


def to_input(pixels: Tensor) -> Tensor:
    """Return uint8 pixels as fp32 in 0..1, as the notebook's ToTensor does."""
    return pixels.float().div_(255)


def make_stream(
    knobs: DataKnobs, scenario: Scenario, data: Data, seed: int, device: torch.device
) -> Stream:
    """Return the tasks of a recipe on ``device``."""
    parts = [
        (torch.tensor(images, device=device).flatten(1), torch.tensor(labels, device=device))
        for images, labels in (
            (data.train_images, data.train_labels),
            (data.test_images, data.test_labels),
        )
    ]
    tasks, classes = [], tuple(range(NUM_CLASSES))
    for number in range(knobs.num_tasks):
        if knobs.stream == "rotated":
            angle = knobs.angle * number
            name = f"{angle:g}°"
            changed = [(rotate(pixels, angle), labels) for pixels, labels in parts]
        elif knobs.stream == "permuted":  # the first task keeps the order of the pixels
            name = f"order {number}" if number else "as they are"
            order = torch.randperm(SIDE * SIDE, generator=generator(seed, "permutation", number))
            order = (order if number else order.sort().values).to(device)
            changed = [(pixels[:, order], labels) for pixels, labels in parts]
        else:  # two digits; in the scenario "domain" the answer is whether it is an odd one
            first, is_domain = 2 * number, scenario == "domain"
            name, classes = f"{first} or {first + 1}", (0, 1) if is_domain else (first, first + 1)
            changed = [
                (p[labels // 2 == number], labels[labels // 2 == number]) for p, labels in parts
            ]
            changed = [(pixels, labels % 2 if is_domain else labels) for pixels, labels in changed]
        tasks.append(Task(name, classes, *changed[0], *changed[1]))
    return Stream(tasks=tuple(tasks), scenario=scenario)


def rotate(pixels: Tensor, angle: float) -> Tensor:
    """Return images (n, 784) turned by ``angle`` degrees, counter-clockwise, on the same canvas.

    Nearest neighbour, corners 0: what torchvision's ``functional.rotate`` does, as one gather of
    the whole set. An image of pixel numbers is turned once; it tells where each pixel comes from.
    """
    numbers = torch.arange(1, SIDE * SIDE + 1, dtype=torch.float64).view(1, 1, SIDE, SIDE)
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    matrix = torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]], dtype=torch.float64)
    grid = F.affine_grid(matrix, [1, 1, SIDE, SIDE], align_corners=False)
    turned = F.grid_sample(numbers, grid, mode="nearest", align_corners=False)
    origin = turned.view(-1).round().long().to(pixels.device)  # 0: from outside the canvas
    return pixels[:, (origin - 1).clamp(min=0)] * (origin > 0).to(torch.uint8)
