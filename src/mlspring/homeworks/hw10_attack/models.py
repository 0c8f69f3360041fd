"""The proxies: ten small classifiers of different families that the learner may look into.

Letters: N pictures, C channels, S side of a map. Every body takes normalised pictures
(N, 3, 32, 32) and returns logits (N, 10); the maps shrink 32 > 16 > 8 (> 4). ``Classifier`` puts
the normalisation in front, so that an attack works on pixels from 0 to 255.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.kit.image_augment import MEAN, STD

NUM_CLASSES = 10
CHUNK = 100  # pictures at once
Norm = Callable[[int], nn.Module]


batch_norm = nn.BatchNorm2d  # arXiv:1502.03167


def group_norm(channels: int) -> nn.Module:
    """Return group normalisation with 8 channels a group, arXiv:1803.08494."""
    return nn.GroupNorm(channels // 8, channels)


class Classifier(nn.Module):
    """A network that takes pixels (N, 3, 32, 32), floats from 0 to 255, and returns logits."""

    def __init__(
        self,
        body: nn.Module,
        mean: tuple[float, ...] = (MEAN,) * 3,
        std: tuple[float, ...] = (STD,) * 3,
    ) -> None:
        super().__init__()
        self.body = body
        self.mean: Tensor
        self.std: Tensor
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, 255 * torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits (N, 10)."""
        logits: Tensor = self.body((pixels - self.mean) / self.std)
        return logits


def conv(inputs: int, outputs: int, side: int = 3, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Return a convolution without bias that keeps the side of the map, or halves it."""
    return nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False)


def conv_norm(
    inputs: int, outputs: int, norm: Norm, side: int = 3, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Return convolution, normalisation, ReLU."""
    layers = (conv(inputs, outputs, side, stride, groups), norm(outputs), nn.ReLU())
    return nn.Sequential(*layers)


def head(channels: int) -> nn.Sequential:
    """Return the mean over the map and one linear layer: (N, C, S, S) to (N, 10)."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, NUM_CLASSES))


# ---- blocks: (N, C_in, S, S) to (N, C_out, S / stride, S / stride)


class Residual(nn.Module):
    """Two convolutions around which the input goes unchanged, arXiv:1512.03385; perhaps gated.

    ``squeeze`` weighs each channel by what the whole map says, arXiv:1709.01507.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, norm: Norm, *, squeeze: bool = False
    ) -> None:
        super().__init__()
        self.first = conv_norm(inputs, outputs, norm, stride=stride)
        self.second = nn.Sequential(conv(outputs, outputs), norm(outputs))
        self.gate = Gate(outputs) if squeeze else nn.Identity()
        same = inputs == outputs and stride == 1
        changed = () if same else (conv(inputs, outputs, 1, stride), norm(outputs))
        self.around = nn.Sequential(*changed)

    def forward(self, maps: Tensor) -> Tensor:
        """Return ReLU(F(x) + x)."""
        return F.relu(self.gate(self.second(self.first(maps))) + self.around(maps))


class Gate(nn.Module):
    """A factor for each channel, from its mean: squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = max(channels // 4, 4)
        self.factors = nn.Sequential(
            nn.Linear(channels, few), nn.ReLU(), nn.Linear(few, channels), nn.Sigmoid()
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps, each channel times its factor."""
        factors: Tensor = self.factors(maps.mean((2, 3)))
        return maps * factors[:, :, None, None]


class PreActivation(nn.Module):
    """A residual block that normalises before it convolves, arXiv:1603.05027."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.before = nn.Sequential(norm(inputs), nn.ReLU())
        self.layers = nn.Sequential(
            conv(inputs, outputs, stride=stride), norm(outputs), nn.ReLU(), conv(outputs, outputs)
        )
        same = inputs == outputs and stride == 1
        self.around = None if same else conv(inputs, outputs, 1, stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Return F(x) + x, where a changed shape takes x after normalisation."""
        before = self.before(maps)
        around = maps if self.around is None else self.around(before)
        return self.layers(before) + around


class Dense(nn.Module):
    """A layer that adds channels to those that it was given, arXiv:1608.06993."""

    def __init__(self, inputs: int, growth: int, norm: Norm) -> None:
        super().__init__()
        self.layers = nn.Sequential(norm(inputs), nn.ReLU(), conv(inputs, growth))

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, C + growth, S, S)."""
        return torch.cat([maps, self.layers(maps)], dim=1)


def separable(inputs: int, outputs: int, stride: int, norm: Norm) -> nn.Sequential:
    """Return a depthwise 3 x 3 and a pointwise 1 x 1 convolution, arXiv:1704.04861."""
    depthwise = conv_norm(inputs, inputs, norm, stride=stride, groups=inputs)
    return nn.Sequential(depthwise, conv_norm(inputs, outputs, norm, side=1))


# ---- networks


def plain(norm: Norm, channels: tuple[int, ...] = (16, 32, 64, 96, 128)) -> nn.Sequential:
    """Return convolutions one behind the other, halving by stride."""
    strides = (1, 2, 1, 2, 1)
    before = (3, *channels)
    layers = [
        conv_norm(i, o, norm, stride=s) for i, o, s in zip(before, channels, strides, strict=False)
    ]
    return nn.Sequential(*layers, head(channels[-1]))


def stages(
    block: Callable[[int, int, int], nn.Module],
    channels: tuple[int, ...],
    depth: int,
    norm: Norm,
    *,
    last: nn.Module | None = None,
) -> nn.Sequential:
    """Return a first convolution and, for each number of channels, ``depth`` blocks."""
    layers: list[nn.Module] = [conv_norm(3, channels[0], norm, stride=1)]
    inputs = channels[0]
    for stage, outputs in enumerate(channels):
        for number in range(depth):
            layers.append(block(inputs, outputs, 2 if number == 0 and stage else 1))
            inputs = outputs
    if last is not None:
        layers.append(last)
    return nn.Sequential(*layers, head(inputs))


def pre_activated(norm: Norm, channels: tuple[int, ...], depth: int) -> nn.Sequential:
    """Return pre-activation blocks, normalised once more before the mean."""
    block = partial(PreActivation, norm=norm)
    last = nn.Sequential(norm(channels[-1]), nn.ReLU())
    return stages(block, channels, depth, norm, last=last)


def dense(norm: Norm, growth: int = 16, depth: int = 5, first: int = 24) -> nn.Sequential:
    """Return three dense blocks with means over 2 x 2 between them."""
    layers: list[nn.Module] = [conv(3, first, stride=2)]
    channels = first
    for number in range(3):
        if number:
            layers += [conv_norm(channels, channels // 2 // 8 * 8, norm, side=1), nn.AvgPool2d(2)]
            channels = channels // 2 // 8 * 8
        for _ in range(depth):
            layers.append(Dense(channels, growth, norm))
            channels += growth
    return nn.Sequential(*layers, norm(channels), nn.ReLU(), head(channels))


def network_in_network(norm: Norm) -> nn.Sequential:
    """Return convolutions each followed by two 1 x 1 ones, arXiv:1312.4400."""
    layers: list[nn.Module] = []
    inputs = 3
    for outputs, side in ((32, 5), (64, 3), (96, 3)):
        layers.append(conv_norm(inputs, outputs, norm, side=side, stride=2 if inputs > 3 else 1))
        layers += [conv_norm(outputs, outputs, norm, side=1) for _ in range(2)]
        inputs = outputs
    return nn.Sequential(*layers, head(inputs))


PROXIES: dict[str, Callable[[], nn.Sequential]] = {
    "plain_bn": partial(plain, batch_norm),
    "plain_gn": partial(plain, group_norm, (24, 32, 64, 96, 96)),
    "residual_bn": partial(stages, partial(Residual, norm=batch_norm), (12, 24, 48), 2, batch_norm),
    "residual_gn": partial(stages, partial(Residual, norm=group_norm), (16, 32, 64), 1, group_norm),
    "preact_bn": partial(pre_activated, batch_norm, (12, 24, 64), 2),
    "squeeze_bn": partial(
        stages, partial(Residual, norm=batch_norm, squeeze=True), (12, 32, 64), 1, batch_norm
    ),
    "dense_bn": partial(dense, batch_norm),
    "separable_bn": partial(
        stages, partial(separable, norm=batch_norm), (24, 80, 176), 2, batch_norm
    ),
    "wide_bn": partial(stages, partial(Residual, norm=batch_norm), (16, 48, 96), 1, batch_norm),
    "nin_bn": partial(network_in_network, batch_norm),
}
"""The bodies of the proxies by name; ``_bn`` and ``_gn`` tell the normalisation."""


def build(name: str) -> Classifier:
    """Return the proxy called ``name``, its weights drawn from torch's global generator."""
    return Classifier(PROXIES[name]())


@torch.no_grad()
def logits_of(network: nn.Module, pictures: Tensor) -> Tensor:
    """Return the logits (N, 10) of uint8 pictures (N, 3, S, S), in fp32."""
    return torch.cat([network(part.float()).float() for part in pictures.split(CHUNK)])
