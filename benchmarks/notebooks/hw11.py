"""Homework 11 as the notebook trains it: one picture at a time from disk, three optimizers in turn.

    python -m benchmarks.notebooks.hw11 DIR LEVEL EPOCHS SEED

prints one JSON object: the accuracy on photos held out after each epoch with the seconds since the
start. The notebook seeks edges with OpenCV anew for every item; here they are sought once, before
the clock starts, which favours the notebook.
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
from torch.utils.data import DataLoader, Dataset, Subset

from mlspring.core.machine import peak_memory_mib
from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw11_adaptation import edges, models, transform
from mlspring.homeworks.hw11_adaptation.recipe import DataKnobs, Recipe
from mlspring.homeworks.hw11_adaptation.spec import SPEC


class Pictures(Dataset):
    """Opens and resizes a file whenever an item is asked for; photos are shown by their edges."""

    def __init__(self, files: list[Path], knobs: DataKnobs, *, augment: bool) -> None:
        self.files, self.size, self.augment = files, knobs.image_size, augment
        self.lines: dict[Path, Image.Image] = {}
        for file in files:
            if file.parent.parent.name == "train_data":
                grey = torch.from_numpy(np.array(self.opened(file)))[None]
                canny = edges.canny(grey, knobs.edge_blur, knobs.edge_low, knobs.edge_high)
                self.lines[file] = Image.fromarray(canny[0].numpy())

    def opened(self, file: Path) -> Image.Image:
        """Return a file as a grey picture."""
        with Image.open(file) as image:
            return image.convert("L").resize((self.size, self.size), Image.Resampling.BILINEAR)

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one picture (1, s, s) in [0, 1] and the number of its folder."""
        file = self.files[index]
        image = self.opened(file)
        image = self.lines.get(file, image)
        if self.augment:
            if random.random() < transform.FLIP:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            angle = random.uniform(-transform.ROTATE, transform.ROTATE)
            image = image.rotate(angle, Image.Resampling.NEAREST)
        pixels = torch.from_numpy(np.array(image))[None].float() / 255
        return pixels, int(file.parent.name)


def accuracy(extract: nn.Module, classify: nn.Module, loader: DataLoader) -> float:
    """Return the share of photos in ``loader`` that the networks get right."""
    extract.eval()
    hits = total = 0
    with torch.no_grad():
        for images, labels in loader:
            hits += (classify(extract(images)).argmax(dim=-1) == labels).sum().item()
            total += len(labels)
    return hits / total


def main(folder: Path, level: str, epochs: int, seed: int) -> None:
    """Train with the level's numbers and print the accuracy and the clock after each epoch."""
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / f"{level}.toml")
    torch.manual_seed(seed)
    random.seed(seed)
    root = folder / "real_or_drawing"
    photos = sorted((root / "train_data").glob("*/*.bmp"))
    random.shuffle(photos)
    num_held = round(recipe.data.hold_out * len(photos))
    photo_set = Pictures(photos, recipe.data, augment=True)
    plain_set = Pictures(photos[:num_held], recipe.data, augment=False)
    drawings = sorted((root / "test_data").glob("*/*.bmp"))
    drawing_set = Pictures(drawings, recipe.data, augment=True)
    start = time.perf_counter()
    batch = {"batch_size": recipe.train.batch_size, "shuffle": True}
    photo_loader = DataLoader(Subset(photo_set, range(num_held, len(photos))), **batch)
    drawing_loader = DataLoader(drawing_set, **batch)
    valid_loader = DataLoader(plain_set, batch_size=recipe.train.batch_size)
    extract = models.PlainExtractor(recipe.model.width)
    classify = models.LabelPredictor(8 * recipe.model.width, 10)
    domain = models.DomainClassifier(8 * recipe.model.width)
    optimizers = [
        torch.optim.Adam(part.parameters(), recipe.train.learning_rate)
        for part in (extract, classify, domain)
    ]
    reached = []
    for _ in range(epochs):
        extract.train()
        for (source, labels), (target, _) in zip(photo_loader, drawing_loader, strict=False):
            features = extract(torch.cat([source, target]))
            is_source = torch.zeros(len(features), 1)
            is_source[: len(source)] = 1
            loss = nn.functional.binary_cross_entropy_with_logits(
                domain(features.detach()), is_source
            )
            loss.backward()
            optimizers[2].step()
            risk = nn.functional.cross_entropy(classify(features[: len(source)]), labels)
            fooled = nn.functional.binary_cross_entropy_with_logits(domain(features), is_source)
            (risk - recipe.adapt.weight * fooled).backward()
            optimizers[0].step()
            optimizers[1].step()
            for optimizer in optimizers:
                optimizer.zero_grad()
        seconds = round(time.perf_counter() - start, 2)
        reached.append((seconds, accuracy(extract, classify, valid_loader)))
    print(json.dumps({"reached": reached, "peak_memory_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
