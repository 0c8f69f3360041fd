"""Homework 13 as the notebook trains it: one picture at a time from disk, every epoch anew.

    python -m benchmarks.notebooks.hw13 DIR LEVEL EPOCHS SEED

prints one JSON object: the validation accuracy after each epoch with the seconds since the start.
For a level without a teacher.
"""

import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mlspring.core.machine import peak_memory_mib
from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw13_compression import models
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.spec import SPEC
from mlspring.homeworks.hw13_compression.train import CLIP_NORM

MEAN, STD = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


class FoodDataset(Dataset):
    """Opens, resizes and normalises a file whenever an item is asked for."""

    def __init__(self, folder: Path, size: int, flip: float) -> None:
        self.files = sorted(folder.glob("*.jpg"))
        self.size, self.flip = size, flip

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one picture (3, s, s) and its label."""
        file = self.files[index]
        image = Image.open(file).convert("RGB").resize((self.size, self.size))
        if random.random() < self.flip:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return (pixels - MEAN) / STD, int(file.name.split("_")[0])


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """Return the share of pictures in ``loader`` that ``model`` gets right."""
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for images, labels in loader:
            hits += (model(images).argmax(dim=-1) == labels).sum().item()
            total += len(labels)
    return hits / total


def main(folder: Path, level: str, epochs: int, seed: int) -> None:
    """Train with the level's numbers and print the accuracy and the clock after each epoch."""
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / f"{level}.toml")
    torch.manual_seed(seed)
    random.seed(seed)
    start = time.perf_counter()
    size, knobs = recipe.data.image_size, recipe.train
    train_set = FoodDataset(folder / "food11-hw13" / "training", size, recipe.augment.flip)
    valid_set = FoodDataset(folder / "food11-hw13" / "validation", size, 0)
    train_loader = DataLoader(train_set, batch_size=knobs.batch_size, shuffle=True)
    valid_loader = DataLoader(valid_set, batch_size=knobs.batch_size)
    model = models.build(recipe.architecture)
    optimizer = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay
    )
    reached = []
    for _ in range(epochs):
        model.train()
        for images, labels in train_loader:
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=CLIP_NORM)
            optimizer.step()
        reached.append((round(time.perf_counter() - start, 2), accuracy(model, valid_loader)))
    print(json.dumps({"reached": reached, "peak_memory_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
