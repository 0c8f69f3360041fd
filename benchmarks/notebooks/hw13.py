"""Homework 13 as the notebook trains it: one picture at a time from disk, every epoch anew.

    python -m benchmarks.notebooks.hw13 DIR --level simple

The hints are distillation, with the teacher's forward pass in each step (medium), depthwise and
pointwise convolutions (strong), and a student that starts as the pruned teacher (boss). The teacher
is given, as the course gives one: ``DIR/teacher.safetensors``, our own for this world.
"""

import copy

import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.notebooks.pictures import FoodDataset, files_of
from benchmarks.notebooks.way import Way, move_average, run
from mlspring.homeworks.hw13_compression import models, prune
from mlspring.homeworks.hw13_compression.architecture import residual
from mlspring.homeworks.hw13_compression.train import CLIP_NORM, distillation_loss
from mlspring.kit import checkpoint

TEACHER = "teacher.safetensors"


def train(way: Way) -> None:
    """Train the student with the level's numbers."""
    recipe, knobs, size = way.recipe, way.recipe.train, way.recipe.data.image_size
    root = way.folder / "food11-hw13"
    train_set = FoodDataset(files_of(root, "training"), size, recipe.augment)
    valid_set = FoodDataset(files_of(root, "validation"), size, None)
    train_loader = DataLoader(train_set, batch_size=knobs.batch_size, shuffle=True)
    valid_loader = DataLoader(valid_set, batch_size=knobs.batch_size)
    teacher = None
    model = models.build(recipe.architecture)
    if recipe.needs_teacher:
        large = residual(recipe.teacher.width)
        teacher = models.build(large).eval()
        checkpoint.load_weights(way.folder / TEACHER, teacher)
        if recipe.student.start == "teacher":
            _, model = prune.shrink(large, teacher, recipe.architecture.groups)
        teacher.to(way.device)
    model = model.train().to(way.device)
    average = copy.deepcopy(model) if knobs.ema_decay else model
    optimizer = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay
    )
    for step, (images, labels) in way.updates(train_loader, knobs.steps):
        way.set_rate(optimizer, step)
        soft = None
        if teacher is not None:
            with torch.no_grad():
                soft = teacher(images)
        loss = distillation_loss(model(images), labels, soft, recipe.distill)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=CLIP_NORM)
        optimizer.step()
        if knobs.ema_decay:
            move_average(average, model, knobs.ema_decay, step)
        if way.validates(step):
            way.validated(way.accuracy(average, valid_loader))


if __name__ == "__main__":
    run("hw13", train)
