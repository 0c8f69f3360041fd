"""iCaRL: herding, the nearest mean, the loss on new and kept images."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.methods import distill, replay
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from tests.tiny.digits import learner


def test_herding_keeps_the_mean_of_what_it_chose_near_the_mean_of_all() -> None:
    features = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    found = distill.herd(features, 12)
    chosen: list[int] = []
    for number in range(1, 13):  # the algorithm as the paper writes it
        free = [i for i in range(60) if i not in chosen]
        total = features[chosen].sum(0)
        means = (total + features[free]) / number
        chosen.append(free[int((means - features.mean(0)).norm(dim=1).argmin())])
    assert found.tolist() == chosen
    every = distill.herd(features, 60)
    assert sorted(every.tolist()) == list(range(60))


def test_icarl_keeps_each_class_of_each_task() -> None:
    made = learner("icarl", "method.memory=60")
    distill.keep_exemplars(made, 0, 1)
    assert torch.bincount(made.state["labels"][0]).tolist() == [6] * 10
    distill.keep_exemplars(made, 1, 2)
    for task in (0, 1):
        mine = made.state["tasks"][0] == task
        assert torch.bincount(made.state["labels"][0][mine]).tolist() == [3] * 10


def test_no_image_is_kept_twice_where_the_buffer_is_larger_than_the_task() -> None:
    made = learner("icarl", "method.memory=1000")
    distill.keep_exemplars(made, 0, 1)
    rows = made.state["labels"][0] != replay.EMPTY
    kept = {image.numpy().tobytes() for image in made.state["images"][0][rows]}
    assert int(rows.sum()) == len(kept) == 200


def expected_means(made: Learner) -> dict[tuple[int, int], torch.Tensor]:
    """Return the mean feature of each digit by task: of all images of task 0 and of task 1."""
    means = {}
    for number in (0, 1):
        task = made.stream.tasks[number]
        features = F.normalize(made.model.features(to_input(task.pixels))).detach()
        for digit in range(10):
            mean = features[task.labels == digit].mean(0)
            means[number, digit] = mean / mean.norm()
    return means


@pytest.mark.parametrize("is_over", [False, True])
def test_the_nearest_mean_is_the_answer(is_over: bool) -> None:
    """Of an old digit its exemplars' mean, of a new one its images', also once the task is over."""
    made = learner("icarl", "method.memory=1000")  # so that all of task 0's images are exemplars
    distill.keep_exemplars(made, 0, 1)
    if is_over:
        distill.keep_exemplars(made, 1, 2)
    expected = expected_means(made)
    means, labels = distill.class_means(made, 1)
    assert labels.tolist() == [digit for _, digit in expected]
    torch.testing.assert_close(means, torch.stack(list(expected.values())), rtol=1e-4, atol=1e-5)
    images = to_input(made.stream.tasks[1].test_pixels)
    scores = distill.by_nearest_mean(made, 1)(images)
    features = F.normalize(made.model.features(images)).detach()
    for feature, row in zip(features, scores, strict=True):
        distances = {key: float((feature - mean).norm()) for key, mean in expected.items()}
        nearest = [min(distances[0, digit], distances[1, digit]) for digit in range(10)]
        assert (-row).tolist() == pytest.approx(nearest, abs=1e-3)


@torch.no_grad()
def test_the_loss_adds_distillation_of_new_and_old_images() -> None:
    made = learner("icarl", "strength.icarl=0.5")
    distill.keep_exemplars(made, 0, 1)
    made.parameters[0].data *= 1.5  # not what the old network was
    task, batches = made.stream.tasks[1], []
    for rows in (slice(0, 10), slice(10, 20)):
        images = to_input(task.pixels[rows])
        batch = Batch(images=images, labels=task.labels[rows], mask=torch.zeros(10, 10))
        batches.append(batch.with_logits(made.model(images)))
    new, old = batches
    plain = [float(batch.cross_entropy()) for batch in batches]
    distilled = [float(distill.distillation(made, 1, batch)) for batch in batches]
    assert min(distilled) > 0.1
    loss = float(distill.icarl_loss(made, 1, new, old))
    assert loss == pytest.approx(sum(plain) / 2 + 0.5 * sum(distilled) / 2, rel=1e-5)
    assert float(distill.icarl_loss(made, 0, new, None)) == pytest.approx(plain[0], rel=1e-6)
    loss = float(distill.icarl_loss(replace(made, strength=0.0), 1, new, old))
    assert loss == pytest.approx(sum(plain) / 2, rel=1e-5)
