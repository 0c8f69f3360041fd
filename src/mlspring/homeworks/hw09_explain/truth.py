"""How true a map is: against the pixels that are the dish, and against the network itself.

Shapes: n pictures of s x s pixels; maps (n, s, s), the more positive a pixel the more it speaks for
the label; masks bool (n, s, s), True on the dish.
"""

from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.errors import InternalError

BLUR = 4  # the hidden picture is the mean of squares of s / BLUR pixels, made smooth


def points_at_dish(maps: Tensor, masks: Tensor) -> Tensor:
    """Return 1 where a map's highest pixel is on the dish, else 0: (n,), the pointing game.

    Of several equally high pixels, as a superpixel has, it is the share on the dish. A map that is
    the same everywhere points nowhere and gets 0. Source: Zhang et al. 2016, arXiv:1608.00507.
    """
    flat, dish = maps.flatten(1), masks.flatten(1)
    highest = flat.amax(1, keepdim=True)
    tops = flat == highest
    share = (tops & dish).sum(1) / tops.sum(1)
    return torch.where(highest[:, 0] > flat.amin(1), share, torch.zeros_like(share))


def inside_share(maps: Tensor, masks: Tensor) -> Tensor:
    """Return the share of a map's positive part that lies on the dish: (n,); 0 of an empty map."""
    heat = maps.clamp(min=0)
    total = heat.sum((1, 2))
    inside = (heat * masks).sum((1, 2))
    return inside / torch.where(total > 0, total, torch.ones_like(total))


def hidden_pictures(images: Tensor) -> Tensor:
    """Return what stands where pixels are hidden: the picture (n, 3, s, s) without its details."""
    small = F.adaptive_avg_pool2d(images, BLUR)
    return F.interpolate(small, images.shape[2:], mode="bilinear", align_corners=False)


@torch.no_grad()
def step_curves(
    model: nn.Module, images: Tensor, labels: Tensor, maps: Tensor, num_steps: int
) -> tuple[Tensor, Tensor]:
    """Return the label's probability while pixels come in and go out: two of (n, num_steps + 1).

    The order is that of the map, its highest pixels first. Insertion starts from the hidden
    picture, deletion from the picture itself. Source: Petsiuk et al. 2018, arXiv:1806.07421.

    Args:
        model: gives logits.
        images: (n, 3, s, s).
        labels: int64 (n,).
        maps: (n, s, s).
        num_steps: equal parts in which the pixels move.
    """
    n, num_pixels = len(images), maps[0].numel()
    order = maps.flatten(1).argsort(dim=1, descending=True, stable=True)
    places = torch.arange(num_pixels, device=maps.device).expand(n, -1)
    rank = torch.empty_like(order).scatter_(1, order, places).view_as(maps)[:, None]
    hidden = hidden_pictures(images)
    insertion: list[Tensor] = []
    deletion: list[Tensor] = []
    for step in range(num_steps + 1):
        first = rank < step * num_pixels / num_steps
        for curve, inside, outside in ((insertion, images, hidden), (deletion, hidden, images)):
            logits = model(torch.where(first, inside, outside))
            curve.append(logits.softmax(1).gather(1, labels[:, None])[:, 0])
    return torch.stack(insertion, 1), torch.stack(deletion, 1)


def area(curves: Tensor) -> Tensor:
    """Return the area under curves (n, k) over the unit interval, by trapezoids: (n,)."""
    return torch.trapezoid(curves, dx=1 / (curves.shape[1] - 1), dim=1)


def rank_correlation(maps: Tensor, others: Tensor) -> Tensor:
    """Return Spearman's correlation of two maps of each picture: (n,); 0 where one is constant."""
    if maps.shape != others.shape:
        raise InternalError(f"maps of {tuple(maps.shape)} and {tuple(others.shape)}")
    ranks = [rankdata(m.flatten(1).double().cpu().numpy(), axis=1) for m in (maps, others)]
    a, b = (r - r.mean(1, keepdims=True) for r in ranks)
    spread = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    together = (a * b).sum(1)
    return torch.from_numpy(np.divide(together, spread, out=np.zeros(len(a)), where=spread > 0))


# ---- maps that ask no network: what a method must beat


def edges(images: Tensor) -> Tensor:
    """Return how much each pixel differs from its neighbours, over all channels: (n, s, s)."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    return (across**2 + down**2).sum(1).sqrt()


def middle(images: Tensor) -> Tensor:
    """Return a map that is high in the middle, whatever the picture: (n, s, s)."""
    side = torch.linspace(-1, 1, images.shape[-1], device=images.device)
    away = side**2 + side[:, None] ** 2
    return (-4 * away).exp().expand(len(images), -1, -1)


UNASKED: dict[str, Callable[[Tensor], Tensor]] = {"edges": edges, "middle": middle}
