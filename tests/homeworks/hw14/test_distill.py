"""LwF: the old network as a teacher."""

import pytest
import torch
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.methods import METHODS, distill
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from tests.tiny.digits import learner


def test_a_network_is_its_own_perfect_teacher() -> None:
    made = learner("lwf")
    distill.keep_teacher(made, 0, 1)
    images = to_input(made.stream.tasks[1].pixels[:30])
    batch = Batch(images=images, labels=made.stream.tasks[1].labels[:30], mask=torch.zeros(30, 10))
    loss = distill.distillation(made, 1, batch.with_logits(made.model(images)))
    for gradient in torch.autograd.grad(loss, made.parameters):
        assert gradient.abs().max() < 1e-6


def test_distillation_is_the_cross_entropy_to_the_softened_old_answers() -> None:
    made = learner("lwf", "strength.lwf=0.5")
    distill.keep_teacher(made, 0, 1)
    task = made.stream.tasks[1]
    images, labels = to_input(task.pixels[:20]), task.labels[:20]
    old = made.model(images).detach()
    made.parameters[0].data *= 1.5
    new = made.model(images)
    batch = Batch(images=images, labels=labels, mask=torch.zeros(20, 10)).with_logits(new)
    expected = F.cross_entropy(new / 2, (old / 2).softmax(1))
    assert distill.distillation(made, 1, batch).item() == pytest.approx(expected.item(), rel=1e-5)
    whole = F.cross_entropy(new, labels) + 0.5 * expected
    assert METHODS["lwf"].loss(made, 1, batch, None).item() == pytest.approx(whole.item(), rel=1e-5)
    first = METHODS["lwf"].loss(made, 0, batch, None)
    assert first.item() == pytest.approx(F.cross_entropy(new, labels).item(), rel=1e-6)


def test_each_old_head_is_taught_apart_where_the_task_is_told() -> None:
    made = learner("lwf", 'data.scenarios=["task"]', stream="split")
    distill.keep_teacher(made, 0, 1)
    images = to_input(made.stream.tasks[2].pixels[:8])
    logits = made.model(images)
    made.parameters[0].data *= 1.5
    batch = Batch(images=images, labels=made.stream.tasks[2].labels[:8], mask=torch.zeros(8, 10))
    new = made.model(images)
    expected = [
        F.cross_entropy(new[:, head] / 2, (logits[:, head] / 2).softmax(1))
        for head in ([0, 1], [2, 3])
    ]
    found = distill.distillation(made, 2, batch.with_logits(new))
    assert found.item() == pytest.approx(sum(expected).item() / 2, rel=1e-5)
