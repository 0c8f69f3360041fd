"""Homework 14 as the notebook trains it: every image turned anew, one at a time, in every epoch.

    python -m benchmarks.notebooks.hw14 DIR RECIPE EPOCHS SEED

trains MAS and prints one JSON object: the mean accuracy over the tasks seen, in %, after each epoch
with the seconds since the start.
"""

import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from mlspring.core.machine import peak_memory_mib
from mlspring.core.source import official
from mlspring.homeworks.hw14_lifelong import data
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.homeworks.hw14_lifelong.spec import SPEC
from mlspring.verbs import recipes

TEST_BATCH = 8192


class TurnedDigits(Dataset):
    """Opens, converts and turns a digit whenever it is asked for."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64], angle: float) -> None:
        self.images, self.labels, self.angle = images, labels, np.deg2rad(angle)

    def __len__(self) -> int:
        """Return the number of digits."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one digit (1, 28, 28) in [0, 1] and its label."""
        image = Image.fromarray(self.images[index])
        pixels = torch.from_numpy(np.array(image))[None].float() / 255
        cos, sin = float(np.cos(self.angle)), float(np.sin(self.angle))
        matrix = torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]])
        grid = F.affine_grid(matrix, [1, 1, 28, 28], align_corners=False)
        turned = F.grid_sample(pixels[None], grid, mode="nearest", align_corners=False)
        return turned[0], int(self.labels[index])


class Importance:
    """The importance of MAS by batches, added to that of all tasks before."""

    def __init__(self, model: nn.Module, loader: DataLoader | None, earlier: list[dict]) -> None:
        self.anchor = {name: p.clone().detach() for name, p in model.named_parameters()}
        self.importance = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
        for before in earlier:
            for name in self.importance:
                self.importance[name] += before[name]
        if loader is None:
            return
        for images, _ in loader:
            model.zero_grad()
            model(images.flatten(1)).pow(2).sum(dim=1).mean().backward()
            for name, p in model.named_parameters():
                self.importance[name] += p.grad.abs() / len(loader)

    def penalty(self, model: nn.Module) -> Tensor:
        """Return the sum of importance times squared move."""
        loss = torch.tensor(0.0)
        for name, p in model.named_parameters():
            loss = loss + (self.importance[name] * (p - self.anchor[name]) ** 2).sum()
        return loss


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """Return the share of digits in ``loader`` that ``model`` gets right."""
    hits = total = 0
    with torch.no_grad():
        for images, labels in loader:
            hits += (model(images.flatten(1)).argmax(dim=-1) == labels).sum().item()
            total += len(labels)
    return hits / total


def main(folder: Path, level: str, epochs: int, seed: int) -> None:
    """Train with the recipe's numbers and print the metric and the clock after each epoch."""
    recipe: Recipe = recipes.load(SPEC, recipes.find_recipe(SPEC, level, "world"))
    torch.manual_seed(seed)
    start = time.perf_counter()
    digits = data.load(official(folder), recipe)
    knobs = recipe.train
    angles = [recipe.data.angle * task for task in range(recipe.data.num_tasks)]
    train_loaders, test_loaders = (
        [
            DataLoader(TurnedDigits(images, labels, angle), batch_size=size, shuffle=True)
            for angle in angles
        ]
        for images, labels, size in (
            (digits.train_images, digits.train_labels, knobs.batch_size),
            (digits.test_images, digits.test_labels, TEST_BATCH),
        )
    )
    sizes = [784, *recipe.model.hidden, 10]
    layers: list[nn.Module] = []
    for wide, narrow in itertools.pairwise(sizes):
        layers += [nn.Linear(wide, narrow), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    importance, earlier, reached = Importance(model, None, []), [], []
    for task, loader in enumerate(train_loaders):
        optimizer = torch.optim.Adam(model.parameters(), lr=knobs.learning_rate)
        for _ in range(epochs):
            model.train()
            for images, labels in loader:
                loss = F.cross_entropy(model(images.flatten(1)), labels)
                loss = loss + recipe.strength.mas * importance.penalty(model)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            seen = [accuracy(model, test) for test in test_loaders[: task + 1]]
            reached.append((round(time.perf_counter() - start, 3), 100 * sum(seen) / len(seen)))
        importance = Importance(model, loader, earlier)
        earlier.append(importance.importance)
    print(json.dumps({"reached": reached, "peak_memory_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
