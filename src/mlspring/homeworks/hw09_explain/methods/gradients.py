"""Explanations by gradients of a label's logit with respect to the pixels.

Shapes: n pictures (n, 3, s, s) with labels int64 (n,); ``model`` gives logits (n, num_classes). It
is in evaluation mode, so that no picture's result depends on which others stand in its batch.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.kit.seeding import generator


def label_logits(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Return F(x), the logit of each picture's label: (n,)."""
    logits: Tensor = model(images)
    return logits.gather(1, labels[:, None])[:, 0]


def input_gradient(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Return dF/dx: (n, 3, s, s). Neither ``images`` nor any weight keeps a gradient."""
    inputs = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(label_logits(model, inputs, labels).sum(), inputs)
    return gradient


def saliency(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Return |dF/dx|: how much F moves for a small change of each value, (n, 3, s, s).

    Source: Simonyan et al. 2013, arXiv:1312.6034. Of the logit, not of the loss: where a network is
    sure, the loss has next to no gradient, and what is left of it is noise.
    """
    return input_gradient(model, images, labels).abs()


def smoothgrad(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    noise_level: float,
    num_samples: int,
    seed: int,
) -> Tensor:
    """Return |mean of dF/dx over noisy copies of x|: (n, 3, s, s).

    The noise's standard deviation is ``noise_level * (max x - min x)``, of each picture its own.
    Copy k of every picture has the same noise up to that factor, so a picture's result does not
    depend on its batch. Source: Smilkov et al. 2017, arXiv:1706.03825.
    """
    extent = images.amax((1, 2, 3), keepdim=True) - images.amin((1, 2, 3), keepdim=True)
    total = torch.zeros_like(images)
    for sample in range(num_samples):
        drawn = torch.randn(images.shape[1:], generator=generator(seed, "smoothgrad", sample))
        noise = noise_level * extent * drawn.to(images)
        total += input_gradient(model, images + noise, labels)
    return (total / num_samples).abs()


def integrated(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    baselines: Tensor,
    num_steps: int,
) -> tuple[Tensor, Tensor]:
    """Return integrated gradients (n, 3, s, s) and the completeness error (n,).

    (x - x') * integral over a from 0 to 1 of dF/dx at x' + a (x - x'), by the midpoint rule in
    ``num_steps`` steps. Its sum should be F(x) - F(x'); the error is the sum less that. Source:
    Sundararajan et al. 2017, arXiv:1703.01365.

    Args:
        model: gives logits.
        images: x.
        labels: whose logits are explained.
        baselines: x', as large as ``images``.
        num_steps: gradients a picture.
    """
    way = images - baselines
    total = torch.zeros_like(images)
    for step in range(num_steps):
        total += input_gradient(model, baselines + (step + 0.5) / num_steps * way, labels)
    attribution = way * total / num_steps
    with torch.no_grad():
        gain = label_logits(model, images, labels) - label_logits(model, baselines, labels)
    return attribution, attribution.sum((1, 2, 3)) - gain


def gradcam(features: nn.Module, rest: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Return relu(sum over c of a_c A_c), as large as the pictures: (n, s, s).

    A_c are the maps (n, c, h, w) of a late layer and a_c the mean of dF/dA_c over its places, which
    says what filter c is worth for the label. Source: Selvaraju et al. 2017, arXiv:1610.02391.

    Args:
        features: the network up to the layer.
        rest: the network behind it, from maps to logits.
        images: (n, 3, s, s).
        labels: whose logits are explained.
    """
    with torch.no_grad():
        maps = features(images)
    worth = input_gradient(rest, maps, labels).mean((2, 3), keepdim=True)
    found = F.relu((worth * maps).sum(1, keepdim=True))  # (n, 1, h, w)
    return F.interpolate(found, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
