"""Networks of homework 3: the sample's, a residual one, and the one of report question 2.

Shapes: n images of s x s pixels, c channels; an image batch is (n, 3, s, s), logits are (n, 11).
"""

import itertools

from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw03_food_cnn.recipe import ModelKnobs


def build(knobs: ModelKnobs, image_size: int, num_classes: int) -> nn.Module:
    """Return the network of a recipe, with fresh weights."""
    if knobs.name == "plain":
        return PlainCNN(image_size, knobs.width, num_classes, knobs.dropout)
    return FoodResNet(knobs.width, num_classes, knobs.dropout, skips=knobs.name == "residual")


class PlainCNN(nn.Sequential):
    """The sample code's network; at width 64 and 128 x 128 pixels it has 12,833,803 parameters.

    Five times convolution - batch norm - ReLU - pooling, then three fully connected layers.
    Source: HW03 notebook.
    """

    def __init__(self, image_size: int, width: int, num_classes: int, dropout: float = 0.0) -> None:
        channels = [3, width, 2 * width, 4 * width, 8 * width, 8 * width]
        stages = [_stage(c_in, c_out) for c_in, c_out in itertools.pairwise(channels)]
        side = image_size // 2 ** len(stages)
        super().__init__(
            *stages,  # (n, 8 width, side, side)
            nn.Flatten(),
            nn.Linear(channels[-1] * side * side, 16 * width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(16 * width, 8 * width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(8 * width, num_classes),
        )


class ResidualBlock(nn.Module):
    """relu(f(x) + x), f being two 3 x 3 convolutions (He et al. 2016, arXiv:1512.03385).

    The last batch norm starts at zero, so that a fresh block passes its input on. Without ``skips``
    it is relu(f(x)).
    """

    def __init__(self, channels: int, skips: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.skips = skips
        if skips:
            nn.init.zeros_(self.norm2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, channels, s, s) for (n, channels, s, s)."""
        out = F.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        return F.relu(out + x if self.skips else out)


class FoodResNet(nn.Module):
    """The sample's first four stages, the later three each followed by a residual block.

    The mean over all places takes the dense layers' part, so pictures may have any size.
    ``skips=False`` leaves the same convolutions without the connections around them.
    """

    def __init__(
        self, width: int, num_classes: int, dropout: float = 0.0, skips: bool = True
    ) -> None:
        super().__init__()
        channels = [width, 2 * width, 4 * width, 8 * width]
        self.stages = nn.Sequential(_stage(3, width))
        for c_in, c_out in itertools.pairwise(channels):
            self.stages.extend([_stage(c_in, c_out), ResidualBlock(c_out, skips)])
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(channels[-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, num_classes) for images (n, 3, s, s)."""
        x = self.stages(images)  # (n, 8 width, s/16, s/16)
        x = x.mean(dim=(2, 3))  # (n, 8 width)
        return self.classify(self.dropout(x))


class ResidualNetwork(nn.Module):
    """Report question 2: ``Residual_Network`` with the skips of the slide's figure.

    The layers are given (68,259,147 parameters for 128 x 128 pixels); only the forward pass is ours
    to write. A skip surrounds layers 2, 4 and 6, where the shapes agree; the addition comes before
    the ReLU. Source: HW03 slides, report question 2.
    """

    def __init__(self, image_size: int = 128, num_classes: int = 11) -> None:
        super().__init__()
        self.layer1 = _conv_norm(3, 64, stride=1)
        self.layer2 = _conv_norm(64, 64, stride=1)
        self.layer3 = _conv_norm(64, 128, stride=2)
        self.layer4 = _conv_norm(128, 128, stride=1)
        self.layer5 = _conv_norm(128, 256, stride=2)
        self.layer6 = _conv_norm(256, 256, stride=1)
        side = image_size // 4
        self.classify = nn.Sequential(
            nn.Linear(256 * side * side, 256), nn.ReLU(), nn.Linear(256, num_classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, num_classes) for images (n, 3, s, s)."""
        x1 = F.relu(self.layer1(images))  # (n, 64, s, s)
        x2 = F.relu(self.layer2(x1) + x1)
        x3 = F.relu(self.layer3(x2))  # (n, 128, s/2, s/2)
        x4 = F.relu(self.layer4(x3) + x3)
        x5 = F.relu(self.layer5(x4))  # (n, 256, s/4, s/4)
        x6 = F.relu(self.layer6(x5) + x5)
        return self.classify(x6.flatten(1))


def _conv_norm(c_in: int, c_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out))


def _stage(c_in: int, c_out: int) -> nn.Sequential:
    """Return what halves the picture: (n, c_in, s, s) to (n, c_out, s/2, s/2)."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride=1, padding=1),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )
