"""The network of homework 15, for many tasks at once, each with weights of its own.

Shapes: t tasks of n images each, (t, n, 28, 28), and w outputs. Weights are a mapping of names to
tensors; each is either of the module's shape, shared by all tasks, or has a first axis of t. Within
the network a batch is (n, t * channels, side, side): so one grouped operation serves all tasks, and
batch norm takes the statistics of each task by itself.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NUM_LAYERS = 4
SIDE = 28
EPS = 1e-5  # of batch norm
Weights = Mapping[str, Tensor]
Way = Literal["loop", "grouped", "matmul"]


class Conv4(nn.Module):
    """Four times convolution - batch norm - ReLU - pooling, then a linear layer.

    With 64 channels and 5 outputs 112,261 parameters. Batch norm keeps no running statistics: it
    always uses those of the task at hand. Source: HW15 notebook; Vinyals et al. 2016,
    arXiv:1606.04080.

    Args:
        width: channels of each convolution.
        num_outputs: of the linear layer; 0 for none, as prototypical networks want it.
        way: how convolutions with a weight for each task are computed; all give the same numbers.
    """

    def __init__(self, width: int, num_outputs: int, way: Way = "grouped") -> None:
        super().__init__()
        self.way = way
        self.convs = nn.ModuleList(
            nn.Conv2d(width if layer else 1, width, 3, padding=1) for layer in range(NUM_LAYERS)
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(width, track_running_stats=False) for _ in range(NUM_LAYERS)
        )
        if num_outputs:
            self.head = nn.Linear(width, num_outputs)

    def own(self) -> dict[str, Tensor]:
        """Return the module's weights by name, shared by all tasks."""
        return dict(self.named_parameters())

    def features(self, weights: Weights, images: Tensor, num_reference: int = 0) -> Tensor:
        """Return what the linear layer sees of images (t, n, 28, 28): (t, n, width).

        Args:
            weights: by name.
            images: of t tasks.
            num_reference: how many images of each task, the first, give batch norm its statistics;
                0 for all of them.
        """
        num_tasks, num_images = images.shape[:2]
        x = images.transpose(0, 1)  # (n, t, 28, 28): one channel a task
        for layer in range(NUM_LAYERS):
            weight, bias = (weights[f"convs.{layer}.{part}"] for part in ("weight", "bias"))
            x = task_conv(x, weight, bias, num_tasks, self.way)
            scale, shift = (weights[f"norms.{layer}.{part}"] for part in ("weight", "bias"))
            x = task_norm(x, scale, shift, num_tasks, num_reference)
            x = F.max_pool2d(F.relu(x), 2)
        return x.view(num_images, num_tasks, -1).transpose(0, 1)

    def logits(self, weights: Weights, features: Tensor) -> Tensor:
        """Return the linear layer's outputs (t, n, w) for features (t, n, width): fp32 at least."""
        weight, bias = weights["head.weight"], weights["head.bias"]
        if weight.dim() == 2:
            return widened(F.linear(features, weight, bias))
        return widened(torch.baddbmm(bias[:, None], features, weight.transpose(1, 2)))


def widened(x: Tensor) -> Tensor:
    """Return x in fp32 where it is narrower: losses and statistics are no work for bf16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def task_conv(x: Tensor, weight: Tensor, bias: Tensor, num_tasks: int, way: Way) -> Tensor:
    """Return 3 x 3 convolutions (n, t * c_out, s, s) of x (n, t * c_in, s, s), padded by one.

    Args:
        x: images of all tasks.
        weight: (c_out, c_in, 3, 3), or one for each task, (t, c_out, c_in, 3, 3).
        bias: (c_out,) or (t, c_out).
        num_tasks: t.
        way: ``loop``: one convolution a task; ``grouped``: one for all, in t groups; ``matmul``:
            patches as columns of a matrix, one product a task and image.
    """
    num_images, side = len(x), x.shape[-1]
    if weight.dim() == 4:  # shared: an image is an image, whatever its task
        apart = x.reshape(num_images * num_tasks, -1, side, side)
        return F.conv2d(apart, weight, bias, padding=1).view(num_images, -1, side, side)
    if way == "loop":
        parts = zip(x.chunk(num_tasks, 1), weight, bias, strict=True)
        return torch.cat([F.conv2d(part, w, b, padding=1) for part, w, b in parts], 1)
    if way == "grouped":
        return F.conv2d(x, weight.flatten(0, 1), bias.flatten(), padding=1, groups=num_tasks)
    columns = F.unfold(x, 3, padding=1).view(num_images, num_tasks, -1, side * side)
    out = weight.flatten(2) @ columns  # (n, t, c_out, s * s)
    return (out + bias[:, :, None]).view(num_images, -1, side, side)


def task_norm(
    x: Tensor, scale: Tensor, shift: Tensor, num_tasks: int, num_reference: int = 0
) -> Tensor:
    """Return x (n, t * c, s, s) normalised over each task's images and pixels, scaled and shifted.

    Args:
        x: images of all tasks.
        scale: (c,), or one for each task, (t, c).
        shift: likewise.
        num_tasks: t.
        num_reference: images that the statistics are taken of, the first; 0 for all.
    """
    scale, shift = (
        (part if part.dim() == 2 else part.expand(num_tasks, -1)).reshape(-1)
        for part in (scale, shift)
    )
    if not num_reference:
        return F.batch_norm(x, None, None, scale, shift, training=True, eps=EPS)
    reference = widened(x[:num_reference])
    mean = reference.mean((0, 2, 3), keepdim=True)
    variance = (reference - mean).square().mean((0, 2, 3), keepdim=True)
    factor = scale[:, None, None] * (variance + EPS).rsqrt()
    return ((widened(x) - mean) * factor + shift[:, None, None]).to(x.dtype)
