"""The network that is explained: the course's kind, small for the world.

Shapes: n images of s x s pixels; an image batch is (n, 3, s, s), logits are (n, 11).
"""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn

from mlspring.homeworks.hw09_explain.recipe import NetworkKnobs

KERNEL = 3


class FoodCNN(nn.Module):
    """Stages of (convolution - batch norm - ReLU) blocks, each with a pooling, then a classifier.

    With the course's numbers, 3, 3, 3, 1, 1 blocks of 128, 128, 256, 512, 512 channels, 1024 hidden
    units and 128 x 128 pixels, it has 14,162,827 parameters, and its tensors bear the names of the
    course's checkpoint (HW09 notebook).
    """

    def __init__(
        self,
        image_size: int,
        blocks: Sequence[int],
        channels: Sequence[int],
        hidden: int,
        num_classes: int,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        widths = [3, *channels]
        for (before, width), count in zip(itertools.pairwise(widths), blocks, strict=True):
            for block in range(count):
                layers += [
                    nn.Conv2d(width if block else before, width, KERNEL, padding=1),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                ]
            layers.append(nn.MaxPool2d(2))
        self.cnn = nn.Sequential(*layers)  # (n, channels[-1], s / 2^stages, s / 2^stages)
        side = image_size // 2 ** len(blocks)
        self.fc = nn.Sequential(
            nn.Linear(channels[-1] * side * side, hidden),
            nn.ReLU(),
            nn.Dropout(0.0),  # the place of the course's, which an explained network has off
            nn.Linear(hidden, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, num_classes) for images (n, 3, s, s)."""
        return self.fc(self.cnn(images).flatten(1))


class OnPixels(nn.Module):
    """A network that takes pixels in 0 .. 1, so that explanations are of what one sees.

    It normalises them as they were in training, (x - mean) / std, and passes them on.
    """

    def __init__(self, network: FoodCNN, mean: float, std: float) -> None:
        super().__init__()
        self.network, self.mean, self.std = network, mean, std

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (n, num_classes) for pixels (n, 3, s, s)."""
        return self.network((pixels - self.mean) / self.std)

    def up_to(self, layer: int) -> nn.Module:
        """Return the network from pixels to the maps of ``cnn[layer]``, with the same weights."""
        return Features(self, layer)

    def behind(self, layer: int) -> nn.Module:
        """Return the network from the maps of ``cnn[layer]`` to logits, with the same weights."""
        return nn.Sequential(self.network.cnn[layer + 1 :], nn.Flatten(), self.network.fc)

    @property
    def last_maps(self) -> int:
        """The last layer of ``cnn`` before its last pooling: a ReLU."""
        return len(self.network.cnn) - 2


class Features(nn.Module):
    """The first layers of a network: pixels (n, 3, s, s) to maps (n, c, h, w)."""

    def __init__(self, whole: OnPixels, layer: int) -> None:
        super().__init__()
        self.layers, self.mean, self.std = whole.network.cnn[: layer + 1], whole.mean, whole.std

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the maps of the last layer."""
        return self.layers((pixels - self.mean) / self.std)


def build(knobs: NetworkKnobs, image_size: int, num_classes: int) -> FoodCNN:
    """Return the network of a recipe, with fresh weights."""
    return FoodCNN(image_size, knobs.blocks, knobs.channels, knobs.hidden, num_classes)
