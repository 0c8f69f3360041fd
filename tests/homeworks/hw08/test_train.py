"""The loss: its parts against closed forms and torch's own, and its balance."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as torch_kl

from mlspring.homeworks.hw08_anomaly import models, train
from mlspring.homeworks.hw08_anomaly.data import Data
from mlspring.homeworks.hw08_anomaly.models import Seen
from mlspring.homeworks.hw08_anomaly.recipe import Recipe, ScoreKnobs
from mlspring.homeworks.hw08_anomaly.spec import SPEC
from mlspring.kit.device import choose
from mlspring.kit.distributed import ALONE
from mlspring.verbs import recipes
from tests.tiny.anomaly import face

CPU = choose("cpu", "fp32", work="dense")


def recipe(*changes: str, level: str = "simple") -> Recipe:
    path = recipes.find_recipe(SPEC, f"world/{level}", "world")
    loaded: Recipe = recipes.load(SPEC, path, changes)
    return loaded


def test_the_divergence_is_torch_s_and_zero_at_the_standard_normal() -> None:
    mean, log_variance = torch.randn(5, 4), torch.randn(5, 4)
    expected = torch_kl(
        Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(5, 4), torch.ones(5, 4))
    ).sum(1)
    assert torch.allclose(train.kl_divergence(mean, log_variance), expected, atol=1e-5)
    zeros = torch.zeros(2, 3)
    assert train.kl_divergence(zeros, zeros).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("n", [1, 7])
def test_both_parts_belong_to_one_picture_so_the_batch_does_not_weigh_them(n: int) -> None:
    """Sum of squares plus beta KL of a picture, over its number of values, whatever the batch."""
    images = torch.full((n, 3, 8, 8), 0.5)
    found = torch.zeros_like(images)
    mean, log_variance = torch.ones(n, 2), torch.zeros(n, 2)
    vae = recipe("model.kl_weight=4.0")
    error, loss = train.losses(
        Seen(found, mean, log_variance, None), images, torch.zeros(n, 8, 8), vae
    )
    assert error.item() == pytest.approx(0.25)
    sum_of_squares, divergence = 0.25 * 192, 2 * 0.5
    assert loss.item() == pytest.approx((sum_of_squares + 4 * divergence) / 192)


def test_a_classifier_learns_the_share_of_a_cell_that_was_spoilt() -> None:
    images, where = torch.zeros(1, 3, 4, 4), torch.zeros(1, 4, 4)
    where[0, :2, 0] = 1.0  # half of the first cell
    logits = torch.zeros(1, 2, 2)
    loss = train.losses(
        Seen(images, torch.zeros(1, 1), None, logits), images, where, recipe(level="boss")
    )[1]
    assert loss.item() == pytest.approx(np.log(2))  # of logits 0 whatever the targets
    sure = torch.full((1, 2, 2), -20.0)
    sure[0, 0, 0] = 0.0
    loss = train.losses(
        Seen(images, torch.zeros(1, 1), None, sure), images, where, recipe(level="boss")
    )[1]
    assert loss.item() == pytest.approx(np.log(2) / 4, rel=1e-4)


def test_a_perfect_mender_finds_every_planted_fault() -> None:
    """The area that validates is 1 for a network that shows the face without its fault."""
    faces = np.stack([face(number) for number in range(12)])
    data = Data(train=faces, held_out=faces, test=faces, is_world=False)
    normal, faulty = train.held_out(data, 32, CPU)
    assert torch.equal(train.held_out(data, 32, CPU)[1], faulty), "the same in every run"

    class Mender(models.Autoencoder):
        def forward(self, images: torch.Tensor, draws: torch.Tensor | None = None) -> Seen:
            distance = (images[:, None] - normal[None]).flatten(2).norm(dim=2)
            return Seen(normal[distance.argmin(1)], torch.zeros(len(images), 1), None, None)

    small = recipe("data.image_size=32", "score.window=8")
    model = Mender(small.model, 32, None)
    knobs = ScoreKnobs(by="error", window=8)
    measured = train.validate(model, (normal, faulty), knobs, CPU, ALONE)
    assert measured["valid__loss"] == 0.0
    assert measured["valid__auc"] == 1.0
