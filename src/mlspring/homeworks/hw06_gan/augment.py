"""Augmentation that does not leak: the discriminator never sees a picture without it.

Real and generated pictures go through the same random changes, and gradients go through them to
the generator (DiffAugment, Zhao et al. 2020, arXiv:2006.10738). Were only real ones changed, the
generator would learn to draw shifted pictures with grey squares.

Letters: N pictures of side S, values -1 .. 1.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw06_gan.recipe import DifferentKnobs


@dataclass(frozen=True, kw_only=True)
class Draws:
    """The random choices for N pictures, numbers uniform in 0 .. 1.

    Args:
        shift: down and right, (N, 2).
        cut: middle of the square, row and column, (N, 2).
        colour: brightness, saturation, contrast, (N, 3).
    """

    shift: Tensor
    cut: Tensor
    colour: Tensor

    def __getitem__(self, part: slice) -> "Draws":
        """Return the choices for a part of the pictures."""
        return Draws(shift=self.shift[part], cut=self.cut[part], colour=self.colour[part])


def draw(num: int, stream: Generator) -> Draws:
    """Return choices for ``num`` pictures, on the CPU."""
    u = torch.rand(num, 7, generator=stream)
    return Draws(shift=u[:, :2], cut=u[:, 2:4], colour=u[:, 4:])


def augment(images: Tensor, draws: Draws, knobs: DifferentKnobs) -> Tensor:
    """Return changed pictures (N, 3, S, S), differentiable in them; all knobs 0: the same ones."""
    if knobs.colour:
        images = recolour(images, draws.colour.to(images), knobs.colour)
    if knobs.translate:
        images = translate(images, draws.shift.to(images.device), knobs.translate)
    if knobs.cutout:
        images = images * keep(images.shape[-1], draws.cut.to(images.device), knobs.cutout)
    return images


def recolour(images: Tensor, u: Tensor, strength: float) -> Tensor:
    """Return pictures with brightness, saturation and contrast moved by up to ``strength``."""
    light, colours, contrast = ((2 * u - 1) * strength)[:, :, None, None, None].unbind(1)
    images = images + light
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (1 + colours)
    middle = images.mean((1, 2, 3), keepdim=True)
    return middle + (images - middle) * (1 + contrast)


def translate(images: Tensor, u: Tensor, share: float) -> Tensor:
    """Return pictures shifted by whole pixels, up to ``share`` of the side; grey comes in."""
    num, _, side, _ = images.shape
    most = round(share * side)
    shift = (u * (2 * most + 1)).long().clamp(max=2 * most)  # 0 .. 2 most: up by most .. down
    padded = F.pad(images, (most,) * 4)
    at = torch.arange(side, device=images.device)
    rows = (at + shift[:, 0, None])[:, None, :, None]  # (N, 1, S, 1)
    columns = (at + shift[:, 1, None])[:, None, None, :]
    picture = torch.arange(num, device=images.device)[:, None, None, None]
    colour = torch.arange(3, device=images.device)[:, None, None]
    return padded[picture, colour, rows, columns]


def keep(side: int, u: Tensor, share: float) -> Tensor:
    """Return masks (N, 1, S, S): 0 in a square of ``share`` of the side, 1 around it."""
    half, at = share * side / 2, torch.arange(side, device=u.device) + 0.5
    inside = (at - side * u[..., None]).abs() < half  # (N, 2, S)
    return 1 - (inside[:, 0, :, None] & inside[:, 1, None, :]).float()[:, None]
