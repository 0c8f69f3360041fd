"""Memories: who is kept, who is recalled; iCaRL's herding, LwF's teacher."""

import pytest
import torch
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.methods import METHODS, distill, replay
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, plain_loss
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from tests.tiny.digits import learner


def kept(made: Learner, task: int) -> torch.Tensor:
    return made.notes["images"][0][made.notes["tasks"][0] == task]


def test_the_memory_is_shared_equally_by_the_tasks() -> None:
    made = learner("replay", "method.memory=60")
    for stage, share in enumerate((60, 30, 20)):
        replay.remember_some(made, stage, 1)
        tasks = made.notes["tasks"][0]
        assert [int((tasks == t).sum()) for t in range(stage + 1)] == [share] * (stage + 1)


def test_room_is_made_by_cutting_the_end_of_each_group() -> None:
    made = learner("replay", "method.memory=60")
    replay.remember_some(made, 0, 1)
    before = kept(made, 0).clone()
    replay.remember_some(made, 1, 1)
    assert (kept(made, 0) == before[:30]).all()


def test_a_kept_image_keeps_its_label_and_is_of_its_task() -> None:
    made = learner("replay")
    for stage in (0, 1):
        replay.remember_some(made, stage, 1)
    for stage in (0, 1):
        task = made.stream.tasks[stage]
        known = {
            (p.numpy().tobytes(), int(y)) for p, y in zip(task.pixels, task.labels, strict=True)
        }
        mine = made.notes["tasks"][0] == stage
        images, labels = made.notes["images"][0][mine], made.notes["labels"][0][mine]
        for image, label in zip(images, labels, strict=True):
            assert (image.numpy().tobytes(), int(label)) in known


def test_a_memory_larger_than_the_tasks_has_empty_places_that_are_never_recalled() -> None:
    made = learner("replay", "method.memory=1000")
    replay.remember_some(made, 0, 1)
    assert int((made.notes["groups"][0] == replay.EMPTY).sum()) == 800
    batch = replay.recall_memory(made, 1, 5)
    assert batch is not None
    assert batch.labels.ge(0).all()


def test_nothing_is_recalled_in_the_first_task() -> None:
    for name in ("replay", "icarl", "dgr", "joint", "finetune"):
        assert METHODS[name].recall(learner(name), 0, 1) is None


def test_what_is_recalled_depends_on_seed_and_step_only() -> None:
    made = learner("replay")
    replay.remember_some(made, 0, 1)
    first, again, other = (replay.recall_memory(made, 1, step) for step in (3, 3, 4))
    assert first and again and other
    assert (first.images == again.images).all()
    assert (first.images != other.images).any()
    assert len(first.labels) == made.recipe.method.recalled


def test_joint_training_draws_from_all_earlier_tasks() -> None:
    made = learner("joint", "method.recalled=600")
    batch = replay.recall_everything(made, 2, 1)
    assert batch is not None
    seen = [{p.numpy().tobytes() for p in task.pixels} for task in made.stream.tasks]
    images = [(255 * image).round().to(torch.uint8).numpy().tobytes() for image in batch.images]
    counts = [sum(image in known for image in images) for known in seen]
    assert counts[2] == 0
    assert counts[0] > 230 and counts[1] > 230


def test_every_task_seen_weighs_alike_in_the_loss() -> None:
    made = learner("replay")
    logits = torch.randn(4, 10, generator=torch.Generator().manual_seed(0))
    mask, labels = torch.zeros(4, 10), torch.tensor([1, 2, 3, 4])
    batches = [
        Batch(images=torch.zeros(4, 784), labels=labels + i, mask=mask).seen_by(logits)
        for i in range(2)
    ]
    new, old = (F.cross_entropy(logits, labels + i) for i in range(2))
    assert plain_loss(made, 2, *batches) == pytest.approx(float(new / 3 + old * 2 / 3))
    assert plain_loss(made, 0, batches[0], None) == pytest.approx(float(new))


def test_herding_keeps_the_mean_of_what_it_chose_near_the_mean_of_all() -> None:
    features = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    found = replay.herd(features, 12)
    chosen: list[int] = []
    for number in range(1, 13):  # the algorithm as the paper writes it
        free = [i for i in range(60) if i not in chosen]
        total = features[chosen].sum(0)
        means = (total + features[free]) / number
        chosen.append(free[int((means - features.mean(0)).norm(dim=1).argmin())])
    assert found.tolist() == chosen
    every = replay.herd(features, 60)
    assert sorted(every.tolist()) == list(range(60))


def test_icarl_keeps_each_class_of_each_task() -> None:
    made = learner("icarl", "method.memory=60")
    replay.conclude_icarl(made, 0, 1)
    assert torch.bincount(made.notes["labels"][0]).tolist() == [6] * 10
    replay.conclude_icarl(made, 1, 2)
    for task in (0, 1):
        mine = made.notes["tasks"][0] == task
        assert torch.bincount(made.notes["labels"][0][mine]).tolist() == [3] * 10


def test_the_nearest_mean_is_the_answer() -> None:
    made = learner("icarl")
    replay.conclude_icarl(made, 0, 1)
    images = to_input(made.stream.tasks[1].test_pixels)
    scores = replay.by_nearest_mean(made, 1)(images)
    means, labels = replay.class_means(made, 1)
    assert len(labels) == 20  # ten of the old task's exemplars, ten of the task being learnt
    features = F.normalize(made.model.features(images))
    nearest = labels[torch.cdist(features, means).argmin(1)]
    assert (scores.argmax(1) == nearest).all()
    assert scores.isfinite().all()


def test_a_network_is_its_own_perfect_teacher() -> None:
    made = learner("lwf")
    distill.keep_teacher(made, 0, 1)
    images = to_input(made.stream.tasks[1].pixels[:30])
    batch = Batch(images=images, labels=made.stream.tasks[1].labels[:30], mask=torch.zeros(30, 10))
    loss = distill.distillation(made, 1, batch.seen_by(made.model(images)))
    for gradient in torch.autograd.grad(loss, made.parameters):
        assert gradient.abs().max() < 1e-6


def test_distillation_is_the_cross_entropy_to_the_softened_old_answers() -> None:
    made = learner("lwf", "method.temperature=3.0", "strength.lwf=0.5")
    distill.keep_teacher(made, 0, 1)
    task = made.stream.tasks[1]
    images, labels = to_input(task.pixels[:20]), task.labels[:20]
    old = made.model(images).detach()
    made.parameters[0].data *= 1.5
    new = made.model(images)
    batch = Batch(images=images, labels=labels, mask=torch.zeros(20, 10)).seen_by(new)
    expected = F.cross_entropy(new / 3, (old / 3).softmax(1))
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
    temperature = made.recipe.method.temperature
    expected = [
        F.cross_entropy(new[:, head] / temperature, (logits[:, head] / temperature).softmax(1))
        for head in ([0, 1], [2, 3])
    ]
    found = distill.distillation(made, 2, batch.seen_by(new))
    assert found.item() == pytest.approx(sum(expected).item() / 2, rel=1e-5)
