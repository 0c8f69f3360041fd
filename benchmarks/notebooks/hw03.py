"""Homework 3 as the notebook trains it: one picture at a time from disk, every epoch anew.

    python -m benchmarks.notebooks.hw03 DIR --level medium

The hints are transforms (medium), a deeper network (strong), and a cross validation whose networks
are trained one after another (boss). Test-time views come after training, so they have no part in
this. The score is the accuracy on the pictures held out; of several networks that of all together.
"""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.notebooks.pictures import FoodDataset, files_of, label_of
from benchmarks.notebooks.way import Way, move_average, run
from mlspring.homeworks.hw03_food_cnn import models
from mlspring.homeworks.hw03_food_cnn.data import NUM_CLASSES

Files = Sequence[Path]


def splits(way: Way) -> Iterator[tuple[Files, Files]]:
    """Yield the files that each network trains on and those that it validates on."""
    knobs, root = way.recipe.data, way.folder / "food11"
    training, validation = (files_of(root, part) for part in ("training", "validation"))
    if not knobs.folds:
        yield training, validation
        return
    pool = training + validation if knobs.pool == "training+validation" else training
    classes = np.array([label_of(file) for file in pool])
    folds = StratifiedKFold(knobs.folds, shuffle=True, random_state=way.seed)
    for learnt, held in folds.split(classes, classes):
        yield [pool[i] for i in learnt], [pool[i] for i in held]


def train(way: Way) -> None:
    """Train each network with the level's numbers."""
    hits = total = 0.0
    way.rounds = way.recipe.num_members
    for learnt, held in splits(way):
        hits += len(held) * train_network(way, learnt, held)
        total += len(held)
    if way.recipe.num_members > 1:
        way.validated(hits / total)


def train_network(way: Way, learnt: Files, held: Files) -> float:
    """Train one network; return its accuracy on the files held out."""
    recipe, knobs, size = way.recipe, way.recipe.train, way.recipe.data.image_size
    train_set = FoodDataset(learnt, size, recipe.augment, knobs.crop_size)
    train_loader = DataLoader(train_set, batch_size=knobs.batch_size, shuffle=True)
    valid_loader = DataLoader(FoodDataset(held, size, None), batch_size=knobs.batch_size)
    model = models.build(recipe.model, size, NUM_CLASSES).to(way.device)
    average = copy.deepcopy(model) if knobs.ema_decay else model
    criterion = nn.CrossEntropyLoss(label_smoothing=knobs.label_smoothing)
    optimizer = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay
    )
    accuracy = 0.0
    for step, (images, labels) in way.updates(train_loader, knobs.steps):
        way.set_rate(optimizer, step)
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=knobs.clip_norm)
        optimizer.step()
        if knobs.ema_decay:
            move_average(average, model, knobs.ema_decay, step)
        if way.validates(step):
            accuracy = way.accuracy(average, valid_loader)
            if recipe.num_members == 1:
                way.validated(accuracy)
    return accuracy


if __name__ == "__main__":
    run("hw03", train)
