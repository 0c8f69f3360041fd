"""What one filter of a network answers to: its map of a picture, and the picture it likes best.

``features`` is the network up to the filter's layer: pictures (n, 3, s, s) to maps (n, c, h, w). So
nothing is hooked into the network, and no pass goes further than it must.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlspring.kit.seeding import generator

SPREAD = 0.1  # standard deviation of the noise that the ascent starts from, around mid grey


@torch.no_grad()
def activations(features: nn.Module, images: Tensor, filters: Sequence[int]) -> Tensor:
    """Return the maps of some filters for each picture: (n, len(filters), h, w)."""
    maps: Tensor = features(images)
    return maps[:, list(filters)]


def excite(
    features: nn.Module,
    filters: Sequence[int],
    size: int,
    *,
    num_steps: int,
    learning_rate: float,
    jitter: int,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """Return pictures in 0 .. 1 that excite one filter each, and the way there.

    Gradient ascent by Adam on the mean of the filter's map, from white noise (Erhan et al. 2009).
    Before each step all pictures are shifted by up to ``jitter`` pixels, around their edges, else
    the ascent ends in fine patterns that hold at one place only (Mordvintsev et al. 2015).

    Args:
        features: the network up to the layer.
        filters: numbers of the layer's filters.
        size: side of the pictures.
        num_steps: of the ascent.
        learning_rate: of Adam, a share of the range from black to white.
        jitter: largest shift, pixels.
        seed: of noise and shifts.

    Returns:
        Pictures (len(filters), 3, size, size) and the means of the maps before every step and after
        the last: (num_steps + 1, len(filters)).
    """
    place = next(features.parameters())
    noise = torch.randn(3, size, size, generator=generator(seed, "noise")).to(place)
    images = (0.5 + SPREAD * noise).clamp(0, 1).repeat(len(filters), 1, 1, 1).requires_grad_()
    optimizer = torch.optim.Adam([images], learning_rate)
    shifts = torch.randint(-jitter, jitter + 1, (num_steps, 2), generator=generator(seed, "jitter"))
    own = torch.arange(len(filters), device=place.device), torch.tensor(filters).to(place.device)
    way = []
    for step in range(num_steps):
        moved = images.roll(shifts[step].tolist(), (2, 3))
        excitement = features(moved)[own].mean((1, 2))
        (images.grad,) = torch.autograd.grad(-excitement.sum(), images)
        optimizer.step()
        with torch.no_grad():
            images.clamp_(0, 1)
        way.append(excitement.detach())
    with torch.no_grad():
        way.append(features(images)[own].mean((1, 2)))
    return images.detach(), torch.stack(way)
