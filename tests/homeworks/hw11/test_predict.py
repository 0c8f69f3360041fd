"""From finished networks of homework 11 to the classes of its drawings."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import RunError
from mlspring.homeworks.hw11_adaptation import predict
from tests.homeworks.hw11.training import finished


def test_prediction_draws_nothing(tmp_path: Path) -> None:
    """The sample's test loader flips and turns, so that two predictions differ; not here."""
    run, loaded, knobs = finished(tmp_path)
    first = predict.probabilities(knobs, loaded, run)
    torch.manual_seed(123)
    assert np.array_equal(predict.probabilities(knobs, loaded, run), first)
    np.testing.assert_allclose(first.sum(1), 1, rtol=1e-5)
    classes = predict.predict(knobs, loaded, run)
    assert classes.tolist() == first.argmax(1).tolist()


def test_members_and_views_count_alike(tmp_path: Path) -> None:
    run, loaded, knobs = finished(tmp_path, "train.members=2", "predict.views=2", "train.steps=6")
    both = predict.probabilities(knobs, loaded, run)
    first = knobs.model_copy(update={"train": knobs.train.model_copy(update={"members": 1})})
    plain = first.model_copy(update={"predict": knobs.predict.model_copy(update={"views": 0})})
    one, one_plain = (predict.probabilities(recipe, loaded, run) for recipe in (first, plain))
    assert np.abs(one - one_plain).max() > 1e-4  # views are changed pictures
    (run.checkpoints / "member-1.safetensors").replace(run.checkpoints / "member-0.safetensors")
    second = predict.probabilities(first, loaded, run)
    assert np.abs(both - (one + second) / 2).max() < 0.05  # the second's views have other seeds


def test_data_of_other_classes_are_refused_with_both_numbers(tmp_path: Path) -> None:
    run, loaded, knobs = finished(tmp_path, "train.steps=2")
    more = replace(loaded, num_classes=4)
    message = r"was trained on 3 classes; expected 4, as(.|\n)*-> .*--data"
    with pytest.raises(RunError, match=message):
        predict.predict(knobs, more, run)


def test_balancing_gives_every_class_its_share() -> None:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet([4, 2, 1], 3000).astype(np.float32)
    before = np.bincount(rows.argmax(1), minlength=3) / 3000
    even = predict.balanced(rows, 1.0)
    np.testing.assert_allclose(even.mean(0), 1 / 3, atol=1e-3)
    assert np.ptp(np.bincount(even.argmax(1), minlength=3) / 3000) < np.ptp(before) / 3
    np.testing.assert_allclose(predict.balanced(rows, 0.0), rows, rtol=1e-5)


def test_balancing_recovers_classes_that_were_pushed_away() -> None:
    """A classifier whose class 0 is always too likely by the same factor is mended exactly."""
    rng = np.random.default_rng(1)
    truth = rng.permutation(np.repeat(np.arange(4), 500))
    logits = 2.0 * np.eye(4)[truth] + rng.normal(0, 1, (2000, 4))
    skewed = np.exp(logits + np.array([2.0, 0, 0, 0]))
    skewed /= skewed.sum(1, keepdims=True)
    plain = (logits.argmax(1) == truth).mean()
    assert (skewed.argmax(1) == truth).mean() < plain - 0.1
    mended = (predict.balanced(skewed, 1.0).argmax(1) == truth).mean()
    assert mended == pytest.approx(plain, abs=0.01)
