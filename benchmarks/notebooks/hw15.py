"""Homework 15 as the notebook trains it: twenty files opened to use two, one task after another.

    python -m benchmarks.notebooks.hw15 DIR --level strong

The hints are the sample's transfer learning (simple), MAML by the first order (medium) and by the
second (strong), turned characters as new ones (boss). Validation tasks are ours, made before the
clock starts, so that both ways are measured on the same; they are answered one by one.
"""

import copy
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks.notebooks.way import Way, move_average, run
from mlspring.core.source import official
from mlspring.homeworks.hw15_meta import data as island
from mlspring.homeworks.hw15_meta.tasks import Tasks, make_pools, validation_tasks

Weights = dict[str, Tensor]
NUM_WAYS = 5


class Characters(Dataset):
    """Opens all drawings of a character whenever it is asked for, and returns some of them."""

    def __init__(self, folders: list[Path], num_images: int, turns: int) -> None:
        self.folders, self.num_images, self.turns = folders, num_images, turns

    def __len__(self) -> int:
        """Return the number of characters, turned ones counted as their own."""
        return len(self.folders) * self.turns

    def __getitem__(self, index: int) -> Tensor:
        """Return drawings (num_images, 1, 28, 28) of one character, ink 1 on paper 0."""
        place, quarter = divmod(index, self.turns)
        files = sorted(self.folders[place].glob("**/*.png"))
        images = [1 - np.array(Image.open(file), np.float32)[None] / 255 for file in files]
        chosen = random.sample(range(len(images)), self.num_images)
        drawings = torch.from_numpy(np.stack([images[i] for i in chosen]))
        return torch.rot90(drawings, quarter, (-2, -1))


class Classifier(nn.Module):
    """The notebook's network with its second forward pass, from a dictionary of weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        for layer in range(1, 5):
            c_in = width if layer > 1 else 1
            block = nn.Sequential(nn.Conv2d(c_in, width, 3, padding=1), nn.BatchNorm2d(width))
            setattr(self, f"conv{layer}", block)
        self.logits = nn.Linear(width, NUM_WAYS)

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


def adapted(model: Classifier, support: Tensor, steps: int, rate: float, second: bool) -> Weights:
    """Return fast weights after the inner loop; the second order keeps the gradients' graph."""
    fast: Weights = dict(model.named_parameters())
    labels = torch.arange(len(support), device=support.device)
    for _ in range(steps):
        loss = F.cross_entropy(model.functional_forward(support, fast), labels)
        grads = torch.autograd.grad(loss, list(fast.values()), create_graph=second)
        pairs = zip(fast.items(), grads, strict=True)
        fast = {name: weight - rate * grad for (name, weight), grad in pairs}
    return fast


def loss_of_task(way: Way, model: Classifier, images: Tensor) -> Tensor:
    """Return a task's loss: of its queries after the inner loop, or in transfer of all images."""
    knobs = way.recipe.method
    labels = torch.arange(NUM_WAYS, device=way.device)
    support, query = images[:, 0], images[:, 1:].flatten(0, 1)  # of (5, 1 + queries, 1, 28, 28)
    wanted = labels.repeat_interleave(knobs.queries)
    if knobs.name == "transfer":
        both, wanted = torch.cat((support, query)), torch.cat((labels, wanted))
        return F.cross_entropy(
            model.functional_forward(both, dict(model.named_parameters())), wanted
        )
    second = knobs.name == "maml"
    fast = adapted(model, support, knobs.inner_steps, knobs.inner_rate, second)
    return F.cross_entropy(model.functional_forward(query, fast), wanted)


def accuracy(way: Way, model: Classifier, unseen: Tasks) -> float:
    """Return the share of the tasks' query images that are answered right, task by task."""
    hits, knobs = 0, way.recipe
    for task in range(len(unseen)):
        support, query = (part[task][:, None] for part in (unseen.support, unseen.query))
        steps, rate = knobs.predict.inner_steps, knobs.method.inner_rate
        fast = adapted(model, support, steps, rate, second=False)
        answers = model.functional_forward(query, fast).argmax(1)
        hits += (answers == unseen.labels[task]).sum().item()
    return hits / unseen.labels.numel()


def train(way: Way) -> None:
    """Train with the level's numbers."""
    recipe, knobs, method = way.recipe, way.recipe.train, way.recipe.method
    data = island.load(official(way.folder), recipe)
    is_fixed = method.name == "transfer"
    pools = make_pools(data, recipe.data, way.seed, way.device, recipe.num_characters(0), is_fixed)
    unseen = validation_tasks(pools[1], knobs.valid_tasks, way.seed)
    known = {image.cpu().numpy().tobytes() for image in pools[0].images[:, 0]}
    folders = sorted((way.folder / "Omniglot" / "images_background").glob("*/*"))
    folders = [f for f in folders if np.array(Image.open(min(f.iterdir()))).tobytes() in known]
    del data, pools
    way.start_clock()

    characters = Characters(folders, 1 + method.queries, recipe.data.turns)
    tasks = DataLoader(characters, batch_size=NUM_WAYS, shuffle=not is_fixed, drop_last=True)
    model = Classifier(recipe.model.width).to(way.device)
    average = copy.deepcopy(model) if knobs.ema_decay else model
    optimizer = torch.optim.Adam(model.parameters(), knobs.learning_rate)
    losses: list[Tensor] = []
    for number, (images,) in way.updates(tasks, knobs.steps * knobs.batch_size):
        losses.append(loss_of_task(way, model, images))
        if len(losses) < knobs.batch_size:
            continue
        step = number // knobs.batch_size
        way.set_rate(optimizer, step)
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()
        losses = []
        if knobs.ema_decay:
            move_average(average, model, knobs.ema_decay, step)
        if way.validates(step):
            way.validated(accuracy(way, average, unseen))


if __name__ == "__main__":
    run("hw15", train)
