"""From stored pictures to network inputs: both domains become grey pictures of bright lines."""

import torch
from torch import Generator, Tensor

from mlspring.homeworks.hw11_adaptation import edges, sketches
from mlspring.homeworks.hw11_adaptation.recipe import AugmentKnobs, DataKnobs
from mlspring.kit import augment

CHUNK = 1024  # photos whose edges are sought at once
FLIP = 0.5  # probability of a left-right mirror
HOLES = (0.03, 0.2)  # smallest and largest part of a picture that is erased
ROTATE = 15.0  # largest angle either way, degrees, as in the sample


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
    low, high, blur = knobs.edge_low, knobs.edge_high, knobs.edge_blur
    match name:
        case "object":
            return sketches.object_edges(photos, blur)
        case "shape":
            return sketches.object_edges(photos, 2 * blur)
        case "canny":
            return edges.canny(grey(photos), blur, low, high)
        case "contour":
            return edges.canny(grey(photos), 2 * blur, low, high)
        case "sobel":
            return edges.sobel(grey(photos), blur)
        case _:
            return grey(photos)


def to_input(pixels: Tensor) -> Tensor:
    """Return the test transform of uint8 pixels (n, s, s): floats (n, 1, s, s) in [0, 1]."""
    return pixels[:, None].float().div_(255)


def vary(
    pixels: Tensor, knobs: AugmentKnobs, generator: Generator, shard: slice = slice(None)
) -> Tensor:
    """Return the training transform of a shard of uint8 pixels (n, s, s): floats (m, 1, s, s).

    Choices are drawn for all n, so that a picture is changed alike whatever the shard.
    """
    n, sketchy = len(pixels), knobs.sketchy
    zoom = (knobs.zoom_min, sketches.ZOOM_MAX if sketchy else 1.0)
    stretch = sketches.STRETCH if sketchy else 0.0
    maps = augment.draw_affine(
        n, generator, flip=FLIP, rotate=ROTATE, zoom=zoom, stretch=stretch, shift=knobs.shift
    )
    thick = torch.rand(n, generator=generator) < sketches.THICK if sketchy else None
    holes = None
    if knobs.erase:
        holes = augment.draw_boxes(n, generator, probability=knobs.erase, area=HOLES)
    ends = augment.uniform(2 * n, 0.0, sketches.CONTRAST, generator) if sketchy else None
    # outside a picture it is mirrored, or black: a sketch beside its mirror image is no sketch
    outside = "zeros" if sketchy else "reflection"
    images = augment.warp(to_input(pixels[shard]), maps[shard], outside)
    if ends is not None:
        images = sketches.cut_contrast(images, ends.view(n, 2)[shard])
    if thick is not None:
        images = sketches.thicken(images, thick[shard])
    return images if holes is None else augment.erase(images, holes[shard])


def pick(shown: Tensor, rows: Tensor, generator: Generator) -> Tensor:
    """Return one random view, of (v, m, s, s), of each photo in ``rows`` (n,): (n, s, s)."""
    which = torch.randint(len(shown), (len(rows),), generator=generator)
    return shown[augment.beside(which, rows), rows]
