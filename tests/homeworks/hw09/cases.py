"""Small networks and pictures that the tests of homework 9 share."""

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw09_explain.models import FoodCNN, OnPixels

SIDE, NUM_CLASSES = 16, 11


class Linear(nn.Module):
    """logits = W x + b over all pixels: what every method must explain exactly."""

    def __init__(self) -> None:
        super().__init__()
        stream = torch.Generator().manual_seed(1)
        weight = torch.randn(NUM_CLASSES, 3, SIDE, SIDE, generator=stream)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.randn(NUM_CLASSES, generator=stream))

    def forward(self, images: Tensor) -> Tensor:
        return torch.einsum("nchw,kchw->nk", images, self.weight) + self.bias


def pictures(count: int = 3) -> tuple[Tensor, Tensor]:
    """Return pictures (n, 3, 16, 16) in 0 .. 1 and labels (n,)."""
    stream = torch.Generator().manual_seed(2)
    images = torch.rand(count, 3, SIDE, SIDE, generator=stream)
    return images, torch.randint(NUM_CLASSES, (count,), generator=stream)


def network() -> OnPixels:
    """Return a small network with weights far from those at the start of training."""
    torch.manual_seed(3)
    model = FoodCNN(SIDE, [1, 1], [4, 6], 8, NUM_CLASSES)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.3)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
    return OnPixels(model, 0.5, 0.25).eval()
