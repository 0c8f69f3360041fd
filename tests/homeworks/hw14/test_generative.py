"""Deep generative replay: what the generator learns, who labels its images, what is kept."""

import math

import pytest
import torch

from mlspring.homeworks.hw14_lifelong.methods import METHODS, generative
from mlspring.homeworks.hw14_lifelong.methods.learner import Learner
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from mlspring.kit.seeding import generator
from tests.tiny.digits import learner


def taught(made: Learner, stage: int, num_steps: int) -> Learner:
    """Let the generator learn a task, and conclude it."""
    for step in range(num_steps):
        METHODS["dgr"].after_step(made, stage, 1000 * stage + step + 1)
    METHODS["dgr"].on_task_end(made, stage, 1000 * (stage + 1))
    return made


def dreamt(made: Learner, stage: int, step: int = 1) -> torch.Tensor:
    batch = METHODS["dgr"].replay_batch(made, stage, step)
    assert batch is not None
    return batch.images


def test_the_bound_of_weights_that_are_all_zero_is_known() -> None:
    """Every pixel is 1/2 and q(z|x) = N(0, 1): 784 log 2 and no divergence."""
    made = learner("dgr")
    weights = [torch.zeros_like(w) for w in made.state["generator"]]
    images = to_input(made.stream.tasks[0].pixels[:7])
    found = generative.negative_bound(weights, images, generator(0, "noise"))
    assert found.tolist() == pytest.approx([784 * math.log(2)] * 7, rel=1e-5)
    weights[3][: generative.LATENT] = 0.3  # the mean of the code: KL = sum of mean^2 / 2
    weights[3][generative.LATENT :] = -0.5  # its log variance: (e^v - 1 - v) / 2 each
    apart = 0.3**2 / 2 + (math.exp(-0.5) - 1 + 0.5) / 2
    found = generative.negative_bound(weights, images, generator(0, "noise"))
    expected = 784 * math.log(2) + generative.LATENT * apart
    assert found.tolist() == pytest.approx([expected] * 7, rel=1e-5)


def test_the_generator_learns_what_the_task_looks_like() -> None:
    made = learner("dgr", "method.replayed=200")
    task = to_input(made.stream.tasks[0].pixels).mean(0)

    def likeness() -> float:
        together = torch.stack((dreamt(made, 1).mean(0), task))
        return float(torch.corrcoef(together)[0, 1])

    METHODS["dgr"].on_task_end(made, 0, 0)
    assert abs(likeness()) < 0.5  # nothing learnt yet
    taught(made, 0, 120)
    assert likeness() > 0.9


def test_images_of_both_tasks_are_made_after_the_second() -> None:
    """Without its own images of the first task the generator would know the second alone."""
    words = ("method.replayed=200", 'data.scenarios=["class"]')
    made = taught(learner("dgr", *words, stream="split"), 0, 120)
    first = dreamt(made, 1)
    taught(made, 1, 120)
    seen = dreamt(made, 2)
    assert seen.shape == first.shape == (200, 784)
    images = torch.cat([to_input(made.stream.tasks[t].pixels) for t in (0, 1)])
    nearest = torch.cdist(seen, images).argmin(1)
    from_first = float((nearest < len(images) // 2).float().mean())
    assert 0.25 < from_first < 0.75, from_first


def test_the_old_network_labels_and_only_a_new_task_changes_it() -> None:
    made = taught(learner("dgr"), 0, 5)
    before = METHODS["dgr"].replay_batch(made, 1, 3)
    assert before is not None
    assert (before.labels == made.model(before.images).argmax(1)).all()
    made.parameters[-1].data[4] += 1e4  # the network of today says 4, whatever it sees
    for step in (6, 7):
        METHODS["dgr"].after_step(made, 1, step)  # the generator of today learns
    again = METHODS["dgr"].replay_batch(made, 1, 3)
    assert again is not None
    assert (again.labels == before.labels).all()
    assert (again.images == before.images).all()
    METHODS["dgr"].on_task_end(made, 1, 8)
    after = METHODS["dgr"].replay_batch(made, 2, 3)
    assert after is not None
    assert (after.labels == 4).all()
    assert (after.images != before.images).any()


def test_a_label_is_one_of_the_old_task_s_own_where_the_task_is_told() -> None:
    made = taught(learner("dgr", 'data.scenarios=["task"]', stream="split"), 0, 3)
    taught(made, 1, 3)
    batch = METHODS["dgr"].replay_batch(made, 2, 5)
    assert batch is not None
    is_open = batch.mask.eq(0)
    assert is_open.sum(1).eq(2).all()
    assert is_open.gather(1, batch.labels[:, None]).all()
    assert set(batch.labels.tolist()) <= {0, 1, 2, 3}
    assert is_open[:, :4].any(0).all()  # of both old tasks


def test_dreams_depend_on_seed_and_step_only() -> None:
    made = taught(learner("dgr"), 0, 2)
    assert (dreamt(made, 1, 3) == dreamt(made, 1, 3)).all()
    assert (dreamt(made, 1, 3) != dreamt(made, 1, 4)).any()
    again = taught(learner("dgr"), 0, 2)
    assert (dreamt(again, 1, 3) == dreamt(made, 1, 3)).all()


def test_no_image_is_kept_and_the_last_task_is_not_learnt() -> None:
    made = learner("dgr")
    sizes = {tuple(t.shape) for t in made.state.buffers()}
    assert sizes <= {tuple(t.shape) for t in (*made.state["generator"], *made.parameters)} | {()}
    before = [w.clone() for w in made.state["generator"]]
    METHODS["dgr"].after_step(made, 2, 17)
    assert all((a == b).all() for a, b in zip(before, made.state["generator"], strict=True))
    METHODS["dgr"].after_step(made, 1, 9)
    assert any((a != b).any() for a, b in zip(before, made.state["generator"], strict=True))
