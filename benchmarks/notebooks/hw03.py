"""Homework 3 as the notebook trains it: one picture at a time from disk, every epoch anew.

    python -m benchmarks.notebooks.hw03 DIR LEVEL EPOCHS SEED

prints one JSON object: the validation accuracy after each epoch with the seconds since the start.
"""

import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mlspring.core.machine import peak_memory_mib
from mlspring.core.recipe import load_recipe
from mlspring.core.recipe_sections import AugmentKnobs
from mlspring.homeworks.hw03_food_cnn import models
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.homeworks.hw03_food_cnn.spec import SPEC


class FoodDataset(Dataset):
    """Opens, resizes and converts a file whenever an item is asked for."""

    def __init__(self, folder: Path, size: int, augment: AugmentKnobs | None) -> None:
        self.files = sorted(folder.glob("*.jpg"))
        self.size, self.augment = size, augment

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one picture (3, s, s) in [0, 1] and its label."""
        file = self.files[index]
        image = Image.open(file).convert("RGB").resize((self.size, self.size))
        if self.augment is not None:
            image = vary(image, self.augment)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return pixels, int(file.name.split("_")[0])


def vary(image: Image.Image, knobs: AugmentKnobs) -> Image.Image:
    """Return a picture changed as the recipe's transform does, step by step with Pillow."""
    if random.random() < knobs.flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if knobs.rotate:
        angle = random.uniform(-knobs.rotate, knobs.rotate)
        image = image.rotate(angle, Image.Resampling.BILINEAR)
    if knobs.zoom_min < 1:
        side = image.width * random.uniform(knobs.zoom_min, 1)
        left, top = (random.uniform(0, image.width - side) for _ in range(2))
        window = (left, top, left + side, top + side)
        image = image.resize(image.size, Image.Resampling.BILINEAR, box=window)
    for span, kind in (
        (knobs.brightness, ImageEnhance.Brightness),
        (knobs.contrast, ImageEnhance.Contrast),
        (knobs.saturation, ImageEnhance.Color),
    ):
        if span:
            image = kind(image).enhance(random.uniform(1 - span, 1 + span))
    return image


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
    size, batch_size = recipe.data.image_size, recipe.train.batch_size
    train_set = FoodDataset(folder / "food11" / "training", size, recipe.augment)
    valid_set = FoodDataset(folder / "food11" / "validation", size, None)
    train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
    valid_loader = DataLoader(valid_set, batch_size=batch_size)
    model = models.build(recipe.model, size, 11)
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.train.label_smoothing)
    optimizer = torch.optim.AdamW(
        model.parameters(), recipe.train.learning_rate, weight_decay=recipe.train.weight_decay
    )
    reached = []
    for _ in range(epochs):
        model.train()
        for images, labels in train_loader:
            loss = criterion(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=recipe.train.clip_norm)
            optimizer.step()
        reached.append((round(time.perf_counter() - start, 2), accuracy(model, valid_loader)))
    print(json.dumps({"reached": reached, "peak_memory_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
