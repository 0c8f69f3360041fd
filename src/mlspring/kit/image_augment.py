"""From stored uint8 pictures to network inputs, with or without augmentation."""

from dataclasses import dataclass, fields

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from mlspring.core.recipe_sections import AugmentKnobs
from mlspring.kit import augment

MEAN, STD = 0.5, 0.25  # of all channels: batch norm does the rest
SCALE, SHIFT = 1 / (255 * STD), -MEAN / STD  # takes a uint8 pixel to that


@dataclass(frozen=True)
class Draws:
    """The random choices for a batch of n pictures; None where the recipe has that change off.

    Args:
        maps: affine maps (n, 2, 3).
        colours: colour factors (n, 6).
        holes: boxes to erase (n, 4).
        shares: weight of a picture in its mixup (n,).
        patches: boxes that show the partner picture (n, 4).
    """

    maps: Tensor | None = None
    colours: Tensor | None = None
    holes: Tensor | None = None
    shares: Tensor | None = None
    patches: Tensor | None = None

    def __getitem__(self, part: slice) -> "Draws":
        """Return the choices for a part of the batch."""
        values = (getattr(self, f.name) for f in fields(self))
        return Draws(*(None if v is None else v[part] for v in values))


def draw(knobs: AugmentKnobs, n: int, generator: Generator) -> Draws:
    """Return the training transform's choices for n pictures."""
    moved = any((knobs.flip, knobs.rotate, knobs.zoom_min < 1, knobs.stretch, knobs.shift))
    tinted = any((knobs.brightness, knobs.contrast, knobs.saturation, knobs.tint))
    cut = knobs.cutmix > torch.rand((), generator=generator).item()
    maps = colours = holes = shares = patches = None
    if moved:
        maps = augment.draw_affine(
            n,
            generator,
            flip=knobs.flip,
            rotate=knobs.rotate,
            zoom=(knobs.zoom_min, 1.0),
            stretch=knobs.stretch,
            shift=knobs.shift,
        )
    if tinted:
        colours = augment.draw_colour(
            n,
            generator,
            brightness=knobs.brightness,
            contrast=knobs.contrast,
            saturation=knobs.saturation,
            tint=knobs.tint,
        )
    if knobs.erase:
        holes = augment.draw_boxes(n, generator, probability=knobs.erase, area=(0.02, 0.25))
    if cut:
        patches = augment.draw_boxes(n, generator, probability=1.0, area=(0.05, 0.5))
    elif knobs.mixup:
        shares = augment.draw_beta(n, knobs.mixup, generator)
    return Draws(maps, colours, holes, shares, patches)


def to_input(pixels: Tensor) -> Tensor:
    """Return the test transform of uint8 pixels (n, s, s, 3): floats (n, 3, s, s), normalised."""
    return pixels.permute(0, 3, 1, 2).float().mul_(SCALE).add_(SHIFT)


def vary(pixels: Tensor, draws: Draws) -> Tensor:
    """Return the training transform of uint8 pixels (n, s, s, 3), mixing apart: (n, 3, s, s)."""
    images = pixels.permute(0, 3, 1, 2).float()
    if draws.maps is not None:
        images = augment.warp(images, draws.maps)
    if draws.colours is not None:
        images = augment.recolour(images, draws.colours, scale=SCALE, shift=SHIFT)
    else:
        images = images.mul_(SCALE).add_(SHIFT)
    return images if draws.holes is None else augment.erase(images, draws.holes)


def prepare(
    pixels: Tensor, labels: Tensor, num_classes: int, draws: Draws, share: slice
) -> tuple[Tensor, Tensor]:
    """Return inputs (m, 3, s, s) and class probabilities (m, num_classes) of a share of a batch.

    A picture is mixed with the one at the other end of the whole batch; where that one is in
    another process's share, it is made here, too.

    Args:
        pixels: of the whole batch, uint8 (n, s, s, 3).
        labels: of the whole batch, (n,).
        num_classes: columns of the class probabilities.
        draws: the choices for the whole batch.
        share: the m pictures that this process trains on.
    """
    images = vary(pixels[share], draws[share])
    targets = F.one_hot(labels, num_classes).to(images)
    if draws.patches is None and draws.shares is None:
        return images, targets[share]
    mirror = slice(len(labels) - share.stop, len(labels) - share.start)
    partners = images if mirror == share else vary(pixels[mirror], draws[mirror])
    return mix(images, targets[share], draws[share], (partners.flip(0), targets[mirror].flip(0)))


def mix(
    images: Tensor, targets: Tensor, draws: Draws, partners: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Return images and class probabilities after mixup or cutmix with ``partners``, if drawn."""
    if draws.patches is not None:
        return augment.cutmix(images, targets, draws.patches, partners)
    if draws.shares is not None:
        return augment.mixup(images, targets, draws.shares, partners)
    return images, targets
