"""Networks of homework 13: the sample's student, two kinds of MobileNet, and the two teachers.

Shapes: n images of s x s pixels, c channels; an image batch is (n, 3, s, s), logits are (n, 11).
Names and shapes of the tensors are those that ``architecture.layout`` tells, which a test compares.
"""

import itertools
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw13_compression.architecture import (
    INVERTED,
    NUM_CLASSES,
    RESIDUAL,
    RESNET18,
    SEPARABLE,
    Architecture,
)
from mlspring.kit.image_augment import MEAN, STD

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Groups = dict[str, int]


def build(architecture: Architecture) -> nn.Module:
    """Return the network of a description, with fresh weights."""
    c = architecture.groups
    blocks: list[nn.Module]
    match architecture.name:
        case "plain":
            return Plain(c)
        case "resnet18":
            return ResNet18(c)
        case "separable":
            blocks = [SeparableBlock(c[i], c[o], s) for i, o, s in SEPARABLE]
        case "inverted":
            blocks = [
                InvertedBlock(c[i], c[f"e{number}"], c[o], s, add=i == o)
                for number, (i, o, s) in enumerate(INVERTED)
            ]
        case _:
            blocks = [
                ResidualBlock(c[i], c[f"i{number}"], c[o], s)
                for number, (i, o, s) in enumerate(RESIDUAL)
            ]
    num_features = architecture.shapes["classify.weight"][1]
    return Staged(ConvNorm(3, c["c0"], 3), blocks, num_features)


class ConvNorm(nn.Module):
    """Convolution, batch norm and, unless told otherwise, ReLU; padded to keep s at stride 1.

    ``conv`` holds further settings of the convolution, e.g. ``groups``.
    """

    def __init__(
        self, c_in: int, c_out: int, side: int, stride: int = 1, *, relu: bool = True, **conv: Any
    ) -> None:
        super().__init__()
        settings = {"padding": side // 2, "bias": False} | conv
        self.conv = nn.Conv2d(c_in, c_out, side, stride, **settings)
        self.norm = nn.BatchNorm2d(c_out)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, c_out, s', s') for (n, c_in, s, s)."""
        x = self.norm(self.conv(x))
        return F.relu(x) if self.relu else x


class Plain(nn.Module):
    """The sample code's student; with 32, 32, 64 and 100 channels it has 87,907 parameters.

    Four 3 x 3 convolutions without padding, pooling after all but the first. Source: HW13 notebook.
    """

    def __init__(self, c: Groups) -> None:
        super().__init__()
        channels = [3, *c.values()]
        self.blocks = nn.ModuleList(
            ConvNorm(c_in, c_out, 3, padding=0, bias=True)
            for c_in, c_out in itertools.pairwise(channels)
        )
        self.classify = nn.Linear(channels[-1], NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, num_classes) for images (n, 3, s, s)."""
        first, *others = self.blocks
        x = first(images)  # (n, c0, s-2, s-2)
        for block in others:
            x = F.max_pool2d(block(x), 2)  # half of the side, three times
        return self.classify(x.mean(dim=(2, 3)))


class SeparableBlock(nn.Module):
    """A depthwise 3 x 3 and a pointwise 1 x 1 convolution: 9 I + I O weights instead of 9 I O.

    Source: Howard et al. 2017, arXiv:1704.04861 (MobileNet).
    """

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.depthwise = ConvNorm(c_in, c_in, 3, stride, groups=c_in)
        self.pointwise = ConvNorm(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, c_out, s / stride, s / stride) for (n, c_in, s, s)."""
        return self.pointwise(self.depthwise(x))


class InvertedBlock(nn.Module):
    """Widen, filter each channel, narrow without ReLU; added to the input where shapes agree.

    Source: Sandler et al. 2018, arXiv:1801.04381 (MobileNetV2).
    """

    def __init__(self, c_in: int, c_wide: int, c_out: int, stride: int, *, add: bool) -> None:
        super().__init__()
        self.expand = ConvNorm(c_in, c_wide, 1)
        self.depthwise = ConvNorm(c_wide, c_wide, 3, stride, groups=c_wide)
        self.project = ConvNorm(c_wide, c_out, 1, relu=False)
        self.add = add

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, c_out, s / stride, s / stride) for (n, c_in, s, s)."""
        out = self.project(self.depthwise(self.expand(x)))
        return x + out if self.add else out


class ResidualBlock(nn.Module):
    """relu(f(x) + shortcut(x)), f being two 3 x 3 convolutions (He et al. 2016, arXiv:1512.03385).

    A block that halves the picture averages before its 1 x 1 shortcut instead of skipping pixels
    (He et al. 2019, arXiv:1812.01187, ResNet-D). The last batch norm starts at zero, so that a
    fresh block returns its shortcut.
    """

    def __init__(self, c_in: int, c_inner: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.first = ConvNorm(c_in, c_inner, 3, stride)
        self.second = ConvNorm(c_inner, c_out, 3, relu=False)
        self.shortcut = ConvNorm(c_in, c_out, 1, relu=False)
        self.stride = stride
        nn.init.zeros_(self.second.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, c_out, s / stride, s / stride) for (n, c_in, s, s)."""
        out = self.second(self.first(x))
        x = F.avg_pool2d(x, self.stride) if self.stride > 1 else x
        return F.relu(out + self.shortcut(x))


class Staged(nn.Module):
    """A stem, pooling, blocks of which some halve the picture again, mean, linear.

    The stem reads at full size and pooling halves, where MobileNet's has a stride: on small
    pictures the first layers' fine texture decides.
    """

    def __init__(self, stem: nn.Module, blocks: list[nn.Module], num_features: int) -> None:
        super().__init__()
        self.stem = stem
        self.blocks = nn.Sequential(*blocks)
        self.classify = nn.Linear(num_features, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, num_classes) for images (n, 3, s, s)."""
        x = F.max_pool2d(self.stem(images), 2)  # (n, c0, s/2, s/2)
        x = self.blocks(x)  # (n, num_features, s/16, s/16)
        return self.classify(x.mean(dim=(2, 3)))


class BasicBlock(nn.Module):
    """ResNet's two 3 x 3 convolutions under torchvision's names."""

    def __init__(self, c_in: int, c_inner: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_inner, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_inner)
        self.conv2 = nn.Conv2d(c_inner, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.downsample = None
        if stride > 1:
            conv = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(c_out))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, c_out, s / stride, s / stride) for (n, c_in, s, s)."""
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    """The course's teacher: ResNet-18 for 11 classes, 11,182,155 parameters, 122 tensors.

    The names are torchvision's, which the given checkpoint has. It was trained on ImageNet's
    normalisation, so images come in normalised as for any network here and are normalised anew.
    Source: He et al. 2016.
    """

    def __init__(self, c: Groups) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, c["c0"], 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(c["c0"])
        blocks = [
            BasicBlock(c[i], c[f"i{number}"], c[o], s) for number, (i, o, s) in enumerate(RESNET18)
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            nn.Sequential(*blocks[i : i + 2]) for i in range(0, 8, 2)
        )
        self.fc = nn.Linear(c["c3"], NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, num_classes) for images (n, 3, s, s)."""
        mean, std = (images.new_tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
        images = (images * STD + MEAN - mean) / std
        x = F.relu(self.bn1(self.conv1(images)))  # (n, 64, s/2, s/2)
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (n, 512, s/32, s/32)
        return self.fc(x.mean(dim=(2, 3)))
