"""What a student can learn from a teacher, as losses.

Shapes: n pictures, k classes; logits are (n, k), maps are (n, c, h, w), embeddings are (n, d).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw13_compression.models import embed
from mlspring.homeworks.hw13_compression.recipe import DistillKnobs

Answer = tuple[Tensor, list[Tensor]]  # logits (n, k) and maps, finest first


def lessons(distill: DistillKnobs, student: Answer, teacher: Answer) -> Tensor:
    """Return what is learnt from the teacher: weighted losses of logits, relations, attention."""
    (logits, maps), (teacher_logits, teacher_maps) = student, teacher
    loss = logits.new_zeros(())
    if distill.weight:
        soft = soft_label_loss(logits, teacher_logits, distill.temperature)
        loss = loss + distill.weight * soft
    if distill.relations:
        relations = (embed(m).float() for m in (maps, teacher_maps))
        loss = loss + distill.relations * relation_loss(*relations)
    if distill.attention:
        attention = ([x.float() for x in m] for m in (maps, teacher_maps))
        loss = loss + distill.attention * attention_loss(*attention)
    return loss


def soft_label_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return T^2 KL(teacher_T || student_T), the mean over the pictures of logits (n, k).

    The divergence runs from the teacher's distribution to the student's, and is a sum over the
    classes (torch's reduction ``batchmean``, not ``mean``). Gradients of the soft labels shrink by
    about T^2, which the factor undoes, so that T can change without a new weight. Source: Hinton et
    al. 2015, arXiv:1503.02531.
    """
    divergence = F.kl_div(
        F.log_softmax(student / temperature, dim=1),
        F.log_softmax(teacher / temperature, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return temperature**2 * divergence


def relation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return how differently two embeddings (n, d) of one batch place its pictures.

    Distances between pictures, each divided by their mean, and angles between triples, compared by
    the Huber loss and weighted 1 to 2. The widths d may differ. Source: Park et al. 2019,
    arXiv:1904.05068 (RKD).
    """
    distances = F.smooth_l1_loss(_distances(student), _distances(teacher))
    return distances + 2 * F.smooth_l1_loss(_angles(student), _angles(teacher))


def attention_loss(student: list[Tensor], teacher: list[Tensor]) -> Tensor:
    """Return how differently two networks spread their activity over the picture.

    A map's attention is its mean square over the channels, as a vector of length one; maps of equal
    sides are compared, whatever their channels. Source: Zagoruyko & Komodakis 2017,
    arXiv:1612.03928 (AT).
    """
    by_side = {tuple(m.shape[2:]): m for m in teacher}
    pairs = [(m, by_side[tuple(m.shape[2:])]) for m in student if tuple(m.shape[2:]) in by_side]
    losses = [(_attention(a) - _attention(b)).square().sum(1).mean() for a, b in pairs]
    return torch.stack(losses).sum()


def _attention(maps: Tensor) -> Tensor:
    return F.normalize(maps.square().mean(1).flatten(1), dim=1)  # (n, h w)


def _distances(embedding: Tensor) -> Tensor:
    """Return the distances (n, n) over their mean; that of a picture to itself is zero."""
    squares = (embedding[:, None] - embedding[None]).square().sum(2)
    distances = squares.clamp(min=1e-12).sqrt() * (1 - torch.eye(len(embedding)).to(embedding))
    others = len(embedding) * (len(embedding) - 1)
    return distances / (distances.sum() / max(others, 1)).clamp(min=1e-12)


def _angles(embedding: Tensor) -> Tensor:
    """Return the cosines (n, n, n) of the angles at each picture between any two others."""
    rays = F.normalize(embedding[None] - embedding[:, None], dim=2)  # (n, n, d)
    return rays @ rays.transpose(1, 2)
