"""The residual networks of the CIFAR experiments of arXiv:1512.03385, for published weights.

Where the channels double, option A takes every second pixel and fills the new channels with zeros:
no shortcut has weights. Tensors are named as in the published files.
"""

from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.errors import DataError
from mlspring.homeworks.hw10_attack.models import NUM_CLASSES, Classifier, conv
from mlspring.kit.given_checkpoint import read_state_dict

MEAN, STD = (
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)  # that the published ones were trained with
DEPTHS = {"given/resnet20": 3, "given/resnet32": 5}  # blocks a stage
PREFIX = "module."  # of DataParallel, in which they were saved


class Block(nn.Module):
    """Two 3 x 3 convolutions around which the input goes by option A."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, stride=stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs), nn.BatchNorm2d(outputs)
        self.stride, self.missing = stride, outputs - inputs

    def forward(self, maps: Tensor) -> Tensor:
        """Return ReLU(F(x) + x), (N, outputs, S / stride, S / stride)."""
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(maps)))))
        around = maps[:, :, :: self.stride, :: self.stride]
        half = self.missing // 2
        return F.relu(inner + F.pad(around, (0, 0, 0, 0, half, half)))


class ResNet(nn.Module):
    """ResNet-20 has 3 blocks a stage, ResNet-32 has 5: 6 n + 2 layers with weights."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, 16), nn.BatchNorm2d(16)
        inputs = 16
        for stage, outputs in enumerate((16, 32, 64), start=1):
            blocks = []
            for number in range(depth):
                blocks.append(Block(inputs, outputs, 2 if stage > 1 and number == 0 else 1))
                inputs = outputs
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.linear = nn.Linear(inputs, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, 10) of normalised images (N, 3, 32, 32)."""
        maps = F.relu(self.bn1(self.conv1(images)))
        for stage in (1, 2, 3):
            maps = self.get_submodule(f"layer{stage}")(maps)
        return self.linear(maps.mean((2, 3)))


def read_given(name: str, file: Path, fetch: str) -> Classifier:
    """Return the published network ``given/resnet20`` or 32; nothing in its file is executed.

    ``file`` has its tensors under ``state_dict``, and their names begin with ``module.``.

    Raises:
        DataError: damaged, of another network, or with numbers that are not finite.
    """
    expected = f"the published {name.removeprefix('given/')} for CIFAR-10"
    state = read_state_dict(file, expected=expected, fetch=fetch, inside="state_dict")
    body = ResNet(DEPTHS[name])
    try:
        body.load_state_dict({key.removeprefix(PREFIX): value for key, value in state.items()})
    except RuntimeError as error:
        fix = f"fetch it again: {fetch}"
        raise DataError("is of another network", file=file, expected=expected, fix=fix) from error
    return Classifier(body, MEAN, STD)
