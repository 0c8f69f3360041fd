"""Methods that recall images of old tasks: experience replay, iCaRL, and the upper bound.

The memory has room for ``method.memory`` images in all; every group (a task, in iCaRL a class of a
task) has an equal share of it, in an order of preference, so that making room is cutting its end.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.methods.distill import distillation, keep_teacher
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, plain_loss, zeros
from mlspring.homeworks.hw14_lifelong.models import NUM_CLASSES, NUM_PIXELS, Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from mlspring.kit.seeding import generator

EMPTY = -1
CHUNK = 4096


def memory_notes(model: Perceptron, recipe: Recipe, num_tasks: int) -> dict[str, Sequence[Tensor]]:
    """Return an empty memory: uint8 images (M, 784), labels, tasks and groups int64 (M,)."""
    size, place = recipe.method.memory, next(model.parameters()).device
    words = {
        name: [torch.full((size,), EMPTY, device=place)] for name in ("labels", "tasks", "groups")
    }
    images = torch.zeros(size, NUM_PIXELS, dtype=torch.uint8, device=place)
    return {"images": [images], **words}


def icarl_notes(model: Perceptron, recipe: Recipe, num_tasks: int) -> dict[str, Sequence[Tensor]]:
    """Return an empty memory and room for the old network."""
    return {**memory_notes(model, recipe, num_tasks), "teacher": zeros(model)}


def fill(learner: Learner, stage: int, groups: Sequence[Tensor]) -> None:
    """Put the images of the task that ended into the memory, and shorten the old groups.

    Args:
        learner: whose memory.
        stage: the task that ended.
        groups: positions in the task's training part, each group in its order of preference.
    """
    notes, task = learner.notes, learner.stream.tasks[stage]
    known = notes["groups"][0]
    old = [int(g) for g in known.unique() if g != EMPTY]
    quota = len(known) // (len(old) + len(groups))
    kept = [(known == group).nonzero().squeeze(1)[:quota] for group in old]
    positions = torch.cat(kept) if kept else known.new_empty(0)
    chosen = [group[:quota].to(known.device) for group in groups]
    rows = torch.cat(chosen)
    first = max(old, default=EMPTY) + 1
    numbers = [torch.full_like(group, first + i) for i, group in enumerate(chosen)]
    count = len(positions) + len(rows)
    for name, new in (
        ("images", task.pixels[rows]),
        ("labels", task.labels[rows]),
        ("tasks", torch.full_like(rows, stage)),
        ("groups", torch.cat(numbers)),
    ):
        target = notes[name][0]
        joined = torch.cat((target[positions], new))
        target.fill_(0 if name == "images" else EMPTY)
        target[:count] = joined


def remember_some(learner: Learner, stage: int, step: int) -> None:
    """Keep a random sample of the task."""
    count = len(learner.stream.tasks[stage].labels)
    fill(
        learner,
        stage,
        [torch.randperm(count, generator=generator(learner.seed, "memory", stage))],
    )


def recall_memory(learner: Learner, stage: int, step: int) -> Batch | None:
    """Return images drawn from the memory, with replacement.

    Experience replay: the loss of the tasks seen, estimated by the new batch and a batch of the
    memory. Source: Chaudhry et al. 2019 (arXiv:1902.10486); the weights 1/k and 1 - 1/k are those
    of van de Ven & Tolias 2019 (arXiv:1904.07734).
    """
    if stage == 0:
        return None
    notes = learner.notes
    filled = int((notes["groups"][0] != EMPTY).sum())
    draws = generator(learner.seed, "recall", step)
    rows = torch.randint(filled, (learner.recipe.method.recalled,), generator=draws)
    rows = rows.to(learner.stream.device)
    return batch_of(learner, stage, *(notes[n][0][rows] for n in ("images", "labels", "tasks")))


def recall_everything(learner: Learner, stage: int, step: int) -> Batch | None:
    """Return images drawn from the whole training parts of all earlier tasks.

    Multi-task training, the upper bound: nothing is forgotten since nothing is ever gone.
    """
    if stage == 0:
        return None
    draws = generator(learner.seed, "recall", step)
    count = learner.recipe.method.recalled
    tasks = torch.randint(stage, (count,), generator=draws)
    luck = torch.rand(count, generator=draws, dtype=torch.float64)
    images, labels, numbers = [], [], []
    for number in range(stage):
        task = learner.stream.tasks[number]
        rows = (luck[tasks == number] * len(task.labels)).long().to(task.labels.device)
        images.append(task.pixels[rows])
        labels.append(task.labels[rows])
        numbers.append(torch.full_like(rows, number))
    return batch_of(learner, stage, torch.cat(images), torch.cat(labels), torch.cat(numbers))


def batch_of(learner: Learner, stage: int, pixels: Tensor, labels: Tensor, tasks: Tensor) -> Batch:
    """Return images of old tasks as a batch: uint8 pixels (n, 784), labels and tasks (n,)."""
    return Batch(images=to_input(pixels), labels=labels, mask=learner.stream.mask(stage)[tasks])


def icarl_loss(learner: Learner, stage: int, new: Batch, old: Batch | None) -> Tensor:
    """Return the loss on new and kept images, and distillation of the old outputs on both.

    Source: Rebuffi et al. 2017 (arXiv:1611.07725), algorithm 3; its sigmoids are softmaxes here,
    so that all methods share one classification loss.
    """
    loss = plain_loss(learner, stage, new, old)
    if old is None or not learner.strength:
        return loss
    share = 1 / (stage + 1)
    taught = share * distillation(learner, stage, new)
    return loss + learner.strength * (taught + (1 - share) * distillation(learner, stage, old))


def conclude_icarl(learner: Learner, stage: int, step: int) -> None:
    """Choose exemplars by herding, each class of the task a group, and keep the network.

    The k-th exemplar brings the mean of the first k features nearest to the mean of the class.
    Source: Rebuffi et al. 2017 (arXiv:1611.07725), algorithm 4.
    """
    task = learner.stream.tasks[stage]
    features = _features(learner, task.pixels)
    groups = []
    for label in task.classes:
        rows = (task.labels == label).nonzero().squeeze(1)
        if len(rows):
            most = min(len(rows), learner.recipe.method.memory)
            groups.append(rows[herd(features[rows], most)])
    fill(learner, stage, groups)
    keep_teacher(learner, stage, step)


@torch.no_grad()
def herd(features: Tensor, count: int) -> Tensor:
    """Return positions of ``count`` rows of ``features`` (n, f), each chosen once, best first."""
    mean, total = features.mean(0), torch.zeros_like(features[0])
    free = torch.zeros(len(features), device=features.device)
    chosen = []
    for number in range(1, count + 1):
        # ||mean - (total + f) / k||^2 without what is the same for every f
        distance = (2 * total + features).mul_(features).sum(1) / number - 2 * features @ mean
        best = int((distance + free).argmin())
        free[best] = torch.inf
        total += features[best]
        chosen.append(best)
    return torch.tensor(chosen, device=features.device)


def by_nearest_mean(learner: Learner, stage: int) -> Callable[[Tensor], Tensor]:
    """Return what answers: minus the distance to the nearest mean of each digit, (n, 10).

    The means of an old class are of its exemplars, those of the task being learnt of its images.
    Where old tasks have the same digits (scenario domain) a digit has a mean for every task.
    Source: Rebuffi et al. 2017 (arXiv:1611.07725), algorithm 1.
    """
    means, labels = class_means(learner, stage)

    def answer(images: Tensor) -> Tensor:
        distances = torch.cdist(_unit_features(learner, images), means)
        scores = torch.full((len(images), NUM_CLASSES), -torch.inf, device=images.device)
        index = labels.expand(len(images), -1)
        return scores.scatter_reduce(1, index, -distances, "amax")

    return answer


def class_means(learner: Learner, stage: int) -> tuple[Tensor, Tensor]:
    """Return the mean feature of every group (g, f), and its digit (g,)."""
    notes, task = learner.notes, learner.stream.tasks[stage]
    parts, labels = [], []
    for group in notes["groups"][0].unique():
        rows = (notes["groups"][0] == group).nonzero().squeeze(1)
        if group != EMPTY and notes["tasks"][0][rows[0]] < stage:
            parts.append(_features(learner, notes["images"][0][rows]).mean(0))
            labels.append(int(notes["labels"][0][rows[0]]))
    features = _features(learner, task.pixels[:CHUNK])
    for label in task.classes:
        rows = task.labels[:CHUNK] == label
        if bool(rows.any()):
            parts.append(features[rows].mean(0))
            labels.append(label)
    return F.normalize(torch.stack(parts)), torch.tensor(labels, device=task.labels.device)


def _features(learner: Learner, pixels: Tensor) -> Tensor:
    """Return features (n, f) of length 1 of uint8 pixels (n, 784)."""
    with torch.no_grad():
        parts = [_unit_features(learner, to_input(part)) for part in pixels.split(CHUNK)]
    return torch.cat(parts)


def _unit_features(learner: Learner, images: Tensor) -> Tensor:
    return F.normalize(learner.model.features(images))
