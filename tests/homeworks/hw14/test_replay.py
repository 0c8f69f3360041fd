"""The replay buffer: which images are kept, which are replayed."""

import pytest
import torch
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.methods import METHODS, replay
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, task_loss
from tests.tiny.digits import learner


def kept(made: Learner, task: int) -> torch.Tensor:
    return made.state["images"][0][made.state["tasks"][0] == task]


def test_the_buffer_is_divided_equally_among_the_tasks() -> None:
    made = learner("replay", "method.memory=60")
    for stage, share in enumerate((60, 30, 20)):
        replay.keep_random_sample(made, stage, 1)
        tasks = made.state["tasks"][0]
        assert [int((tasks == t).sum()) for t in range(stage + 1)] == [share] * (stage + 1)


def test_room_is_made_by_cutting_the_end_of_each_group() -> None:
    made = learner("replay", "method.memory=60")
    replay.keep_random_sample(made, 0, 1)
    before = kept(made, 0).clone()
    replay.keep_random_sample(made, 1, 1)
    assert (kept(made, 0) == before[:30]).all()


def test_a_kept_image_keeps_its_label_and_is_of_its_task() -> None:
    made = learner("replay")
    for stage in (0, 1):
        replay.keep_random_sample(made, stage, 1)
    for stage in (0, 1):
        task = made.stream.tasks[stage]
        known = {
            (p.numpy().tobytes(), int(y)) for p, y in zip(task.pixels, task.labels, strict=True)
        }
        mine = made.state["tasks"][0] == stage
        images, labels = made.state["images"][0][mine], made.state["labels"][0][mine]
        for image, label in zip(images, labels, strict=True):
            assert (image.numpy().tobytes(), int(label)) in known


def test_a_buffer_larger_than_the_tasks_has_empty_rows_that_are_never_replayed() -> None:
    made = learner("replay", "method.memory=1000")
    replay.keep_random_sample(made, 0, 1)
    assert int((made.state["groups"][0] == replay.EMPTY).sum()) == 800
    batch = replay.replay_from_buffer(made, 1, 5)
    assert batch is not None
    assert batch.labels.ge(0).all()


def test_nothing_is_replayed_in_the_first_task() -> None:
    for name in ("replay", "icarl", "dgr", "joint", "finetune"):
        assert METHODS[name].replay_batch(learner(name), 0, 1) is None


def test_what_is_replayed_depends_on_seed_and_step_only() -> None:
    made = learner("replay")
    replay.keep_random_sample(made, 0, 1)
    first, again, other = (replay.replay_from_buffer(made, 1, step) for step in (3, 3, 4))
    assert first and again and other
    assert (first.images == again.images).all()
    assert (first.images != other.images).any()
    assert len(first.labels) == made.knobs.replayed


def test_joint_training_draws_from_all_earlier_tasks() -> None:
    made = learner("joint", "method.replayed=600")
    batch = replay.replay_everything(made, 2, 1)
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
        Batch(images=torch.zeros(4, 784), labels=labels + i, mask=mask).with_logits(logits)
        for i in range(2)
    ]
    new, old = (F.cross_entropy(logits, labels + i) for i in range(2))
    assert task_loss(made, 2, *batches) == pytest.approx(float(new / 3 + old * 2 / 3))
    assert task_loss(made, 0, batches[0], None) == pytest.approx(float(new))
