"""The network of homework 14: 784-1024-512-256-10 with ReLU, the same for every method."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw14_lifelong.data import NUM_CLASSES, SIDE

NUM_PIXELS = SIDE * SIDE


class Perceptron(nn.Module):
    """Fully connected layers with ReLU between them; ``hidden`` are the units of the inner ones."""

    def __init__(self, hidden: Sequence[int]) -> None:
        super().__init__()
        sizes = (NUM_PIXELS, *hidden, NUM_CLASSES)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, 10) of images (n, 784)."""
        return self.trace(images)[-1][1]

    def features(self, images: Tensor) -> Tensor:
        """Return what the last layer sees: (n, hidden[-1])."""
        return self.trace(images)[-1][0]

    def trace(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return input and output of every layer, the outputs before their ReLU.

        The gradient of one image's loss with respect to a layer's weights is the outer product of
        the loss's gradient at the layer's output with the layer's input; so these are all that
        per-image gradients need.
        """
        traced = [(images, self.layers[0](images))]
        for layer in self.layers[1:]:
            inputs = torch.relu(traced[-1][1])
            traced.append((inputs, layer(inputs)))
        return traced
