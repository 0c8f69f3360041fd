"""Homework 2 as the notebook trains it: every window written out, frames collated one by one.

    python -m benchmarks.notebooks.hw02 DIR LEVEL EPOCHS SEED

prints one JSON object: the validation accuracy after each epoch with the seconds since the start.
"""

import json
import random
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mlspring.core.machine import peak_memory_mib
from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw02_phonemes import models
from mlspring.homeworks.hw02_phonemes.recipe import Recipe
from mlspring.homeworks.hw02_phonemes.spec import SPEC
from mlspring.homeworks.hw02_phonemes.utterances import speaker_of


class LibriDataset(Dataset):
    """Hands out one window at a time."""

    def __init__(self, windows: Tensor, labels: Tensor) -> None:
        self.windows, self.labels = windows, labels

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one window (39 n,) and its class."""
        return self.windows[index], self.labels[index]


def concat_feat(features: Tensor, n: int) -> Tensor:
    """Return the windows of an utterance, (t, 39 n), n copies of it that are shifted."""
    if n == 1:
        return features
    shifted = []
    for by in range(-(n // 2), n // 2 + 1):
        rows = (torch.arange(len(features)) + by).clamp(0, len(features) - 1)
        shifted.append(features[rows])
    return torch.cat(shifted, 1)


def preprocess(root: Path, names: list[str], n: int, num_frames: int) -> tuple[Tensor, Tensor]:
    """Return all windows and labels of some utterances: a buffer of ``num_frames``, then cut."""
    labels = {}
    for line in (root / "train_labels.txt").read_text().splitlines():
        name, *classes = line.split(" ")
        labels[name] = [int(c) for c in classes]
    windows = torch.empty(num_frames, 39 * n)
    targets = torch.empty(num_frames, dtype=torch.long)
    at = 0
    for name in names:
        feature = concat_feat(torch.load(root / "feat" / "train" / f"{name}.pt"), n)
        windows[at : at + len(feature)] = feature
        targets[at : at + len(feature)] = torch.LongTensor(labels[name])
        at += len(feature)
    return windows[:at], targets[:at]


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """Return the share of frames in ``loader`` that ``model`` gets right."""
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for windows, labels in loader:
            hits += (model(windows).argmax(1) == labels).sum().item()
            total += len(labels)
    return hits / total


def main(folder: Path, level: str, epochs: int, seed: int) -> None:
    """Train with the level's numbers and print the accuracy and the clock after each epoch."""
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / f"{level}.toml")
    torch.manual_seed(seed)
    start = time.perf_counter()
    root, n = folder / "libriphone", recipe.model.frames
    names = (root / "train_split.txt").read_text().split()
    speakers = sorted({speaker_of(name) for name in names})
    random.Random(1337).shuffle(speakers)
    trained = set(speakers[: int(len(speakers) * (1 - recipe.data.held_out))])
    loaders = []
    for is_train in (True, False):
        part = [name for name in names if (speaker_of(name) in trained) == is_train]
        data = LibriDataset(*preprocess(root, part, n, 600_000))
        loaders.append(DataLoader(data, batch_size=recipe.train.batch_size, shuffle=is_train))
    model = models.build(recipe.model)
    optimizer = torch.optim.AdamW(
        model.parameters(), recipe.train.learning_rate, weight_decay=recipe.train.weight_decay
    )
    reached = []
    for _ in range(epochs):
        model.train()
        for windows, labels in loaders[0]:
            loss = nn.functional.cross_entropy(model(windows), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        reached.append((round(time.perf_counter() - start, 2), accuracy(model, loaders[1])))
    print(json.dumps({"reached": reached, "peak_memory_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
