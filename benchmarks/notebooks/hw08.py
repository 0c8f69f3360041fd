"""Homework 8 as the notebook trains it: every picture through two functions, one at a time.

    python -m benchmarks.notebooks.hw08 DIR --level simple

The hints are another network (medium), several encoders (strong), and noise with an extra
classifier (boss). The notebook has no validation; here the area on planted faults is looked at as
often as in ours.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks.notebooks.way import Way, run
from mlspring.core.source import official
from mlspring.homeworks.hw08_anomaly import data, models, noise
from mlspring.homeworks.hw08_anomaly.train import held_out, losses, validate
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE
from mlspring.kit.seeding import generator


class Pictures(Dataset[Tensor]):
    """The array of all pictures, of which one after the other is transformed."""

    def __init__(self, pixels: NDArray[np.uint8], size: int) -> None:
        self.pixels = torch.from_numpy(np.array(pixels))
        self.transforms: list[Callable[[Tensor], Tensor]] = [
            lambda image: image.to(torch.float32).permute(2, 0, 1),
            lambda image: 2 * image / 255 - 1,
            lambda image: F.interpolate(image[None], size=size, mode="area")[0],
        ]

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> Tensor:
        image = self.pixels[index]
        for transform in self.transforms:
            image = transform(image)
        return image


def train(way: Way) -> None:
    """Train the level's network with its numbers."""
    recipe, knobs, size = way.recipe, way.recipe.train, way.recipe.data.image_size
    loaded = data.load(official(way.folder), recipe)
    pictures = Pictures(loaded.train, size)
    loader = DataLoader(pictures, batch_size=min(knobs.batch_size, len(pictures)), shuffle=True)
    hardware = Hardware(device=way.device, precision="fp32", channels_last=False)
    held = held_out(loaded, size, hardware)
    model = models.build(recipe.model, recipe.classifier, size).to(way.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=knobs.learning_rate)
    for step, (images,) in way.updates(loader, knobs.steps):
        way.set_rate(optimizer, step)
        given, where = noise.spoil(images, recipe.noise, generator(way.seed, step))
        model.train()
        draws = torch.randn(len(given), recipe.model.latent, device=way.device)
        _, loss = losses(model(given, draws), images, where, recipe)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if way.validates(step):
            measured = validate(model, held, recipe.score, hardware, ALONE)
            way.validated(measured["valid__auc"])


if __name__ == "__main__":
    run("hw08", train)
