"""LIME: a straight line through what the network says when parts of a picture are hidden.

Source: Ribeiro et al. 2016, arXiv:1602.04938. All samples of a picture are one matrix of zeros and
ones; the pictures that they mean are made in batches, and the fit is a closed form.

Shapes: a picture (3, s, s) in d superpixels; m samples.
"""

from dataclasses import dataclass

import numpy as np
import torch
from skimage.segmentation import slic
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.kit.seeding import generator

KERNEL_WIDTH = 0.25  # of the distance at which a sample counts less
ALPHA = 1.0  # of the ridge's penalty


@dataclass(frozen=True, kw_only=True)
class Surrogate:
    """The line that was fitted around one picture.

    Args:
        segments: int64 (s, s), the superpixel of each pixel, from 0.
        weights: (d,), what showing a superpixel adds to the logit of the label.
        intercept: of the line, where all superpixels are hidden.
        r2: share of the logit's weighted variance over the samples that the line explains.
    """

    segments: Tensor
    weights: Tensor
    intercept: float
    r2: float

    @property
    def attribution(self) -> Tensor:
        """The weight of each pixel's superpixel: (s, s)."""
        return self.weights[self.segments]


def superpixels(image: Tensor, num_segments: int, compactness: float) -> Tensor:
    """Return SLIC's superpixels of a picture in 0 .. 1: int64 (s, s), numbered from 0.

    There are about ``num_segments``. The larger ``compactness``, the squarer they are.
    """
    pixels = image.detach().cpu().permute(1, 2, 0).double().numpy()
    found = slic(pixels, num_segments, compactness, sigma=1, start_label=0, channel_axis=-1)
    _, numbers = np.unique(found, return_inverse=True)
    return torch.from_numpy(numbers.reshape(found.shape).astype(np.int64)).to(image.device)


def lime(
    model: nn.Module,
    image: Tensor,
    label: int,
    segments: Tensor,
    *,
    num_samples: int,
    seed: int,
    batch_size: int = 256,
) -> Surrogate:
    """Return the line around one picture.

    A sample shows every superpixel with probability 1/2 and hides it behind its mean colour else;
    the first shows all. The nearer a sample is to the whole picture the more it counts.

    Args:
        model: gives logits; the one of ``label`` is explained.
        image: (3, s, s).
        label: a class.
        segments: int64 (s, s), from 0 without a gap.
        num_samples: passes through the network.
        seed: of the samples, which depend on nothing else.
        batch_size: samples at once.
    """
    shown = draw_samples(num_samples, int(segments.max()) + 1, seed).to(image.device)
    hidden = mean_colours(image, segments)
    with torch.no_grad():
        scores = torch.cat(
            [
                model(torch.where(part[:, segments][:, None], image, hidden))[:, label]
                for part in shown.split(batch_size)
            ]
        )
    weights, intercept, r2 = fit_ridge(shown, scores, closeness(shown))
    return Surrogate(segments=segments, weights=weights, intercept=intercept, r2=r2)


def draw_samples(num_samples: int, num_segments: int, seed: int) -> Tensor:
    """Return which superpixels each sample shows: bool (m, d), all of them in the first."""
    stream = generator(seed, "lime")
    shown = torch.rand(num_samples, num_segments, generator=stream) < 0.5
    shown[0] = True
    return shown


def mean_colours(image: Tensor, segments: Tensor) -> Tensor:
    """Return the picture with each superpixel in its mean colour: (3, s, s)."""
    members = F.one_hot(segments.flatten()).to(image.dtype)  # (s s, d)
    means = image.flatten(1) @ members / members.sum(0)  # (3, d)
    return means[:, segments]


def closeness(shown: Tensor) -> Tensor:
    """Return what each sample counts: (m,) in float64, 1 for the whole picture.

    sqrt(exp(-D^2 / width^2)) of the cosine distance D to it, which is 1 - sqrt(share shown).
    """
    distance = 1 - shown.double().mean(1).sqrt()
    return (-((distance / KERNEL_WIDTH) ** 2) / 2).exp()


def fit_ridge(shown: Tensor, scores: Tensor, counts: Tensor) -> tuple[Tensor, float, float]:
    """Return weights (d,), intercept and R^2 of the weighted ridge, in closed form.

    They minimise sum_i counts_i (scores_i - b - shown_i w)^2 + alpha |w|^2; b is not punished.
    """
    z, y = shown.double(), scores.double()
    share = counts / counts.sum()
    middle, level = share @ z, share @ y
    z, y = z - middle, y - level
    gram = z.T @ (counts[:, None] * z)
    ridge = ALPHA * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    weights = torch.linalg.solve(gram + ridge, z.T @ (counts * y))
    residual, spread = counts @ (y - z @ weights) ** 2, counts @ y**2
    r2 = (1 - residual / spread).item() if spread > 0 else 0.0
    return weights.to(scores), (level - middle @ weights).item(), r2
