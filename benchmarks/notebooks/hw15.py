"""Homework 15 as the notebook trains it: twenty files opened to use two, one task after another.

    python -m benchmarks.notebooks.hw15 DIR LEVEL EPOCHS SEED

prints one JSON object: the validation accuracy after each epoch with the seconds since the start.
Validation tasks are ours, so that both ways are measured on the same; they are answered one by one.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from mlspring.core.machine import peak_memory_mib
from mlspring.core.recipe import load_recipe
from mlspring.core.source import official
from mlspring.homeworks.hw15_meta import data as island
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.spec import SPEC
from mlspring.homeworks.hw15_meta.tasks import Tasks, make_pools, validation_tasks

Weights = dict[str, Tensor]


class Characters(Dataset):
    """Opens all drawings of a character whenever it is asked for, and returns some of them."""

    def __init__(self, folders: list[Path], num_images: int) -> None:
        self.folders, self.num_images = folders, num_images

    def __len__(self) -> int:
        """Return the number of characters."""
        return len(self.folders)

    def __getitem__(self, index: int) -> Tensor:
        """Return drawings (num_images, 1, 28, 28) of one character, paper 1 and ink 0."""
        files = sorted(self.folders[index].glob("**/*.png"))
        images = [np.array(Image.open(file), np.float32)[None] / 255 for file in files]
        chosen = random.sample(range(len(images)), self.num_images)
        return torch.from_numpy(np.stack([images[i] for i in chosen]))


class Classifier(nn.Module):
    """The notebook's network with its second forward pass, from a dictionary of weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        for layer in range(1, 5):
            c_in = width if layer > 1 else 1
            block = nn.Sequential(nn.Conv2d(c_in, width, 3, padding=1), nn.BatchNorm2d(width))
            setattr(self, f"conv{layer}", block)
        self.logits = nn.Linear(width, 5)

    @staticmethod
    def functional_forward(x: Tensor, weights: Weights) -> Tensor:
        """Return logits (n, 5) of images (n, 1, 28, 28)."""
        for layer in range(1, 5):
            conv, norm = f"conv{layer}.0", f"conv{layer}.1"
            x = F.conv2d(x, weights[f"{conv}.weight"], weights[f"{conv}.bias"], padding=1)
            scale, shift = weights[f"{norm}.weight"], weights[f"{norm}.bias"]
            x = F.batch_norm(x, None, None, scale, shift, training=True)
            x = F.max_pool2d(F.relu(x), 2)
        return F.linear(x.flatten(1), weights["logits.weight"], weights["logits.bias"])


def adapted(model: Classifier, support: Tensor, steps: int, rate: float) -> Weights:
    """Return fast weights after the inner loop; the graph is built in any case."""
    fast: Weights = dict(model.named_parameters())
    for _ in range(steps):
        labels = torch.arange(5, device=support.device)
        loss = F.cross_entropy(model.functional_forward(support, fast), labels)
        grads = torch.autograd.grad(loss, list(fast.values()), create_graph=True)
        pairs = zip(fast.items(), grads, strict=True)
        fast = {name: weight - rate * grad for (name, weight), grad in pairs}
    return fast


def episodes(loader: DataLoader, queries: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield support, query and the query's labels of one task after another."""
    for images in loader:  # (5, 1 + queries, 1, 28, 28)
        yield images[:, 0], images[:, 1:].flatten(0, 1), torch.arange(5).repeat_interleave(queries)


def accuracy(model: Classifier, recipe: Recipe, unseen: Tasks) -> float:
    """Return the share of the tasks' query images that are answered right, task by task."""
    hits = 0
    for task in range(len(unseen)):
        support, query = (1 - part[task][:, None] for part in (unseen.support, unseen.query))
        fast = adapted(model, support, recipe.predict.inner_steps, recipe.method.inner_rate)
        answers = model.functional_forward(query, fast).argmax(1)
        hits += (answers == unseen.labels[task]).sum().item()
    return hits / unseen.labels.numel()


def main(folder: Path, level: str, epochs: int, seed: int) -> None:
    """Train with the level's numbers and print the accuracy and the clock after each epoch."""
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / f"{level}.toml")
    data = island.load(official(folder), recipe)
    pool, held_out = make_pools(data, recipe.data, seed, torch.device("cpu"))
    unseen = validation_tasks(held_out, recipe.train.valid_tasks, seed)
    known = {image.numpy().tobytes() for image in pool.images[:, 0]}
    folders = sorted((folder / "Omniglot" / "images_background").glob("*/*"))
    train = [f for f in folders if np.array(Image.open(min(f.iterdir()))).tobytes() in known]
    del data, pool, held_out

    torch.manual_seed(seed)
    random.seed(seed)
    start = time.perf_counter()
    knobs = recipe.method
    characters = Characters(train, 1 + knobs.queries)
    loader = DataLoader(characters, batch_size=5, shuffle=True, drop_last=True)
    model = Classifier(recipe.model.width)
    optimizer = torch.optim.Adam(model.parameters(), recipe.train.learning_rate)
    reached = []
    for _ in range(epochs):
        tasks = episodes(loader, knobs.queries)
        for _ in range(len(loader) // recipe.train.batch_size):
            losses = []
            for _ in range(recipe.train.batch_size):
                support, query, labels = next(tasks)
                fast = adapted(model, support, knobs.inner_steps, knobs.inner_rate)
                losses.append(F.cross_entropy(model.functional_forward(query, fast), labels))
            optimizer.zero_grad()
            torch.stack(losses).mean().backward()
            optimizer.step()
        reached.append((round(time.perf_counter() - start, 2), accuracy(model, recipe, unseen)))
    print(json.dumps({"reached": reached, "peak_memory_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
