"""The old network as a teacher: learning without forgetting (LwF), and iCaRL.

iCaRL also keeps exemplars, chosen by herding, and answers with the nearest mean. Its source is
Rebuffi et al. 2017 (arXiv:1611.07725), whose algorithms are cited by number.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.data import NUM_CLASSES
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, task_loss
from mlspring.homeworks.hw14_lifelong.methods.replay import EMPTY, fill
from mlspring.homeworks.hw14_lifelong.tasks import to_input

TEMPERATURE = 2.0  # softens both networks' outputs
CHUNK = 4096  # images of one pass


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
    for outputs in learner.stream.old_outputs[stage]:
        log_p = logits.index_select(1, outputs).log_softmax(1)
        p_old = targets.index_select(1, outputs).softmax(1)
        losses.append(-(p_old * log_p).sum(1).mean())
    return torch.stack(losses).mean() * batch.scale


def teacher_logits(learner: Learner, images: Tensor) -> Tensor:
    """Return the old network's logits (n, 10)."""
    names = (name for name, _ in learner.model.named_parameters())
    weights = dict(zip(names, learner.state["teacher"], strict=True))
    return torch.func.functional_call(learner.model, weights, (images,))


def icarl_loss(learner: Learner, stage: int, new: Batch, old: Batch | None) -> Tensor:
    """Return the loss on new and kept images, and distillation of the old outputs on both.

    Algorithm 3; its sigmoids are softmaxes here, so that all methods share one classification loss.
    """
    loss = task_loss(learner, stage, new, old)
    if old is None or not learner.strength:
        return loss
    weight = 1 / (stage + 1)
    distilled = weight * distillation(learner, stage, new)
    return loss + learner.strength * (distilled + (1 - weight) * distillation(learner, stage, old))


def keep_exemplars(learner: Learner, stage: int, step: int) -> None:
    """Choose exemplars by herding, each class of the task a group, and keep the network.

    The k-th exemplar brings the mean of the first k features nearest to the mean of the class
    (algorithm 4).
    """
    task = learner.stream.tasks[stage]
    features = _features(learner, task.pixels)
    groups = []
    for label in task.classes:
        rows = (task.labels == label).nonzero().squeeze(1)
        if len(rows):
            groups.append(rows[herd(features[rows], min(len(rows), learner.knobs.memory))])
    fill(learner, stage, groups)
    keep_teacher(learner, stage, step)


@torch.no_grad()
def herd(features: Tensor, count: int) -> Tensor:
    """Return positions of ``count`` rows of ``features`` (n, f), each chosen once, best first."""
    mean, total = features.mean(0), torch.zeros_like(features[0])
    free = torch.zeros(len(features), device=features.device)  # infinite once chosen
    along = 2 * features @ mean
    chosen = []
    for number in range(1, count + 1):
        # ||mean - (total + f) / k||^2 without what is the same for every f
        distance = (2 * total + features).mul_(features).sum(1) / number - along
        best = (distance + free).argmin(0, keepdim=True)  # stays on the device: nothing waits
        free.index_fill_(0, best, torch.inf)
        total += features.index_select(0, best)[0]
        chosen.append(best)
    return torch.cat(chosen)


def by_nearest_mean(learner: Learner, stage: int) -> Callable[[Tensor], Tensor]:
    """Return what classifies: minus the distance to the nearest mean of each digit, (n, 10).

    The means of an old class are of its exemplars, those of the task being learnt of its images.
    Where old tasks have the same digits (scenario domain) a digit has a mean for every task
    (algorithm 1).
    """
    means, labels = class_means(learner, stage)

    def scores(images: Tensor) -> Tensor:
        distances = torch.cdist(F.normalize(learner.model.features(images)), means)
        worst = torch.full((len(images), NUM_CLASSES), -torch.inf, device=images.device)
        return worst.scatter_reduce(1, labels.expand(len(images), -1), -distances, "amax")

    return scores


def class_means(learner: Learner, stage: int) -> tuple[Tensor, Tensor]:
    """Return the mean feature of every group (g, f), and its digit (g,)."""
    state, task = learner.state, learner.stream.tasks[stage]
    means, labels = [], []
    for group in state["groups"][0].unique():
        rows = (state["groups"][0] == group).nonzero().squeeze(1)
        # when a task has ended its exemplars are kept already, but all its images are at hand
        if group != EMPTY and state["tasks"][0][rows[0]] < stage:
            means.append(_features(learner, state["images"][0][rows]).mean(0))
            labels.append(int(state["labels"][0][rows[0]]))
    features = _features(learner, task.pixels[:CHUNK])
    for label in task.classes:
        rows = task.labels[:CHUNK] == label
        if bool(rows.any()):
            means.append(features[rows].mean(0))
            labels.append(label)
    return F.normalize(torch.stack(means)), torch.tensor(labels, device=task.labels.device)


@torch.no_grad()
def _features(learner: Learner, pixels: Tensor) -> Tensor:
    """Return features (n, f) of length 1 of uint8 pixels (n, 784)."""
    parts = [learner.model.features(to_input(part)) for part in pixels.split(CHUNK)]
    return F.normalize(torch.cat(parts))
