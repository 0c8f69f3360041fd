"""Augmentation of a whole batch at once, each image with its own parameters.

``draw_*`` functions take a generator and return parameters for a batch; the functions that apply
them are deterministic. A loop on several ranks draws for the global batch and applies its share,
making also the images that its own are mixed with, so that an image is changed alike whatever the
number of processes.

Shapes: n images, c = 3 channels, h x w pixels; images are (n, c, h, w) floats.
"""

import functools
import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)  # weights of red, green, blue in brightness (ITU-R BT.601)


@functools.cache
def luma_weights(device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return ``LUMA`` (3,) on a device, copied there once: a copy a step would make it wait."""
    return torch.tensor(LUMA, device=device, dtype=dtype)


def beside(values: Tensor, images: Tensor) -> Tensor:
    """Return random ``values``, drawn on the CPU, where ``images`` are and in their type.

    To a GPU they go from pinned memory, so that the host need not wait for the copy.
    """
    if images.is_cuda and not values.is_cuda:
        return values.to(images.dtype).pin_memory().to(images.device, non_blocking=True)
    return values.to(images)


def uniform(n: int, low: float, high: float, generator: Generator) -> Tensor:
    """Return n numbers drawn uniformly from [low, high): shape (n,)."""
    return low + (high - low) * torch.rand(n, generator=generator)


def draw_affine(
    n: int,
    generator: Generator,
    *,
    flip: float = 0.0,
    rotate: float = 0.0,
    zoom: tuple[float, float] = (1.0, 1.0),
    stretch: float = 0.0,
    shift: float = 0.0,
) -> Tensor:
    """Return n affine maps from output to input coordinates in [-1, 1]: shape (n, 2, 3).

    Args:
        n: number of images.
        generator: source of all draws.
        flip: probability of a left-right mirror.
        rotate: largest angle, in degrees, either way.
        zoom: range of the side of the window that is cut out, 1 being the whole image; the window
            of a side below 1 lies anywhere inside the image, as in a random resized crop.
        stretch: largest change of the aspect ratio, as the logarithm of width over height.
        shift: further shift of the window, as a share of the image's half side.
    """
    draws = 2 * torch.rand(6, n, generator=generator) - 1  # each in [-1, 1)
    angle = draws[0] * (rotate * math.pi / 180)
    side = sum(zoom) / 2 + draws[1] * ((zoom[1] - zoom[0]) / 2)
    aspect = (draws[2] * (stretch / 2)).exp()
    mirror = torch.where(draws[3] < 2 * flip - 1, -1.0, 1.0)
    centre = draws[4:] * ((1 - side).clamp(min=0) + shift)  # (2, n)
    across, down = side * aspect, side / aspect
    cos, sin = angle.cos(), angle.sin()
    first = (across * cos * mirror, -down * sin, centre[0])
    second = (across * sin * mirror, down * cos, centre[1])
    return torch.stack(first + second, dim=1).view(n, 2, 3)


def warp(images: Tensor, maps: Tensor, outside: str = "reflection") -> Tensor:
    """Return ``images`` resampled through ``maps`` (n, 2, 3).

    Beyond the edge they are mirrored, or all 0 with ``outside="zeros"``.
    """
    grid = sampling_grid(beside(maps, images), *images.shape[2:])
    return F.grid_sample(images, grid, padding_mode=outside, align_corners=False)


def sampling_grid(maps: Tensor, h: int, w: int) -> Tensor:
    """Return where each output pixel's centre lies in the input: (n, h, w, 2) in [-1, 1].

    The same as ``F.affine_grid`` from a column and a row of each map instead of a matrix product
    for every pixel, which takes as long as the resampling itself.
    """
    x = (torch.arange(w, device=maps.device) + 0.5) * (2 / w) - 1
    y = (torch.arange(h, device=maps.device) + 0.5) * (2 / h) - 1
    along = maps[:, :, :1] * x  # (n, 2, w)
    down = maps[:, :, 1:2] * y + maps[:, :, 2:]  # (n, 2, h)
    return (down[:, :, :, None] + along[:, :, None, :]).permute(0, 2, 3, 1)


def draw_colour(
    n: int,
    generator: Generator,
    *,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
    tint: float = 0.0,
) -> Tensor:
    """Return n colour changes as the columns (brightness, contrast, saturation, tint r, g, b).

    Each is a factor drawn from [1 - x, 1 + x); shape (n, 6).
    """
    spans = torch.tensor((brightness, contrast, saturation, tint, tint, tint))
    return 1 + spans * (2 * torch.rand(n, 6, generator=generator) - 1)


def recolour(images: Tensor, factors: Tensor, *, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    """Return ``images`` with colour ``factors`` (n, 6) of ``draw_colour`` applied, normalised.

    A pixel p becomes tint * brightness * (m + contrast * (s * p + (1 - s) * luma(p) - m)) with
    saturation s and the image's mean brightness m, and then ``scale`` times that plus ``shift``:
    one 3 x 3 matrix and one offset an image.
    """
    n, c, h, w = images.shape
    luma = luma_weights(images.device, images.dtype)
    brightness, contrast, saturation, tint = beside(factors, images)[:, :, None].split(
        (1, 1, 1, 3), 1
    )
    gain = scale * tint * brightness  # (n, 3, 1)
    rest = gain * contrast
    matrix = rest * (1 - saturation) * luma + torch.diag_embed((rest * saturation)[:, :, 0])
    mean = images.mean(dim=(2, 3)) @ luma  # (n,)
    offset = (gain - rest) * mean[:, None, None] + shift
    pixels = images.reshape(n, c, h * w)
    return torch.baddbmm(offset, matrix, pixels).view(n, c, h, w)


def draw_boxes(
    n: int, generator: Generator, *, probability: float, area: tuple[float, float]
) -> Tensor:
    """Return n boxes (left, top, right, bottom) in [0, 1], empty for images left alone: (n, 4).

    Args:
        n: number of images.
        generator: source of all draws.
        probability: share of images that get a box.
        area: range of a box's share of the image; its aspect ratio lies in [1/2, 2].
    """
    size = uniform(n, *area, generator)
    aspect = (uniform(n, -math.log(2), math.log(2), generator) / 2).exp()
    half = torch.stack(((size.sqrt() * aspect), (size.sqrt() / aspect)), dim=1).clamp(max=1) / 2
    centre = half + (1 - 2 * half) * torch.rand(n, 2, generator=generator)
    chosen = (torch.rand(n, generator=generator) < probability)[:, None]
    return torch.cat((centre - half, centre + half), dim=1) * chosen


def inside(boxes: Tensor, h: int, w: int) -> Tensor:
    """Return which pixels' centres lie in each image's box: bool of shape (n, 1, h, w)."""
    x = (torch.arange(w, device=boxes.device) + 0.5) / w
    y = (torch.arange(h, device=boxes.device) + 0.5) / h
    left, top, right, bottom = (edge[:, None] for edge in boxes.T)
    columns = (x >= left) & (x < right)  # (n, w)
    lines = (y >= top) & (y < bottom)  # (n, h)
    return (lines[:, :, None] & columns[:, None, :])[:, None]


def erase(images: Tensor, boxes: Tensor, value: float = 0.0) -> Tensor:
    """Return ``images`` with the inside of ``boxes`` set to ``value`` (Zhong et al. 2017)."""
    mask = inside(beside(boxes, images), *images.shape[2:])
    return images.masked_fill(mask, value)


def mixup(
    images: Tensor, targets: Tensor, weights: Tensor, partners: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Return images and targets averaged with those of their partners.

    Source: Zhang et al. 2018, arXiv:1710.09412.

    Args:
        images: (n, c, h, w).
        targets: class probabilities (n, num_classes).
        weights: weight of the image itself, the rest goes to its partner: (n,).
        partners: images and targets to mix with; default: the batch in reverse order.
    """
    others, their_targets = partners or (images.flip(0), targets.flip(0))
    w = beside(weights, images)
    mixed = torch.lerp(others, images, w[:, None, None, None])
    return mixed, torch.lerp(their_targets, targets, w[:, None])


def cutmix(
    images: Tensor, targets: Tensor, boxes: Tensor, partners: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Return images whose ``boxes`` (n, 4) show their partners, targets mixed by area.

    Images, targets and partners as in ``mixup``. Source: Yun et al. 2019, arXiv:1905.04899.
    """
    others, their_targets = partners or (images.flip(0), targets.flip(0))
    mask = inside(beside(boxes, images), *images.shape[2:])
    kept = 1 - mask.to(targets).mean(dim=(1, 2, 3))
    mixed = torch.where(mask, others, images)
    return mixed, torch.lerp(their_targets, targets, kept[:, None])


def draw_beta(n: int, alpha: float, generator: Generator) -> Tensor:
    """Return n draws of Beta(alpha, alpha), at least one half, so that an image leads: (n,)."""
    gammas = torch._standard_gamma(torch.full((2, n), alpha), generator=generator)
    share = gammas[0] / gammas.sum(0).clamp(min=1e-12)
    return torch.maximum(share, 1 - share)
