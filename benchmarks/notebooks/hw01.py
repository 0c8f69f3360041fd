"""Homework 1 as the notebook trains it: a data set of single rows, collated by a default loader.

    python -m benchmarks.notebooks.hw01 DIR --level strong

The hints are chosen columns (medium), another network and optimizer (strong), regularisation and
networks on several parts of the rows, one after another (boss). Rows are read and split as in ours.
The score is the mean squared error of the rows held out; of several networks that of all of them
together. Nothing stops early: a run ends where it has the wanted score.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.notebooks.way import Way, run
from mlspring.core.source import official
from mlspring.homeworks.hw01_regression import data, models
from mlspring.homeworks.hw01_regression.train import prepare, splits
from mlspring.kit import device


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


def train(way: Way) -> None:
    """Train each network with the level's numbers."""
    recipe = way.recipe
    hardware = device.choose("cpu", "fp32", work="dense")
    table = data.load(official(way.folder), recipe)
    squares, rows, way.rounds = 0.0, 0, recipe.num_members
    for split in splits(recipe.data, table, way.seed, hardware):
        model = models.build(recipe.data, recipe.model)
        known = split.table[split.train], split.targets[split.train]
        model.scaling.fit(*known, recipe.data.standardise)
        train_set, valid_set = (
            SurveyDataset(*prepare(model, split, part)) for part in (split.train, split.held_out)
        )
        found = train_network(way, model.to(way.device), train_set, valid_set)
        squares, rows = squares + found, rows + len(valid_set)
    if recipe.num_members > 1:
        way.validated(squares / rows)


def train_network(way: Way, model: nn.Module, train_set: Dataset, valid_set: Dataset) -> float:
    """Train one network; return its squared error, summed over the rows held out."""
    knobs = way.recipe.train
    train_loader = DataLoader(train_set, batch_size=knobs.batch_size, shuffle=True)
    valid_loader = DataLoader(valid_set, batch_size=knobs.batch_size)
    rate, decay = knobs.learning_rate, knobs.weight_decay
    if knobs.optimizer == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), rate, knobs.momentum, weight_decay=decay)
    else:
        betas = (knobs.momentum, 0.99)
        optimizer = torch.optim.AdamW(model.parameters(), rate, betas, weight_decay=decay)
    squares = 0.0
    for step, (rows, wanted) in way.updates(train_loader, knobs.steps):
        way.set_rate(optimizer, step)
        loss = nn.functional.mse_loss(model(rows), wanted)
        optimizer.zero_grad()
        loss.backward()
        if knobs.clip_norm:
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=knobs.clip_norm)
        optimizer.step()
        if way.validates(step):
            squares = squared_error(way, model, valid_loader)
            if way.recipe.num_members == 1:
                way.validated(squares / len(valid_set))
    return squares


def squared_error(way: Way, model: nn.Module, loader: DataLoader) -> float:
    """Return the squared error of ``model``, summed over the rows of ``loader``."""
    model.eval()
    squares = 0.0
    with torch.no_grad():
        for batch in loader:
            rows, wanted = way.on_device(batch)
            squares += ((model(rows) - wanted) ** 2).sum().item()
    model.train()
    return squares


if __name__ == "__main__":
    run("hw01", train)
