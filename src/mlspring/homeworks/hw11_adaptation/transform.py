"""From stored pictures to network inputs: both domains become grey pictures of bright lines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw11_adaptation import edges
from mlspring.homeworks.hw11_adaptation.recipe import AugmentKnobs, DataKnobs
from mlspring.kit import augment

CHUNK = 1024  # photos whose edges are sought at once
OVAL = (0.6, 1.1)  # half axes of a frame: drawings have margins, photos have surroundings


def views(photos: Tensor, knobs: DataKnobs) -> Tensor:
    """Return the recipe's views of uint8 photos (n, s, s, 3), computed once: uint8 (v, n, s, s)."""
    shown = [
        torch.cat([_view(part, name, knobs) for part in photos.split(CHUNK)])
        for name in knobs.views
    ]
    return torch.stack(shown)


def grey(photos: Tensor) -> Tensor:
    """Return the brightness of uint8 photos (n, s, s, 3): uint8 (n, s, s)."""
    luma = torch.tensor(augment.LUMA, device=photos.device)
    return (photos.float() @ luma).round().to(torch.uint8)


def _view(photos: Tensor, name: str, knobs: DataKnobs) -> Tensor:
    grey_photos = grey(photos)
    match name:
        case "object":
            return edges.objects(photos, knobs.edge_blur)
        case "shape":
            return edges.objects(photos, 2 * knobs.edge_blur)
        case "canny":
            return edges.canny(grey_photos, knobs.edge_blur, knobs.edge_low, knobs.edge_high)
        case "contour":
            blur = 2 * knobs.edge_blur
            return edges.canny(grey_photos, blur, knobs.edge_low, knobs.edge_high)
        case "sobel":
            return edges.sobel(grey_photos, knobs.edge_blur)
        case _:
            return grey_photos


def to_input(pixels: Tensor) -> Tensor:
    """Return the test transform of uint8 pixels (n, s, s): floats (n, 1, s, s) in [0, 1]."""
    return pixels[:, None].float().div_(255)


@dataclass(frozen=True, kw_only=True)
class Draws:
    """The random choices for a batch of n pictures; None where the recipe has that change off.

    Args:
        maps: affine maps (n, 2, 3).
        thick: which pictures' lines become thicker, bool (n,).
        ovals: half axes (n, 2) of what stays, as shares of half a side.
        holes: boxes to erase (n, 4).
        ends: shares of the brightness cut off at the dark and at the bright end (n, 2).
        dark: whether it is dark outside a picture; else it is mirrored there.
    """

    maps: Tensor | None = None
    thick: Tensor | None = None
    ovals: Tensor | None = None
    holes: Tensor | None = None
    ends: Tensor | None = None
    dark: bool = False

    def __getitem__(self, part: slice) -> "Draws":
        """Return the choices for a part of the batch."""
        tensors = {k: v[part] for k, v in vars(self).items() if isinstance(v, Tensor)}
        return replace(self, **tensors)


def draw(knobs: AugmentKnobs, n: int, generator: Generator) -> Draws:
    """Return the training transform's choices for n pictures."""
    maps = thick = ovals = holes = ends = None
    if any(
        (
            knobs.flip,
            knobs.rotate,
            knobs.zoom_min < 1,
            knobs.zoom_max > 1,
            knobs.stretch,
            knobs.shift,
        )
    ):
        maps = augment.draw_affine(
            n,
            generator,
            flip=knobs.flip,
            rotate=knobs.rotate,
            zoom=(knobs.zoom_min, knobs.zoom_max),
            stretch=knobs.stretch,
            shift=knobs.shift,
        )
    if knobs.thick:
        thick = torch.rand(n, generator=generator) < knobs.thick
    if knobs.frame:
        whole = torch.rand(n, generator=generator) >= knobs.frame
        axes = augment.uniform(2 * n, *OVAL, generator).view(n, 2)
        ovals = torch.where(whole[:, None], 2.0, axes)  # a circle of radius 2 hides nothing
    if knobs.erase:
        holes = augment.draw_boxes(n, generator, probability=knobs.erase, area=(0.03, 0.2))
    if knobs.contrast:
        ends = augment.uniform(2 * n, 0.0, knobs.contrast, generator).view(n, 2)
    dark = knobs.beyond == "dark"
    return Draws(maps=maps, thick=thick, ovals=ovals, holes=holes, ends=ends, dark=dark)


def vary(pixels: Tensor, draws: Draws) -> Tensor:
    """Return the training transform of uint8 pixels (n, s, s): floats (n, 1, s, s)."""
    images = to_input(pixels)
    if draws.maps is not None:
        # a mirrored drawing is two drawings: strokes that no drawing has
        outside = "zeros" if draws.dark else "reflection"
        images = augment.warp(images, draws.maps, outside)
    if draws.ends is not None:
        images = stretched(images, draws.ends.to(images))
    if draws.thick is not None:
        images = torch.where(
            draws.thick.to(images.device)[:, None, None, None], thickened(images), images
        )
    if draws.ovals is not None:
        images = images * inside(draws.ovals.to(images), images.shape[-1])
    return images if draws.holes is None else augment.erase(images, draws.holes)


def stretched(images: Tensor, ends: Tensor) -> Tensor:
    """Return pictures (n, 1, s, s) in [0, 1] with both ``ends`` (n, 2) cut off, the rest spread.

    Faint edges vanish, and how strong an edge is tells less: a drawing's strokes are all alike.
    """
    dark, bright = ends[:, 0, None, None, None], 1 - ends[:, 1, None, None, None]
    return ((images - dark) / (bright - dark)).clamp(0, 1)


def thickened(images: Tensor) -> Tensor:
    """Return pictures (n, 1, s, s) whose bright lines are one pixel thicker, right and down."""
    return F.max_pool2d(F.pad(images, (1, 0, 1, 0)), 2, stride=1)


def draw_clutter(probability: float, n: int, generator: Generator) -> Tensor:
    """Return how bright each of n photos shines over a drawing: (n,) in [0, 1), many 0."""
    chosen = torch.rand(n, generator=generator) < probability
    return torch.rand(n, generator=generator) * chosen


def cluttered(images: Tensor, photos: Tensor, strength: Tensor) -> Tensor:
    """Return pictures (n, 1, s, s) with a photo's edges, uint8 (n, s, s), over each.

    A photo's centre, where its object is, comes to lie in the corners: what is over the drawing is
    ground. So the features learn to look through what drawings never have and photos always do.
    """
    half = photos.shape[-1] // 2
    ground = to_input(photos.roll((half, half), (1, 2)))
    return torch.maximum(images, ground * strength.to(images)[:, None, None, None])


def inside(ovals: Tensor, side: int) -> Tensor:
    """Return which pixels' centres lie in each centred oval of half axes (n, 2): (n, 1, s, s)."""
    at = (torch.arange(side, device=ovals.device) + 0.5) * (2 / side) - 1
    across, down = ((at / ovals[:, i, None]) ** 2 for i in (0, 1))  # (n, s)
    return (across[:, None, :] + down[:, :, None] <= 1)[:, None]


def pick(shown: Sequence[Tensor] | Tensor, rows: Tensor, generator: Generator) -> Tensor:
    """Return one random view of each photo in ``rows`` (n,): uint8 (n, s, s)."""
    which = torch.randint(len(shown), (len(rows),), generator=generator)
    return shown[which.to(rows.device), rows]
