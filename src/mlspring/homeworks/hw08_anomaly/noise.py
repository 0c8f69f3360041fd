"""Pictures spoilt on purpose: a box of a normal face shows something else.

Nobody has anomalies to learn from. These are made of the training itself: from another face, from
another place, without its details; or, to validate, turned. Source: the idea of CutPaste (Li et al.
2021, arXiv:2104.04015).
"""

import torch
from torch import Generator, Tensor

from mlspring.homeworks.hw08_anomaly.recipe import NoiseKnobs

# What a box may show. Training has the first three, so that no network has seen what validates it.
OTHER, MOVED, PALE, TURNED = range(4)
TO_LEARN, TO_VALIDATE = (OTHER, MOVED, PALE), (TURNED,)
SMALLEST = 0.1  # side of a box, share of the picture
PALENESS = 0.7  # weight of the box's mean colour in a pale box
VISIBLE = 0.08  # mean change of the colours, of a range of 2, from which a pixel counts as spoilt


def spoil(
    images: Tensor, knobs: NoiseKnobs, generator: Generator, kinds: tuple[int, ...] = TO_LEARN
) -> tuple[Tensor, Tensor]:
    """Return pictures some of which are spoilt, (n, 3, s, s), and where, 0 or 1, (n, s, s).

    Args:
        images: (n, 3, s, s), values -1 .. 1; a box from another face comes from the next of them.
        knobs: how often, and how large the boxes are.
        generator: fixes every choice; of the CPU, whatever the device of the pictures.
        kinds: what the boxes show, each as often.
    """
    n, _, side, _ = images.shape
    if not knobs.share:
        return images, images.new_zeros(n, side, side)
    draws = torch.rand(8, n, generator=generator)
    chosen = torch.tensor(kinds)[(draws[0] * len(kinds)).long()]
    sides = ((SMALLEST + draws[1:3] * (knobs.largest - SMALLEST)).clamp(min=0) * side).ceil()
    starts = (draws[3:5] * (side - sides + 1)).floor()
    moves = (side / 8 + draws[5:7] * (side * 3 / 4)).floor()  # of a picture that wraps around
    is_spoilt = (draws[7] < knobs.share).to(images.device)
    sides, starts, moves, chosen = (
        t.to(images.device) for t in (sides.long(), starts.long(), moves.long(), chosen)
    )
    places = torch.arange(side, device=images.device).expand(n, side)
    inside, sources = [], []
    for start, length, move in zip(starts, sides, moves, strict=True):
        first, end = start[:, None], (start + length)[:, None]
        inside.append((places >= first) & (places < end))
        turned = (first + end - 1 - places).clamp(0, side - 1)
        moved = (places + move[:, None]) % side
        source = torch.where((chosen == TURNED)[:, None], turned, places)
        sources.append(torch.where((chosen == MOVED)[:, None], moved, source))
    box = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]  # (n, 1, s, s)
    faces = (torch.arange(n, device=images.device) + (chosen == OTHER)) % n
    shown = images[faces[:, None, None], :, sources[0][:, :, None], sources[1][:, None, :]].permute(
        0, 3, 1, 2
    )  # (n, 3, s, s)
    mean = (images * box).sum((2, 3), keepdim=True) / box.sum((2, 3), keepdim=True)
    pale = PALENESS * mean + (1 - PALENESS) * images
    shown = torch.where((chosen == PALE)[:, None, None, None], pale, shown)
    spoilt = torch.where(box & is_spoilt[:, None, None, None], shown, images)
    return spoilt, ((spoilt - images).abs().mean(1) > VISIBLE).float()
