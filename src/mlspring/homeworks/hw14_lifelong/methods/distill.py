"""The old network as a teacher: learning without forgetting."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, plain_loss, zeros
from mlspring.homeworks.hw14_lifelong.models import Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import Recipe


def teacher_notes(model: Perceptron, recipe: Recipe, num_tasks: int) -> dict[str, Sequence[Tensor]]:
    """Return room for the weights of the network as it was after the last task."""
    return {"teacher": zeros(model)}


@torch.no_grad()
def keep_teacher(learner: Learner, stage: int, step: int) -> None:
    """Keep the weights as they are, to teach the next task."""
    torch._foreach_copy_(learner.notes["teacher"], learner.parameters)


def lwf_loss(learner: Learner, stage: int, new: Batch, old: Batch | None) -> Tensor:
    """Return L_new(x, y) + lambda * L_old(x), where the old network's outputs on x are the target.

    L_old is the cross entropy between both networks' answers over the old outputs, softened by the
    temperature; no old image is kept. Source: Li & Hoiem 2016 (arXiv:1606.09282), eqs. 2 to 4.
    """
    loss = plain_loss(learner, stage, new, old)
    if stage == 0 or not learner.strength:
        return loss
    return loss + learner.strength * distillation(learner, stage, new)


def distillation(learner: Learner, stage: int, batch: Batch) -> Tensor:
    """Return the mean cross entropy from the old network's softened answers to the new one's.

    Where several sets of outputs competed in old tasks (scenario task), the mean over the sets; 0
    where this process has no image of the batch.
    """
    if batch.logits is None:
        raise ValueError("the batch has no logits yet")
    if not len(batch.labels):
        return batch.logits.sum()
    temperature = learner.recipe.method.temperature
    with torch.no_grad():
        taught = teach(learner, batch.images) / temperature
    asked = batch.logits / temperature
    groups = learner.stream.old_groups(stage)
    losses = []
    for group in groups:
        chosen = list(group)
        log_p = asked[:, chosen].log_softmax(1)
        losses.append(-(taught[:, chosen].softmax(1) * log_p).sum(1).mean())
    return torch.stack(losses).mean() * batch.scale


def teach(learner: Learner, images: Tensor) -> Tensor:
    """Return the old network's logits (n, 10)."""
    names = (name for name, _ in learner.model.named_parameters())
    weights = dict(zip(names, learner.notes["teacher"], strict=True))
    return torch.func.functional_call(learner.model, weights, (images,))
