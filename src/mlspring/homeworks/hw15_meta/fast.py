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


def adapt(
    weights: Weights, images: Tensor, labels: Tensor, inner: InnerLoop, create_graph: bool
) -> dict[str, Tensor]:
    """Return each task's weights theta after the inner loop over all layers.

    theta_0 = phi, theta_{j+1} = theta_j - rate * grad L_support(theta_j), as in ``inner.adapt``.
    No task's loss depends on another's weights, so the gradient of their sum holds each task's own.

    Args:
        weights: phi, shared.
        images: (t, n, 28, 28).
        labels: int64 (t, n).
        inner: steps and rate.
        create_graph: whether theta can be differentiated through the steps: MAML's second order.
    """
    theta, rates = per_task(weights, len(images)), weights.get("rates")
    for step in range(inner.steps):
        loss = losses_of(logits(theta, features(theta, images)), labels).sum()
        with no_autocast(loss):
            grads = torch.autograd.grad(loss, list(theta.values()), create_graph=create_graph)
        theta = updated(theta, grads, step, inner.rate, rates)
    return theta


def adapt_head(
    weights: Weights, seen: Tensor, labels: Tensor, inner: InnerLoop, create_graph: bool
) -> dict[str, Tensor]:
    """Return weights after the inner loop, in which the linear layer alone moves.

    ``seen`` (t, n, width) are the support's features, which therefore stay the same. Source: Raghu
    et al. 2020 (ANIL), arXiv:1909.09157.
    """
    head = {name: weight for name, weight in weights.items() if name.startswith("head.")}
    theta, rates = per_task(head, len(seen)), weights.get("rates")
    for step in range(inner.steps):
        loss = losses_of(logits(theta, seen), labels).sum()
        with no_autocast(loss):
            grads = torch.autograd.grad(loss, list(theta.values()), create_graph=create_graph)
        theta = updated(theta, grads, step, inner.rate, rates)
    return {**weights, **theta}


def per_task(weights: Weights, num_tasks: int) -> dict[str, Tensor]:
    """Return shared weights with a first axis of tasks, without copying; inner rates have none."""
    return {
        name: weight.expand(num_tasks, *weight.shape)
        for name, weight in weights.items()
        if name != "rates"
    }


def updated(
    theta: Weights, grads: tuple[Tensor, ...], step: int, rate: float, rates: Tensor | None
) -> dict[str, Tensor]:
    """Return theta - rate * grads; ``rates``, where they are learnt, take the place of ``rate``."""
    pairs = zip(theta.items(), grads, strict=True)
    if rates is None:
        return {name: torch.sub(weight, grad, alpha=rate) for (name, weight), grad in pairs}
    return {
        name: torch.addcmul(weight, grad, rate_of(rates, name, step), value=-1)
        for (name, weight), grad in pairs
    }


def rate_of(rates: Tensor, name: str, step: int) -> Tensor:
    """Return the learnt rate of a weight at a step; further steps take the last that was learnt.

    Source: Antoniou et al. 2019 (MAML++), arXiv:1810.09502: a rate for each step and layer.

    Args:
        rates: (steps, layers), the linear layer last.
        name: of the weight.
        step: from 0 on.
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

    Args:
        weights: by name.
        images: of t tasks.
        num_reference: how many images of each task, the first, give batch norm its statistics;
            0 for all of them.
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


def logits(weights: Weights, seen: Tensor) -> Tensor:
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

    Args:
        weight: (c_out, c_in, 3, 3), or with a first axis of tasks.
        scale: (c_out,), or likewise.
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

    Args:
        images: (n, t, s, s), one channel a task.
        weight: (t, c, 1, 3, 3).
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
    """Return 3 x 3 convolutions (n, t * c_out, s, s) of x (n, t * c_in, s, s), padded by one.

    Args:
        x: images of all tasks.
        weight: (t, c_out, c_in, 3, 3), one for each task.
        impl: ``grouped``: one convolution in t groups; ``matmul``: patches as columns of a matrix,
            one product a task and image. The same numbers.
    """
    if impl == "grouped":
        return grouped_conv(x, weight)
    (num_images, _, side, _), num_tasks = x.shape, len(weight)
    columns = F.unfold(x, 3, padding=1).view(num_images, num_tasks, -1, side * side)
    out = weight.flatten(2) @ columns  # (n, t, c_out, s * s)
    return out.view(num_images, -1, side, side)
