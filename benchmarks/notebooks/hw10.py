"""Homework 10 as the notebook attacks: eight pictures at a time, opened from disk for each attack.

    python -m benchmarks.notebooks.hw10 DIR --level strong

The hints are FGSM (simple), I-FGSM through several networks (medium), momentum (strong) and input
diversity (boss). The networks are given to both ways, ready before the clock starts; as in the
notebook their weights have gradients, too, and one draw of input diversity moves a whole batch.
"""

import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks.notebooks.way import Way, run
from mlspring.core.runs import Request
from mlspring.core.source import official
from mlspring.homeworks.hw10_attack import data as island
from mlspring.homeworks.hw10_attack.attacks import GREY, ensemble_losses
from mlspring.homeworks.hw10_attack.networks import open_networks
from mlspring.homeworks.hw10_attack.recipe import AttackKnobs
from mlspring.kit.device import Hardware

BATCH = 8


class Benign(Dataset):
    """Opens a picture whenever an item is asked for."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.classes = sorted({file.parent.name for file in files})

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one picture (3, 32, 32), 0 to 255, and its class."""
        file = self.files[index]
        pixels = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)
        return pixels.float(), self.classes.index(file.parent.name)


def diverse(pictures: Tensor, rule: AttackKnobs) -> Tensor:
    """Return the batch resized to one random size at one random place, or as it is."""
    side = pictures.shape[-1]
    if random.random() >= rule.diversity:
        return pictures
    size = random.randint(int(np.ceil(rule.smallest * side)), int(rule.largest * side))
    room = side - size  # below zero: what F.pad cuts off
    left, top = (random.randint(min(room, 0), max(room, 0)) for _ in range(2))
    made = F.interpolate(pictures, size=(size, size), mode="bilinear")
    around = (left, room - left, top, room - top)
    return F.pad(made, around, value=GREY)


def train(way: Way) -> None:
    """Attack with the level's numbers."""
    recipe, rule, knobs = way.recipe, way.recipe.attack, way.recipe.train
    pictures = island.load(official(way.folder), recipe)
    request = Request(homework="hw10", recipe="notebook", device=way.device.type, precision="fp32")
    names = [*recipe.networks.proxies, *recipe.networks.held_out]
    hardware = Hardware(device=way.device, precision="fp32", channels_last=False)
    networks = open_networks(names, recipe.networks, pictures, request, hardware)
    proxies = [networks[name].requires_grad_(True) for name in recipe.networks.proxies]
    held_out = [networks[name] for name in recipe.networks.held_out]
    files = island.benign_files(way.folder)
    way.start_clock()

    loader = DataLoader(Benign(files), batch_size=BATCH)
    way.rounds, alpha = len(loader), knobs.learning_rate * rule.epsilon
    hits = torch.zeros(len(held_out))
    for batch in loader:
        benign, labels = way.on_device(batch)
        attacked, direction = benign, torch.zeros_like(benign)
        for _ in way.updates([()], knobs.steps):
            attacked = attacked.detach().requires_grad_()
            seen = diverse(attacked, rule)
            logits = [network(seen) for network in proxies]
            ensemble_losses(logits, labels, rule.combine).mean().backward()
            size = attacked.grad.abs().mean((1, 2, 3), keepdim=True).clamp_min(1e-30)
            direction = rule.momentum * direction + attacked.grad / size
            moved = attacked.detach() + alpha * direction.sign()
            moved = torch.minimum(
                torch.maximum(moved, benign - rule.epsilon), benign + rule.epsilon
            )
            attacked = moved.clamp(0, 255)
        with torch.no_grad():
            right = [(net(attacked.round()).argmax(1) == labels).sum() for net in held_out]
        hits += torch.stack(right).cpu()
    way.validated((hits / len(files)).mean().item())


if __name__ == "__main__":
    run("hw10", train)
