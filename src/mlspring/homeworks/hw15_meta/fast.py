"""The network and the inner loop of homework 15 for all tasks of a batch at once.

The same numbers as ``models.py`` and ``inner.py``, which are the ones to read first. Shapes: t
tasks of n images each, (t, n, 28, 28), and w classes. Weights are a mapping of names to tensors,
each either shared by all tasks, in the module's shape, or with a first axis of t. Within the
network a batch is (n, t * channels, side, side): so one grouped operation serves all tasks, and
batch norm takes the statistics of each task by itself.

Nothing here makes the host wait for a GPU, so that a step can be captured as a CUDA graph.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw15_meta.fast_layers import (
    at_least_fp32,
    grouped_conv,
    max_pool,
    moments,
    scale_channels,
)
from mlspring.homeworks.hw15_meta.models import NUM_LAYERS
from mlspring.homeworks.hw15_meta.recipe import InnerLoop, Norm

EPS = 1e-5  # of batch norm
Weights = Mapping[str, Tensor]
ConvImpl = Literal["grouped", "matmul"]
CONV_IMPL: dict[str, ConvImpl] = {"cpu": "grouped", "cuda": "matmul"}  # the fastest, by device


def losses_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Return each task's mean cross entropy (t,) of logits (t, n, w) against labels (t, n)."""
    each = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return each.view(labels.shape).mean(1)


def adapt(phi: Weights, images: Tensor, labels: Tensor, inner: InnerLoop) -> dict[str, Tensor]:
    """Return each task's weights theta after the inner loop.

    theta_0 = phi, theta_{j+1} = theta_j - rate * grad L_support(theta_j), as in ``inner.adapt``.
    No task's loss depends on another's weights, so the gradient of their sum holds each task's own.

    Args:
        phi: the weights that all tasks begin from.
        images: (t, n, 28, 28).
        labels: int64 (t, n).
        inner: which weights move, how often and how far; whether gradients reach phi through it.
    """
    moving = per_task(phi, len(images))
    seen = None
    if inner.head_only:  # features stay as they are: computed once, not in every step
        moving = {name: weight for name, weight in moving.items() if name.startswith("head.")}
        with torch.set_grad_enabled(inner.second_order):
            seen = features(phi, images)
    theta = {**phi, **moving}
    for step in range(inner.steps):
        logits = head(theta, features(theta, images) if seen is None else seen)
        loss, weights = losses_of(logits, labels).sum(), [theta[name] for name in moving]
        with no_autocast(loss):
            grads = torch.autograd.grad(loss, weights, create_graph=inner.second_order)
        theta |= updated(theta, dict(zip(moving, grads, strict=True)), step, inner.rate)
    return theta


def per_task(weights: Weights, num_tasks: int) -> dict[str, Tensor]:
    """Return shared weights with a first axis of tasks, without copying; inner rates have none."""
    return {
        name: weight.expand(num_tasks, *weight.shape)
        for name, weight in weights.items()
        if name != "rates"
    }


def updated(theta: Weights, grads: Weights, step: int, rate: float) -> dict[str, Tensor]:
    """Return theta - rate * grads; learnt ``rates`` in theta take the place of ``rate``."""
    if "rates" not in theta:
        return {name: torch.sub(theta[name], grad, alpha=rate) for name, grad in grads.items()}
    rates = {name: rate_of(theta["rates"], name, step) for name in grads}
    return {n: torch.addcmul(theta[n], grad, rates[n], value=-1) for n, grad in grads.items()}


def rate_of(rates: Tensor, name: str, step: int) -> Tensor:
    """Return the rate of a weight at a step, from ``rates`` (steps, layers), the linear layer last.

    Further steps take the last one's. Source: Antoniou et al. 2019 (MAML++), arXiv:1810.09502.
    """
    kind, layer = name.split(".")[:2]
    return rates[min(step, len(rates) - 1), NUM_LAYERS if kind == "head" else int(layer)]


def query_features(weights: Weights, support: Tensor, query: Tensor, norm: Norm) -> Tensor:
    """Return the query's features (t, q, width) under the statistics that ``norm`` names."""
    if norm == "query":
        return features(weights, query)
    num_support = support.shape[1]
    both = torch.cat((support, query), 1)
    return features(weights, both, num_support)[:, num_support:]


def features(weights: Weights, images: Tensor, num_reference: int = 0) -> Tensor:
    """Return what the linear layer sees of images (t, n, 28, 28): (t, n, width).

    The first ``num_reference`` images of each task give batch norm its statistics; 0: all of them.
    """
    (num_tasks, num_images), kind = images.shape[:2], images.device.type
    impl = CONV_IMPL.get(kind, "grouped")
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else images.dtype
    x = images.transpose(0, 1).to(dtype)  # (n, t, 28, 28): one channel a task
    if impl == "grouped":
        x = x.contiguous(memory_format=torch.channels_last)
    with no_autocast(x):
        for layer in range(NUM_LAYERS):
            weight, bias = (weights[f"convs.{layer}.{part}"] for part in ("weight", "bias"))
            scale, shift = (weights[f"norms.{layer}.{part}"] for part in ("weight", "bias"))
            weight, scale = fold_sign(weight, scale)
            weight = weight.expand(num_tasks, *weight.shape[-4:])
            reference = x[: num_reference or num_images]
            x = task_conv(x, weight.to(dtype), impl)
            if layer == 0:  # of grey images, the statistics are cheaper before the convolution
                mean, variance = conv_moments(reference, weight)
            else:
                both = moments(x[: len(reference)])
                mean, variance = (part.view(num_tasks, -1) for part in both)
            # Batch norm as one factor and one offset a channel, written down before the pooling
            # and applied behind it: fold_sign says why that gives the same.
            factor = scale * (variance + EPS).rsqrt()
            # Batch norm subtracts the mean, and with it the convolution's bias: the bias has no
            # effect. It stays in the graph with gradient 0, since autograd.grad asks for it.
            offset = shift + 0 * bias - mean * factor
            x = F.relu(scale_channels(max_pool(x), factor, offset))
    return at_least_fp32(x.reshape(num_images, num_tasks, -1).transpose(0, 1))


def head(weights: Weights, seen: Tensor) -> Tensor:
    """Return the linear layer's outputs (t, n, w) for features ``seen`` (t, n, width)."""
    weight, bias = weights["head.weight"], weights["head.bias"]
    with no_autocast(seen):
        if weight.dim() == 2:
            return F.linear(seen, weight, bias)
        return torch.baddbmm(bias[:, None], seen, weight.transpose(1, 2))


def no_autocast(x: Tensor) -> AbstractContextManager[None]:
    """Return the context in which torch narrows nothing: what may be bf16 is so by now."""
    return torch.autocast(x.device.type, enabled=False)


def fold_sign(weight: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return a convolution's weight and batch norm's scale, both times the scale's sign.

    Their composition stays the same, and the scale is >= 0 now. With scale >= 0 batch norm is an
    increasing function of each pixel, so that it and max pooling commute: pooling can come first,
    and batch norm and ReLU work on a quarter of the pixels.
    """
    is_negative = scale.detach() < 0
    # The usual case has none. Only the CPU looks: on a GPU the look would make the host wait.
    if not scale.is_cuda and not is_negative.any():
        return weight, scale
    sign = torch.where(is_negative, -1.0, 1.0).to(scale.dtype)
    return weight * sign[..., None, None, None], scale * sign


def conv_moments(images: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance (t, c) of a convolution's outputs, computed from its inputs alone.

    An output is w . p with the nine pixels p of a patch: its mean is w . mean(p), its variance
    w . cov(p) . w. Grey images have one patch a pixel, and as many outputs a pixel as channels.
    Images are (n, t, s, s), one channel a task, the weight is (t, c, 1, 3, 3).
    """
    side = images.shape[-1]
    padded = F.pad(at_least_fp32(images).contiguous(), (1, 1, 1, 1))
    # Nine slices instead of F.unfold, which launches a kernel for each image on a GPU.
    shifted = [padded[..., i : i + side, j : j + side] for i in range(3) for j in range(3)]
    patches = torch.stack(shifted, 2).flatten(3).transpose(0, 1)  # (t, n, 9, s * s)
    middle = patches.mean((1, 3))  # (t, 9)
    square = (patches @ patches.transpose(2, 3)).mean(1) / patches.shape[3]
    covariance = square - middle[:, :, None] * middle[:, None]
    rows = weight.flatten(-3)  # (t, c, 9)
    mean = (rows @ middle[..., None])[..., 0]
    return mean, ((rows @ covariance) * rows).sum(2)


def task_conv(x: Tensor, weight: Tensor, impl: ConvImpl) -> Tensor:
    """Return x (n, t * c_in, s, s) convolved by each task's weight (t, c_out, c_in, 3, 3).

    ``grouped`` is one convolution in t groups; ``matmul`` takes patches as columns of a matrix, and
    makes one product a task and image. The same numbers.
    """
    if impl == "grouped":
        return grouped_conv(x, weight)
    (num_images, _, side, _), num_tasks = x.shape, len(weight)
    columns = F.unfold(x, 3, padding=1).view(num_images, num_tasks, -1, side * side)
    out = weight.flatten(2) @ columns  # (n, t, c_out, s * s)
    return out.view(num_images, -1, side, side)
