"""What an attack is made of: where the loss rises, seen how, and what keeps it within its budget.

Pictures are floats from 0 to 255, (N, 3, S, S); N of them are attacked at once, and what becomes of
one never depends on the others: losses are summed, norms taken and draws made picture by picture.
The rule itself, gradient, momentum, sign, step, projection, is the loop in ``train.py``.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw10_attack.recipe import AttackKnobs

GREY = 127.5  # what surrounds a picture that was made smaller: zero after normalisation
CHUNK = 50  # pictures at once through all networks; no result depends on it


@dataclass(frozen=True, kw_only=True)
class Views:
    """The random choices of one step for N pictures; None where the recipe has that off.

    Args:
        sizes: side to which each picture is resized, int64 (N,); its own side: unchanged.
        places: rows above and columns left of it in its view, int64 (N, 2); below zero: cut off.
        partners: pictures of another class, mixed into these, (N, 3, S, S).
    """

    sizes: Tensor | None = None
    places: Tensor | None = None
    partners: Tensor | None = None

    def __getitem__(self, part: slice) -> "Views":
        """Return the choices for a part of the pictures."""
        values = (self.sizes, self.places, self.partners)
        sizes, places, partners = (None if v is None else v[part] for v in values)
        return Views(sizes=sizes, places=places, partners=partners)


def draw_views(knobs: AttackKnobs, benign: Tensor, labels: Tensor, generator: Generator) -> Views:
    """Return a step's choices for all pictures, on the device of ``benign`` (N, 3, S, S)."""
    num, side = len(benign), benign.shape[-1]
    sizes = places = partners = None
    if knobs.diversity:
        smallest, largest = math.ceil(knobs.smallest * side), math.floor(knobs.largest * side)
        sizes = torch.randint(smallest, largest + 1, (num,), generator=generator)
        changed = torch.rand(num, generator=generator) < knobs.diversity
        sizes = torch.where(changed, sizes, side)
        room = (side - sizes)[:, None]  # grey around it; below zero: what is outside of the view
        places = (torch.rand(num, 2, generator=generator) * (room.abs() + 1)).long() * room.sign()
        sizes, places = sizes.to(benign.device), places.to(benign.device)
    if knobs.admix:
        partners = benign[draw_partners(labels.cpu(), generator).to(benign.device)]
    return Views(sizes=sizes, places=places, partners=partners)


def draw_partners(labels: Tensor, generator: Generator) -> Tensor:
    """Return, for each of N pictures, the row of one of another class: int64 (N,).

    Of one class alone there is no other: then any picture.
    """
    others = (labels[:, None] != labels).float()
    others += (others.sum(1, keepdim=True) == 0).float()
    return torch.multinomial(others, 1, generator=generator)[:, 0]


def look(pictures: Tensor, views: Views, knobs: AttackKnobs) -> Iterator[Tensor]:
    """Yield the pictures as the networks see them in one step, (N, 3, S, S) each.

    Admix adds a share of another picture (arXiv:2102.00436), scale invariance halves the brightness
    from copy to copy (arXiv:1908.06281), input diversity resizes and moves (arXiv:1803.06978).
    """
    if views.partners is not None:
        pictures = pictures + knobs.admix * views.partners
    for copy in range(knobs.scales):
        seen = pictures / 2**copy
        if views.sizes is not None and views.places is not None:
            seen = resize(seen, views.sizes, views.places)
        yield seen


def resize(pictures: Tensor, sizes: Tensor, places: Tensor) -> Tensor:
    """Return pictures (N, 3, S, S), each resized to its own size at its own place.

    Around a smaller one is grey, of a larger one the view shows a part: the networks' input keeps
    its side, where the paper's grows. Bilinear and without antialiasing, as in the paper; sizes and
    places as in ``Views``.
    """
    side = pictures.shape[-1]
    at = torch.arange(side, device=pictures.device)
    maps, inside = [], []
    for axis in (0, 1):
        source = (at + 0.5 - places[:, axis, None]) * (side / sizes)[:, None] - 0.5  # (N, S)
        inside.append((source > -0.5) & (source < side - 0.5))
        away = (source.clamp(0, side - 1)[..., None] - at).abs()
        maps.append((1 - away).clamp_min(0))  # (N, S, S): weights of the source's rows or columns
    with torch.autocast(pictures.device.type, enabled=False):  # pixels need more than 8 bits
        # Two products in place of grid_sample, whose gradient differs from run to run on a GPU.
        made = maps[0][:, None] @ pictures @ maps[1][:, None].mT
    return torch.where(inside[0][:, None, :, None] & inside[1][:, None, None, :], made, GREY)


# ---- the loss and its gradient


def ensemble_losses(logits: Sequence[Tensor], labels: Tensor, combine: str) -> Tensor:
    """Return the loss of each picture under several networks together: (N,), nats.

    Args:
        logits: of each network, (N, num_classes).
        labels: int64 (N,).
        combine: ``losses``: the mean of their cross-entropies; ``logits``: the cross-entropy of
            their mean logits, as in the course's sample; ``probabilities``: minus the logarithm of
            their mean probability (three ways of arXiv:1611.02770 and arXiv:1710.06081).
    """
    every = torch.stack(list(logits)).float()  # (K, N, num_classes)
    if combine == "logits":
        return F.cross_entropy(every.mean(0), labels, reduction="none")
    wanted = labels.expand(len(every), -1)[..., None]
    log_p = every.log_softmax(-1).gather(-1, wanted)[..., 0]  # (K, N)
    if combine == "probabilities":
        return math.log(len(every)) - log_p.logsumexp(0)
    return -log_p.mean(0)


def input_gradient(
    networks: Sequence[nn.Module],
    pictures: Tensor,
    labels: Tensor,
    views: Views,
    knobs: AttackKnobs,
    chunk: int = CHUNK,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradient of each picture's loss with respect to itself, loss and right answers.

    Only the pictures have gradients: the networks are frozen, and nothing adds up in their weights.

    Shape:
        gradient (N, 3, S, S); losses (N,), the mean over the copies that the networks saw; hits
        (N,), the share of networks and copies that was right.
    """
    gradients: list[Tensor] = []
    losses, hits = [], []
    for start in range(0, len(pictures), chunk):
        part = slice(start, start + chunk)
        leaf, wanted = pictures[part].detach().requires_grad_(), labels[part]
        of_copies, right = [], []
        for seen in look(leaf, views[part], knobs):
            logits = [network(seen) for network in networks]
            of_copies.append(ensemble_losses(logits, wanted, knobs.combine))
            right += [(one.argmax(1) == wanted).float() for one in logits]
        loss = torch.stack(of_copies).mean(0)
        gradients += torch.autograd.grad(loss.sum(), leaf)
        losses.append(loss.detach())
        hits.append(torch.stack(right).mean(0))
    return torch.cat(gradients), torch.cat(losses), torch.cat(hits)


def smooth(gradient: Tensor, side: int) -> Tensor:
    """Return the gradient blurred by a Gaussian of ``side`` pixels: translation invariance.

    The same as the mean gradient over shifted pictures, arXiv:1904.02884; 1 leaves it as it is.
    """
    if side == 1:
        return gradient
    at = torch.linspace(-3, 3, side, device=gradient.device, dtype=gradient.dtype)
    line = torch.exp(-(at**2) / 2)
    line = line / line.sum()
    kernel = torch.outer(line, line).expand(gradient.shape[1], 1, side, side)
    return F.conv2d(gradient, kernel, padding=side // 2, groups=gradient.shape[1])


def normalised(gradient: Tensor) -> Tensor:
    """Return each picture's gradient divided by its own mean absolute value.

    It is the L1 norm of arXiv:1710.06081 over the number of pixels; of zero zero comes.
    """
    sizes = gradient.abs().mean(dim=(1, 2, 3), keepdim=True)
    return gradient / sizes.clamp_min(torch.finfo(gradient.dtype).tiny)


# ---- the budget


def project(pictures: Tensor, benign: Tensor, epsilon: float) -> Tensor:
    """Return the nearest pictures within ``epsilon`` of ``benign`` and within 0 .. 255."""
    low, high = (benign - epsilon).clamp_min(0), (benign + epsilon).clamp_max(255)
    return torch.minimum(torch.maximum(pictures, low), high)


def to_integers(pictures: Tensor, benign: Tensor, epsilon: float) -> Tensor:
    """Return the pictures as they are saved, uint8 (N, 3, S, S), still within the budget.

    ``benign`` are whole numbers; an ``epsilon`` that is none allows its whole part.
    """
    return project(pictures.round(), benign, math.floor(epsilon)).to(torch.uint8)


def largest_change(pictures: Tensor, benign: Tensor) -> Tensor:
    """Return the largest difference of each uint8 picture from its benign self: int16 (N,)."""
    return (pictures.short() - benign.short()).abs().flatten(1).amax(1)
