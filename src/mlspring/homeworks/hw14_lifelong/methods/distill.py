"""The old network as a teacher: learning without forgetting."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, task_loss, zeros
from mlspring.homeworks.hw14_lifelong.models import Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import MethodKnobs

TEMPERATURE = 2.0  # softens both networks' outputs


def new_teacher(model: Perceptron, knobs: MethodKnobs) -> Mapping[str, Sequence[Tensor]]:
    """Return room for the weights of the network as it was after the last task."""
    return {"teacher": zeros(model)}


@torch.no_grad()
def keep_teacher(learner: Learner, stage: int, step: int) -> None:
    """Keep the weights as they are, to teach the next task."""
    torch._foreach_copy_(learner.state["teacher"], learner.parameters)


def lwf_loss(learner: Learner, stage: int, new: Batch, old: Batch | None) -> Tensor:
    """Return L_new(x, y) + lambda * L_old(x), where the old network's outputs on x are the target.

    L_old is the cross entropy between both networks' answers over the old outputs, softened by the
    temperature; no old image is kept. Source: Li & Hoiem 2016 (arXiv:1606.09282), eqs. 2 to 4.
    """
    loss = task_loss(learner, stage, new, old)
    if stage == 0 or not learner.strength:
        return loss
    return loss + learner.strength * distillation(learner, stage, new)


def distillation(learner: Learner, stage: int, batch: Batch) -> Tensor:
    """Return the mean cross entropy from the old network's softened answers to the new one's.

    Where several sets of outputs competed in old tasks (scenario task), the mean over the sets; 0
    where this process has no image of the batch.
    """
    if not len(batch.labels):
        return batch.logits.sum()
    with torch.no_grad():
        targets = teacher_logits(learner, batch.images) / TEMPERATURE
    logits = batch.logits / TEMPERATURE
    losses = []
    for outputs in learner.stream.old_outputs(stage):
        log_p = logits.index_select(1, outputs).log_softmax(1)
        p_old = targets.index_select(1, outputs).softmax(1)
        losses.append(-(p_old * log_p).sum(1).mean())
    return torch.stack(losses).mean() * batch.scale


def teacher_logits(learner: Learner, images: Tensor) -> Tensor:
    """Return the old network's logits (n, 10)."""
    names = (name for name, _ in learner.model.named_parameters())
    weights = dict(zip(names, learner.state["teacher"], strict=True))
    logits: Tensor = torch.func.functional_call(learner.model, weights, (images,))
    return logits
