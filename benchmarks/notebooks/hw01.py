"""Homework 1 as the notebook trains it: a data set of single rows, collated by a default loader.

    python -m benchmarks.notebooks.hw01 DIR LEVEL EPOCHS SEED

prints one JSON object: the validation error after every tenth epoch with the seconds so far.
"""

import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mlspring.core.machine import peak_memory_mib
from mlspring.core.recipe import load_recipe
from mlspring.core.source import official
from mlspring.homeworks.hw01_regression import data, train
from mlspring.homeworks.hw01_regression.recipe import Recipe
from mlspring.homeworks.hw01_regression.spec import SPEC
from mlspring.kit import device

VALIDATE_EVERY = 10


class SurveyDataset(Dataset):
    """Hands out one row at a time."""

    def __init__(self, inputs: Tensor, targets: Tensor) -> None:
        self.inputs, self.targets = inputs, targets

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one row's inputs (k,) and its target."""
        return self.inputs[index], self.targets[index]


def main(folder: Path, level: str, epochs: int, seed: int) -> None:
    """Train with the level's numbers and print error and clock."""
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / f"{level}.toml")
    torch.manual_seed(seed)
    start = time.perf_counter()
    hardware = device.choose("cpu", "fp32", work="dense")
    table = data.load(official(folder), recipe)
    split = next(train.splits(recipe.data, table, seed, hardware))
    model = train.new_state(0, split, recipe, seed, hardware).model
    parts = [
        SurveyDataset(*train.prepare(model, split, rows)) for rows in (split.train, split.held_out)
    ]
    train_loader = DataLoader(parts[0], batch_size=recipe.train.batch_size, shuffle=True)
    valid_loader = DataLoader(parts[1], batch_size=recipe.train.batch_size)
    optimizer = torch.optim.AdamW(
        model.parameters(), recipe.train.learning_rate, weight_decay=recipe.train.weight_decay
    )
    reached = []
    for epoch in range(1, epochs + 1):
        model.train()
        for rows, wanted in train_loader:
            loss = nn.functional.mse_loss(model(rows), wanted)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=recipe.train.clip_norm)
            optimizer.step()
        if epoch % VALIDATE_EVERY == 0:
            model.eval()
            with torch.no_grad():
                squares = sum(((model(x) - y) ** 2).sum().item() for x, y in valid_loader)
            reached.append((round(time.perf_counter() - start, 3), squares / len(parts[1])))
    print(json.dumps({"reached": reached, "peak_memory_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
