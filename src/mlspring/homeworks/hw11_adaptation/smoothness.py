"""Virtual adversarial training: what VADA and DIRT-T ask of drawings beside certain predictions.

The prediction may not change where a drawing is moved a little, in whatever direction; so no
boundary between classes passes close by. Sources: Miyato et al. 2018 (arXiv:1704.03976), Shu et al.
2018 (arXiv:1802.08735).
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from mlspring.homeworks.hw11_adaptation.losses import divergence
from mlspring.homeworks.hw11_adaptation.models import Adapter
from mlspring.kit.device import Hardware

RADIUS = 3.0  # how far a drawing is moved: the root of its pixels' squared changes
REACH = 1.0  # of the step that finds the direction


def worst_drawings(
    model: Adapter, drawings: Tensor, hardware: Hardware, generator: Generator
) -> Tensor:
    """Return drawings (n, 1, s, s), each moved to where its prediction changes most.

    The network is asked in evaluation mode, so that batch norm learns nothing from the question.
    """

    def predict(images: Tensor) -> Tensor:
        with hardware.autocast():
            return model(hardware.images_to_device(images)).logits.float()

    start = torch.randn(drawings.shape, generator=generator).to(drawings)
    model.eval()
    direction = worst_direction(predict, drawings, start)
    model.train()
    return drawings + RADIUS * direction


def worst_direction(predict: Callable[[Tensor], Tensor], images: Tensor, start: Tensor) -> Tensor:
    """Return steps of length 1, one an image, that change its prediction most.

    One power iteration from ``start``, of the images' shape: the gradient, after a step of length
    ``REACH``, of the divergence from the prediction at no step.
    """
    with torch.no_grad():
        reference = predict(images)
    step = (REACH * unit(start)).requires_grad_()
    change = divergence(predict(images + step), reference)
    (gradient,) = torch.autograd.grad(change, step)
    return unit(gradient)


def unit(steps: Tensor) -> Tensor:
    """Return each image's step (n, c, h, w) at length 1; a step of length 0 stays."""
    lengths = steps.flatten(1).norm(dim=1).clamp(min=1e-12)
    return steps / lengths[:, None, None, None]
