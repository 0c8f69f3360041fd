"""Homework 14 as the notebook trains it: every image turned anew, one at a time, in every epoch.

    python -m benchmarks.notebooks.hw14 DIR --level mas

Methods stand in for levels: ``ewc`` and ``mas``, whose importance is measured by batches, and
``replay``, which turns some old images beside the new ones. The score is the mean accuracy over the
tasks seen, in %. It falls with every task, so nobody trains until a score is reached.
"""

import random

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks.notebooks.way import Way, run
from mlspring.core.source import official
from mlspring.homeworks.hw14_lifelong import data
from mlspring.homeworks.hw14_lifelong.models import Perceptron

TEST_BATCH = 8192


class TurnedDigits(Dataset):
    """Opens, converts and turns a digit whenever it is asked for."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64], angle: float) -> None:
        self.images, self.labels, self.angle = images, labels, np.deg2rad(angle)

    def __len__(self) -> int:
        """Return the number of digits."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one digit (784,) in [0, 1] and its label."""
        image = Image.fromarray(self.images[index])
        pixels = torch.from_numpy(np.array(image))[None].float() / 255
        cos, sin = float(np.cos(self.angle)), float(np.sin(self.angle))
        matrix = torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]])
        grid = F.affine_grid(matrix, [1, 1, 28, 28], align_corners=False)
        turned = F.grid_sample(pixels[None], grid, mode="nearest", align_corners=False)
        return turned.flatten(), int(self.labels[index])


class Importance:
    """The importance of EWC or MAS by batches, added to that of all tasks before."""

    def __init__(self, model: nn.Module) -> None:
        self.anchor = {name: p.clone().detach() for name, p in model.named_parameters()}
        self.importance = {name: torch.zeros_like(p) for name, p in model.named_parameters()}

    def add(self, way: Way, method: str, model: nn.Module, loader: DataLoader) -> None:
        """Measure on the task that ended, and hold the weights where they are now."""
        for batch in loader:
            images, labels = way.on_device(batch)
            model.zero_grad()
            outputs = model(images)
            if method == "ewc":
                F.cross_entropy(outputs, labels).backward()
            else:
                outputs.pow(2).sum(dim=1).mean().backward()
            for name, p in model.named_parameters():
                size = p.grad.pow(2) if method == "ewc" else p.grad.abs()
                self.importance[name] += size / len(loader)
        self.anchor = {name: p.clone().detach() for name, p in model.named_parameters()}

    def penalty(self, model: nn.Module) -> Tensor:
        """Return the sum of importance times squared move."""
        loss = torch.tensor(0.0)
        for name, p in model.named_parameters():
            loss = loss + (self.importance[name] * (p - self.anchor[name]) ** 2).sum()
        return loss


def replayed(way: Way, memory: list[tuple[Dataset, int]]) -> tuple[Tensor, Tensor]:
    """Return images drawn from the memory, opened and turned anew, and their labels."""
    drawn = [
        digits[index] for digits, index in random.choices(memory, k=way.recipe.method.replayed)
    ]
    images = torch.stack([image for image, _ in drawn]).to(way.device)
    return images, torch.tensor([label for _, label in drawn], device=way.device)


def train(way: Way) -> None:
    """Train on one task after another with the recipe's numbers."""
    recipe, knobs = way.recipe, way.recipe.train
    (method,) = recipe.method.names
    digits = data.load(official(way.folder), recipe)
    train_loaders, test_loaders = (
        [
            DataLoader(TurnedDigits(images, labels, recipe.data.angle * task), size, shuffle=True)
            for task in range(recipe.data.num_tasks)
        ]
        for images, labels, size in (
            (digits.train_images, digits.train_labels, knobs.batch_size),
            (digits.test_images, digits.test_labels, TEST_BATCH),
        )
    )
    model = Perceptron(recipe.model.hidden).to(way.device)
    importance, memory, way.rounds = Importance(model), [], recipe.data.num_tasks
    for task, loader in enumerate(train_loaders):
        optimizer = torch.optim.Adam(model.parameters(), lr=knobs.learning_rate)
        for step, (images, labels) in way.updates(loader, knobs.steps_per_task):
            loss = F.cross_entropy(model(images), labels)
            if memory:
                old = replayed(way, memory)
                share = 1 / (task + 1)
                loss = share * loss + (1 - share) * F.cross_entropy(model(old[0]), old[1])
            elif method != "replay":
                loss = loss + recipe.strength.of(method) * importance.penalty(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % knobs.validate_every == 0 or step == knobs.steps_per_task:
                seen = [way.accuracy(model, test) for test in test_loaders[: task + 1]]
                way.validated(100 * sum(seen) / len(seen))
        if method == "replay":
            rows = random.sample(range(len(loader.dataset)), recipe.method.memory // (task + 1))
            memory = [*memory, *((loader.dataset, row) for row in rows)]
            random.shuffle(memory)
            memory = memory[: recipe.method.memory]
        else:
            importance.add(way, method, model, loader)


if __name__ == "__main__":
    run("hw14", train)
