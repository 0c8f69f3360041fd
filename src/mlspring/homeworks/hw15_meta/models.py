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
            scale, shift = (weights[f"norms.{layer}.{part}"] for part in ("weight", "bias"))
            weight, scale = upright(weight, scale)
            reference = x[: num_reference or num_images]
            x = task_conv(x, weight, num_tasks, self.way)
            if layer == 0:
                mean, variance = moments_ahead(reference, weight)
            else:
                mean, variance = moments(x[: len(reference)], num_tasks)
            factor = scale * (variance + EPS).rsqrt()
            offset = shift + 0 * bias - mean * factor  # batch norm takes the bias away again
            x = F.max_pool2d(x, 2)
            x = F.relu(x * factor.view(-1, 1, 1) + offset.view(-1, 1, 1))
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


def upright(weight: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return a convolution's weights and batch norm's scale, both times the scale's sign.

    What comes out of the two is the same. But a scale that is not negative may come after the
    pooling, of which the largest stays the largest: on a quarter of the pixels.

    Args:
        weight: (c_out, c_in, 3, 3), or with a first axis of tasks.
        scale: (c_out,), or likewise.
    """
    sign = torch.where(scale.detach() < 0, -1.0, 1.0).to(scale.dtype)
    return weight * sign[..., None, None, None], scale * sign


def moments(x: Tensor, num_tasks: int) -> tuple[Tensor, Tensor]:
    """Return mean and variance (t, c) over images and pixels of x (n, t * c, s, s)."""
    # Sums and not means: the gradient of a mean costs a division of every pixel.
    x, share = widened(x), x.shape[1] / x.numel()
    mean = (x.sum((0, 2, 3)) * share).view(num_tasks, -1)
    square = (x.square().sum((0, 2, 3)) * share).view(num_tasks, -1)
    return mean, square - mean.square()


def moments_ahead(images: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance (t, c) of a convolution's outcome, which is not looked at.

    An outcome is w . p with the nine pixels p of a patch: its mean is w . mean(p), its variance
    w . cov(p) . w. The patches of grey images are few, the outcomes many.

    Args:
        images: (n, t, s, s), one channel a task.
        weight: (c, 1, 3, 3) or (t, c, 1, 3, 3).
    """
    num_images, num_tasks = images.shape[:2]
    with torch.autocast(images.device.type, enabled=False):
        patches = F.unfold(images.flatten(0, 1)[:, None], 3, padding=1)  # (n * t, 9, s * s)
        patches = patches.view(num_images, num_tasks, 9, -1).transpose(0, 1)
        middle = patches.mean((1, 3))  # (t, 9)
        apart = (patches - middle[:, None, :, None]).transpose(1, 2).flatten(2)  # (t, 9, n * s * s)
        covariance = apart @ apart.transpose(1, 2) / apart.shape[2]
        rows = weight.flatten(-3).expand(num_tasks, -1, 9)  # (t, c, 9)
        mean = (rows @ middle[..., None])[..., 0]
        return mean, ((rows @ covariance) * rows).sum(2)


def task_conv(x: Tensor, weight: Tensor, num_tasks: int, way: Way) -> Tensor:
    """Return 3 x 3 convolutions (n, t * c_out, s, s) of x (n, t * c_in, s, s), padded by one.

    Args:
        x: images of all tasks.
        weight: (c_out, c_in, 3, 3), or one for each task, (t, c_out, c_in, 3, 3).
        num_tasks: t.
        way: ``loop``: one convolution a task; ``grouped``: one for all, in t groups; ``matmul``:
            patches as columns of a matrix, one product a task and image.
    """
    num_images, side = len(x), x.shape[-1]
    if weight.dim() == 4:  # shared: an image is an image, whatever its task
        apart = x.reshape(num_images * num_tasks, -1, side, side)
        return F.conv2d(apart, weight, padding=1).view(num_images, -1, side, side)
    if way == "loop":
        parts = zip(x.chunk(num_tasks, 1), weight, strict=True)
        return torch.cat([F.conv2d(part, own, padding=1) for part, own in parts], 1)
    if way == "grouped":
        return F.conv2d(x, weight.flatten(0, 1), padding=1, groups=num_tasks)
    columns = F.unfold(x, 3, padding=1).view(num_images, num_tasks, -1, side * side)
    out = weight.flatten(2) @ columns  # (n, t, c_out, s * s)
    return out.view(num_images, -1, side, side)
