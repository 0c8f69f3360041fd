"""The network of homework 15, for many tasks at once, each with weights of its own.

Shapes: t tasks of n images each, (t, n, 28, 28), and w outputs. Weights are a mapping of names to
tensors; each is either of the module's shape, shared by all tasks, or has a first axis of t. Within
the network a batch is (n, t * channels, side, side): so one grouped operation serves all tasks, and
batch norm takes the statistics of each task by itself.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta.layers import grouped_conv, max_pool, moments, scaled, widened

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
        rates: where the inner rates of each step start that are learnt with the weights, if any.
    """

    def __init__(
        self, width: int, num_outputs: int, way: Way = "grouped", rates: tuple[float, ...] = ()
    ) -> None:
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
        if rates:
            self.rates = nn.Parameter(torch.tensor(rates)[:, None].repeat(1, NUM_LAYERS + 1))

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
        (num_tasks, num_images), kind = images.shape[:2], images.device.type
        is_narrow = torch.is_autocast_enabled(kind)
        dtype = torch.get_autocast_dtype(kind) if is_narrow else images.dtype
        x = images.transpose(0, 1).to(dtype)  # (n, t, 28, 28): one channel a task
        if self.way == "grouped":
            x = x.contiguous(memory_format=torch.channels_last)
        with exact(x):
            for layer in range(NUM_LAYERS):
                weight, bias = (weights[f"convs.{layer}.{part}"] for part in ("weight", "bias"))
                scale, shift = (weights[f"norms.{layer}.{part}"] for part in ("weight", "bias"))
                weight, scale = upright(weight, scale)
                weight = weight.expand(num_tasks, *weight.shape[-4:])
                reference = x[: num_reference or num_images]
                x = task_conv(x, weight.to(dtype), self.way)
                if layer == 0:
                    mean, variance = moments_ahead(reference, weight)
                else:
                    found = moments(x[: len(reference)])
                    mean, variance = (part.view(num_tasks, -1) for part in found)
                factor = scale * (variance + EPS).rsqrt()
                offset = shift + 0 * bias - mean * factor  # batch norm takes the bias away again
                x = F.relu(scaled(max_pool(x), factor, offset))
        return widened(x.reshape(num_images, num_tasks, -1).transpose(0, 1))

    def logits(self, weights: Weights, features: Tensor) -> Tensor:
        """Return the linear layer's outputs (t, n, w) for features (t, n, width)."""
        weight, bias = weights["head.weight"], weights["head.bias"]
        with exact(features):
            if weight.dim() == 2:
                return F.linear(features, weight, bias)
            return torch.baddbmm(bias[:, None], features, weight.transpose(1, 2))


def exact(x: Tensor) -> AbstractContextManager[None]:
    """Return the context in which nothing is narrowed: what may be bf16 is so by now."""
    return torch.autocast(x.device.type, enabled=False)


def upright(weight: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return a convolution's weights and batch norm's scale, both times the scale's sign.

    What comes out of the two is the same. But a scale that is not negative may come after the
    pooling, of which the largest stays the largest: on a quarter of the pixels.

    Args:
        weight: (c_out, c_in, 3, 3), or with a first axis of tasks.
        scale: (c_out,), or likewise.
    """
    is_negative = scale.detach() < 0
    if not scale.is_cuda and not is_negative.any():  # a look is cheap where nothing waits for it
        return weight, scale
    sign = torch.where(is_negative, -1.0, 1.0).to(scale.dtype)
    return weight * sign[..., None, None, None], scale * sign


def moments_ahead(images: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance (t, c) of a convolution's outcome, which is not looked at.

    An outcome is w . p with the nine pixels p of a patch: its mean is w . mean(p), its variance
    w . cov(p) . w. The patches of grey images are few, the outcomes many.

    Args:
        images: (n, t, s, s), one channel a task.
        weight: (t, c, 1, 3, 3).
    """
    num_images, num_tasks = images.shape[:2]
    patches = F.unfold(widened(images).reshape(-1, 1, *images.shape[2:]), 3, padding=1)
    patches = patches.view(num_images, num_tasks, 9, -1).transpose(0, 1)  # (t, n, 9, s * s)
    middle = patches.mean((1, 3))  # (t, 9)
    square = (patches @ patches.transpose(2, 3)).mean(1) / patches.shape[3]
    covariance = square - middle[:, :, None] * middle[:, None]
    rows = weight.flatten(-3)  # (t, c, 9)
    mean = (rows @ middle[..., None])[..., 0]
    return mean, ((rows @ covariance) * rows).sum(2)


def task_conv(x: Tensor, weight: Tensor, way: Way) -> Tensor:
    """Return 3 x 3 convolutions (n, t * c_out, s, s) of x (n, t * c_in, s, s), padded by one.

    Args:
        x: images of all tasks.
        weight: (t, c_out, c_in, 3, 3), one for each task.
        way: ``loop``: one convolution a task; ``grouped``: one for all, in t groups; ``matmul``:
            patches as columns of a matrix, one product a task and image.
    """
    (num_images, _, side, _), num_tasks = x.shape, len(weight)
    if way == "loop":
        parts = zip(x.chunk(num_tasks, 1), weight, strict=True)
        return torch.cat([F.conv2d(part, own, padding=1) for part, own in parts], 1)
    if way == "grouped":
        return grouped_conv(x, weight)
    columns = F.unfold(x, 3, padding=1).view(num_images, num_tasks, -1, side * side)
    out = weight.flatten(2) @ columns  # (n, t, c_out, s * s)
    return out.view(num_images, -1, side, side)
