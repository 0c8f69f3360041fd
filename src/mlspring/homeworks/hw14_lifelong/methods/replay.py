"""Replay buffer and experience replay; joint training, the upper bound.

The buffer has room for ``method.memory`` images in all; every group (a task, in iCaRL a class of a
task) has an equal part of it, the images worth most first, so that making room is cutting its end.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, StateTensors
from mlspring.homeworks.hw14_lifelong.models import NUM_PIXELS, Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import MethodKnobs
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from mlspring.kit.seeding import generator

EMPTY = -1


def new_buffer(model: Perceptron, knobs: MethodKnobs) -> StateTensors:
    """Return an empty buffer: uint8 images (M, 784), labels, tasks and groups int64 (M,)."""
    device = next(model.parameters()).device
    empty = torch.full((knobs.memory,), EMPTY, device=device)
    images = torch.zeros(knobs.memory, NUM_PIXELS, dtype=torch.uint8, device=device)
    return {"images": [images]} | {n: [empty.clone()] for n in ("labels", "tasks", "groups")}


def fill(learner: Learner, stage: int, groups: Sequence[Tensor]) -> None:
    """Put images of the task that ended into the buffer, and shorten the old groups.

    ``groups`` are positions in the task's training part, in each group those worth most first.
    """
    state, task = learner.state, learner.stream.tasks[stage]
    known = state["groups"][0]
    old = [(known == group).nonzero().squeeze(1) for group in known.unique() if group != EMPTY]
    quota = len(known) // (len(old) + len(groups))
    kept = torch.cat([known.new_empty(0), *(positions[:quota] for positions in old)])
    chosen = [group[:quota].to(known.device) for group in groups]
    rows = torch.cat(chosen)
    state.num_replayable = len(kept) + len(rows)
    for name, new in (
        ("images", task.pixels[rows]),
        ("labels", task.labels[rows]),
        ("tasks", torch.full_like(rows, stage)),
        ("groups", torch.cat([torch.full_like(g, len(old) + i) for i, g in enumerate(chosen)])),
    ):
        target = state[name][0]
        joined = torch.cat((target[kept], new))
        target.fill_(0 if name == "images" else EMPTY)
        target[: len(joined)] = joined


def keep_random_sample(learner: Learner, stage: int, step: int) -> None:
    """Keep a random sample of the task."""
    count, draws = len(learner.stream.tasks[stage].labels), generator(learner.seed, "memory", stage)
    fill(learner, stage, [torch.randperm(count, generator=draws)])


def replay_from_buffer(learner: Learner, stage: int, step: int) -> Batch | None:
    """Return images drawn from the buffer, with replacement.

    Experience replay: the loss of the tasks seen, estimated by the new batch and a batch of the
    buffer. Source: Chaudhry et al. 2019 (arXiv:1902.10486); the weights 1/k and 1 - 1/k are those
    of van de Ven & Tolias 2019 (arXiv:1904.07734).
    """
    if stage == 0:
        return None
    state = learner.state
    if state.num_replayable is None:  # once a task: counting makes a GPU wait
        state.num_replayable = int((state["groups"][0] != EMPTY).sum())
    draws = generator(learner.seed, "recall", step)
    rows = torch.randint(state.num_replayable, (learner.knobs.replayed,), generator=draws)
    return buffer_batch(learner, stage, rows.to(learner.stream.device))


def buffer_batch(learner: Learner, stage: int, rows: Tensor) -> Batch:
    """Return the buffer's images in ``rows`` (n,) as a batch."""
    images, labels, tasks = (learner.state[n][0][rows] for n in ("images", "labels", "tasks"))
    return Batch(images=to_input(images), labels=labels, mask=learner.stream.masks[stage][tasks])


def replay_everything(learner: Learner, stage: int, step: int) -> Batch | None:
    """Return images drawn from the whole training parts of all earlier tasks.

    Multi-task training, the upper bound: nothing is forgotten since nothing is ever gone.
    """
    if stage == 0:
        return None
    draws, count = generator(learner.seed, "recall", step), learner.knobs.replayed
    numbers, order = torch.randint(stage, (count,), generator=draws).sort(stable=True)
    uniform = torch.rand(count, generator=draws, dtype=torch.float64)[order]
    old = learner.stream.tasks[:stage]
    rows = (uniform * torch.tensor([len(task.labels) for task in old])[numbers]).long()
    sizes = numbers.bincount(minlength=stage).tolist()
    rows, numbers = torch.stack((rows, numbers)).to(learner.stream.device)
    of_task = list(zip(old, rows.split(sizes), strict=True))
    return Batch(
        images=to_input(torch.cat([task.pixels[part] for task, part in of_task])),
        labels=torch.cat([task.labels[part] for task, part in of_task]),
        mask=learner.stream.masks[stage][numbers],
    )
