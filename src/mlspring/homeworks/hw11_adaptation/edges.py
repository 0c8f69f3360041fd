"""Edges of pictures, a whole batch at once: Sobel's strength and Canny's lines.

Shapes: n pictures of h x w pixels; grey uint8 or float (n, h, w) in, uint8 (n, h, w) out.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

RING = math.pi / 8  # gradients within this angle of an axis count as along it
SWEEPS = 4  # of growth between two questions whether it has ended: each makes a GPU wait


def gradients(grey: Tensor, blur: float) -> tuple[Tensor, Tensor]:
    """Return Sobel's gradients (n, h, w) to the right and down, of pictures blurred first.

    Borders are mirrored. A step from 0 to 255 has a gradient of 1020.
    """
    x = grey.float()[:, None]
    if blur:
        reach = max(1, math.ceil(3 * blur))
        taps = torch.arange(-reach, reach + 1, device=x.device).float()
        kernel = torch.exp(-((taps / blur) ** 2) / 2)
        kernel /= kernel.sum()
        x = F.pad(x, (reach,) * 4, mode="reflect")
        x = F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
    x = F.pad(x, (1,) * 4, mode="replicate")
    smooth, slope = x.new_tensor([1.0, 2.0, 1.0]), x.new_tensor([-1.0, 0.0, 1.0])
    across = F.conv2d(x, torch.outer(smooth, slope)[None, None])
    down = F.conv2d(x, torch.outer(slope, smooth)[None, None])
    return across[:, 0], down[:, 0]


def sobel(grey: Tensor, blur: float) -> Tensor:
    """Return the strength of edges, each picture scaled so that its 97th percentile is white."""
    across, down = gradients(grey, blur)
    return scaled(torch.hypot(across, down), 0.97)


def scaled(strength: Tensor, percentile: float) -> Tensor:
    """Return ``strength`` as uint8, each picture scaled so that this percentile is white."""
    top = strength.flatten(1).quantile(percentile, dim=1).clamp(min=1.0)
    return (255 * strength / top[:, None, None]).clamp(max=255).to(torch.uint8)


def canny(grey: Tensor, blur: float, low: float, high: float) -> Tensor:
    """Return thin edges, 0 or 255: above ``high``, or above ``low`` and connected to such.

    As OpenCV's ``Canny``: strength is |gx| + |gy|, thinned along the gradient's nearest of four
    directions. Source: Canny 1986.
    """
    across, down = gradients(grey, blur)
    strength = across.abs() + down.abs()
    thin = strength * _is_ridge(across, down, strength)
    weak = thin > low
    strong = thin > high
    while True:  # strong edges grow along weak ones until nothing changes
        before = strong
        for _ in range(SWEEPS):
            strong = F.max_pool2d(strong[:, None].float(), 3, stride=1, padding=1)[:, 0] > 0
            strong &= weak
        if torch.equal(before, strong):
            return strong.to(torch.uint8) * 255


def _is_ridge(across: Tensor, down: Tensor, strength: Tensor) -> Tensor:
    """Return where ``strength`` is largest among the two neighbours along the gradient."""
    padded = F.pad(strength[:, None], (1,) * 4)[:, 0]
    height, width = strength.shape[1:]

    def neighbour(dy: int, dx: int) -> Tensor:
        return padded[:, 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    horizontal = down.abs() <= math.tan(RING) * across.abs()
    vertical = down.abs() >= math.tan(3 * RING) * across.abs()
    falling = ~horizontal & ~vertical & (across * down > 0)
    rising = ~horizontal & ~vertical & ~falling
    ridge = torch.zeros_like(horizontal)
    for where, (dy, dx) in (
        (horizontal, (0, 1)),
        (vertical, (1, 0)),
        (falling, (1, 1)),
        (rising, (1, -1)),
    ):
        # One side strictly, so that of two equal neighbours one stays, as in OpenCV.
        ridge |= where & (strength > neighbour(-dy, -dx)) & (strength >= neighbour(dy, dx))
    return ridge
