"""Networks and pictures whose attack is known in closed form."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mlspring.homeworks.hw10_attack.recipe import AttackKnobs


def knobs(**changed: Any) -> AttackKnobs:
    """Return plain iterative FGSM on the mean loss, but for what is changed."""
    values: dict[str, Any] = {
        "epsilon": 8.0,
        "combine": "losses",
        "momentum": 0.0,
        "diversity": 0.0,
        "smallest": 0.875,
        "largest": 1.0,
        "smoothing": 1,
        "scales": 1,
        "admix": 0.0,
    }
    return AttackKnobs(**values | changed)


class Linear(nn.Module):
    """Logits W x / 255 + b over all pixels of pictures (N, 3, S, S)."""

    def __init__(
        self, num_classes: int = 4, side: int = 6, seed: int = 0, gain: float = 1.0
    ) -> None:
        super().__init__()
        draw = np.random.default_rng(seed)
        weights = draw.normal(0, gain, (num_classes, 3 * side * side)).astype(np.float32)
        self.weight = torch.from_numpy(weights)
        self.bias = torch.from_numpy(draw.normal(0, 1, num_classes).astype(np.float32))

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.flatten(1) @ self.weight.T / 255 + self.bias


def pictures(num: int = 7, side: int = 6, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Return whole-numbered pictures (num, 3, side, side) and labels of 4 classes."""
    draw = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (num, 3, side, side), generator=draw).float()
    return pixels, torch.randint(0, 4, (num,), generator=draw)
