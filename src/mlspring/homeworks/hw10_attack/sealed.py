"""The judge's networks: families that no proxy has, some behind a passive defence.

Only the score and the command that trains them read this file: who attacks through these networks
measures nothing. Their weights lie in ``sealed/``, apart from the proxies'.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from mlspring.homeworks.hw10_attack.models import Classifier, conv, head
from mlspring.kit import checkpoint

FOLDER = Path(__file__).parent / "sealed"
MAKE = "python -m benchmarks.networks_hw10 trains and writes them"


class Member(NamedTuple):
    """One of the judge's networks with what stands in front of it."""

    network: str
    defence: str


MEMBERS: tuple[Member, ...] = (
    Member("pooled", "none"),
    Member("grouped", "jpeg"),
    Member("inverted", "bits"),
    Member("grouped", "none"),
    Member("pooled", "median"),
)


class Around(nn.Module):
    """Layers around which the input goes unchanged."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, maps: Tensor) -> Tensor:
        """Return F(x) + x."""
        return maps + self.layers(maps)


def pooled(channels: tuple[int, ...] = (24, 48, 80, 112)) -> nn.Sequential:
    """Return convolutions with leaky ReLU, halving by the largest of 2 x 2 pixels."""
    layers: list[nn.Module] = []
    inputs = 3
    for number, outputs in enumerate(channels):
        layers += [conv(inputs, outputs, 5 if number == 0 else 3), nn.BatchNorm2d(outputs)]
        layers += [nn.LeakyReLU(0.1), nn.MaxPool2d(2)]
        inputs = outputs
    return nn.Sequential(*layers, head(inputs))


def _grouped_block(channels: int) -> Around:
    inner = channels // 2
    return Around(
        *(conv(channels, inner, 1), nn.BatchNorm2d(inner), nn.ReLU()),
        *(conv(inner, inner, groups=4), nn.BatchNorm2d(inner), nn.ReLU()),
        *(conv(inner, channels, 1), nn.BatchNorm2d(channels)),
    )


def _inverted_block(channels: int) -> Around:
    inner = 2 * channels
    return Around(
        *(conv(channels, inner, 1), nn.BatchNorm2d(inner), nn.SiLU()),
        *(conv(inner, inner, groups=inner), nn.BatchNorm2d(inner), nn.SiLU()),
        *(conv(inner, channels, 1), nn.BatchNorm2d(channels)),
    )


def tower(
    block: Callable[[int], nn.Module], channels: tuple[int, ...], depth: int
) -> nn.Sequential:
    """Return stages of ``depth`` blocks; convolutions lead into them, all but the first halving."""
    layers: list[nn.Module] = []
    inputs = 3
    for number, outputs in enumerate(channels):
        layers += [conv(inputs, outputs, 3, 2 if number else 1), nn.BatchNorm2d(outputs)]
        layers += [nn.ReLU(), *(block(outputs) for _ in range(depth))]
        inputs = outputs
    return nn.Sequential(*layers, nn.ReLU(), head(inputs))


SEALED: dict[str, Callable[[], nn.Sequential]] = {
    "pooled": pooled,
    "grouped": partial(tower, _grouped_block, (24, 64, 128), 2),
    "inverted": partial(tower, _inverted_block, (16, 40, 80), 1),
}


def build(name: str) -> Classifier:
    """Return the judge's network called ``name``, its weights drawn from torch's generator."""
    return Classifier(SEALED[name]())


def load(name: str) -> Classifier:
    """Return the judge's network, frozen, on the CPU.

    Raises:
        InternalError: its weights are missing or damaged.
    """
    return checkpoint.load_shipped(FOLDER / f"{name}.safetensors", build(name), fix=MAKE)
