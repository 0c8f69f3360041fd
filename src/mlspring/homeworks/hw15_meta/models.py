"""The network of homework 15, for one task at a time.

Shapes: n images of one task, (n, 28, 28), ink 1 on paper 0; logits (n, w) for w classes. The
training loop computes many tasks at once with the same weights, in ``fast.py``.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NUM_LAYERS = 4


class Conv4(nn.Module):
    """Four times convolution - batch norm - ReLU - pooling, then a linear layer.

    With 64 channels and 5 outputs 112,261 parameters. Batch norm keeps no running statistics: it
    always uses those of the images at hand. Source: HW15 notebook; Vinyals et al. 2016,
    arXiv:1606.04080.

    Args:
        width: channels of each convolution.
        num_outputs: of the linear layer; 0 for none, as prototypical networks want it.
        rates: first values of the inner rates of each step, where they are learnt with the weights.
    """

    def __init__(self, width: int, num_outputs: int, rates: tuple[float, ...] = ()) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(width if layer else 1, width, 3, padding=1) for layer in range(NUM_LAYERS)
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(width, track_running_stats=False) for _ in range(NUM_LAYERS)
        )
        self.head = nn.Linear(width, num_outputs) if num_outputs else nn.Identity()
        if rates:  # (steps, layers), the linear layer last; see fast.rate_of
            self.rates = nn.Parameter(torch.tensor(rates)[:, None].repeat(1, NUM_LAYERS + 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, w) of images (n, 28, 28); without a head, features (n, width)."""
        x = images[:, None]  # (n, 1, 28, 28)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.max_pool2d(F.relu(norm(conv(x))), 2)  # sides 28, 14, 7, 3, 1
        logits: Tensor = self.head(x.flatten(1))
        return logits

    def phi(self) -> dict[str, Tensor]:
        """Return the weights by name, from which every task begins: phi in the papers."""
        return dict(self.named_parameters())
