"""Batches, monitors, balancing and snapshots of homework 11."""

import json
import math
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import monitors_hw11
from mlspring.core.errors import RecipeError, RunError
from mlspring.core.runs import Request, Run
from mlspring.core.source import official
from mlspring.homeworks.hw11_adaptation import (
    adapt,
    data,
    figures,
    models,
    monitors,
    predict,
    snapshots,
    train,
)
from mlspring.homeworks.hw11_adaptation.batches import (
    Batch,
)
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit.device import Hardware
from mlspring.kit.seeding import generator
from tests.tiny.domains import write_domains
from tests.tiny.random_domains import domains, recipe

CPU = Hardware(device=torch.device("cpu"), precision="fp32", channels_last=False)


def test_prediction_draws_nothing(tmp_path: Path) -> None:
    """The sample's test loader flips and turns, so that two predictions differ; not here."""
    run, loaded, knobs = finished(tmp_path, "augment.flip=0.5", "augment.rotate=15.0")
    first = predict.probabilities(knobs, loaded, run)
    torch.manual_seed(123)
    assert np.array_equal(predict.probabilities(knobs, loaded, run), first)
    np.testing.assert_allclose(first.sum(1), 1, rtol=1e-5)


def finished(tmp_path: Path, *overrides: str) -> tuple[Run, data.Data, Recipe]:
    folder = tmp_path / "data"
    if not folder.exists():
        write_domains(folder)
    knobs = recipe(*overrides)
    loaded = data.load(official(folder), knobs)
    request = Request(homework="hw11", recipe="simple", device="cpu", precision="fp32")
    with closing(Run.create(tmp_path / "runs", request, "")) as run:
        train.train(knobs, loaded, run)
    return run, loaded, knobs


def test_balancing_gives_every_class_its_quota() -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([4, 2, 1], 3000).astype(np.float32)
    before = np.bincount(shares.argmax(1), minlength=3) / 3000
    even = predict.balanced(shares, 1.0)
    np.testing.assert_allclose(even.mean(0), 1 / 3, atol=1e-3)
    assert np.ptp(np.bincount(even.argmax(1), minlength=3) / 3000) < np.ptp(before) / 3
    np.testing.assert_allclose(predict.balanced(shares, 0.0), shares, rtol=1e-5)


def test_balancing_gives_every_class_the_share_that_is_told() -> None:
    found = np.random.default_rng(0).dirichlet([4, 2, 1], 3000)
    for shares in ([0.2, 0.3, 0.5], [1 / 3] * 3):
        moved = predict.balanced(found, 1.0, shares)
        np.testing.assert_allclose(moved.mean(0), shares, atol=1e-3)
    np.testing.assert_allclose(moved, predict.balanced(found, 1.0))


def test_balancing_recovers_classes_that_were_pushed_away() -> None:
    """A classifier whose class 0 is always too likely by the same factor is mended exactly."""
    rng = np.random.default_rng(1)
    truth = rng.permutation(np.repeat(np.arange(4), 500))
    logits = 2.0 * np.eye(4)[truth] + rng.normal(0, 1, (2000, 4))
    skewed = np.exp(logits + np.array([2.0, 0, 0, 0]))
    skewed /= skewed.sum(1, keepdims=True)
    plain = (logits.argmax(1) == truth).mean()
    assert (skewed.argmax(1) == truth).mean() < plain - 0.1
    assert (predict.balanced(skewed, 1.0).argmax(1) == truth).mean() == pytest.approx(
        plain, abs=0.01
    )


class Oracle(nn.Module):
    """Answers the same logits whatever it sees, and a domain that is right for dark pictures."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits
        self.classify = nn.Sequential(nn.Linear(1, logits.shape[1]))
        self.opponent = None

    def forward(self, images: torch.Tensor, num_photos: int) -> tuple[torch.Tensor, ...]:
        return (self.logits[: len(images)],)


def test_monitors_are_what_their_names_say() -> None:
    logits = 100 * torch.eye(4)[torch.tensor([0, 1, 2, 3, 0, 0, 0, 0])]
    world = domains(num_photos=8, num_drawings=8)
    watched = monitors.watch(world, torch.arange(8), recipe())
    values, votes = monitors.measure(Oracle(logits), watched, CPU)
    assert votes.tolist() == [0, 1, 2, 3, 0, 0, 0, 0]
    assert values["valid__accuracy"] == pytest.approx(5 / 8)  # labels 0 1 2 3 0 1 2 3
    assert values["target__entropy"] == pytest.approx(0, abs=1e-5)
    assert values["target__agreement"] == 1.0
    mean = np.array([5, 1, 1, 1]) / 8
    expected = math.log(4) + (mean * np.log(mean)).sum()
    assert values["target__imbalance"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("keep", "better", "worse"),
    [
        ("source_risk", {"valid__loss": 0.1}, {"valid__loss": 0.2}),
        ("entropy", {"target__entropy": 0.1}, {"target__entropy": 0.2}),
        ("agreement", {"target__agreement": 0.9}, {"target__agreement": 0.8}),
        ("balance", {"target__imbalance": 0.1}, {"target__imbalance": 0.2}),
    ],
)
def test_a_monitor_knows_which_way_is_up(
    keep: str, better: dict[str, float], worse: dict[str, float]
) -> None:
    assert monitors.merit(keep, better, 1) > monitors.merit(keep, worse, 2)
    assert monitors.merit("last", worse, 2) > monitors.merit("last", better, 1)


def test_the_kept_weights_are_those_of_the_best_validation(tmp_path: Path) -> None:
    run, _, _ = finished(tmp_path, "train.keep=source_risk", "train.learning_rate=0.02")
    log = run.read_log()
    best = min(log, key=lambda entry: entry["valid/loss"])
    facts = train.checkpoint.read_metadata(train.weights_path(run, 0))
    assert facts["step"] == best["step"]
    assert not list(run.checkpoints.glob("*kept*"))


@pytest.mark.parametrize("keep", ["last", "entropy"])
def test_a_monitor_that_is_no_number_ends_training_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    """Nothing would be better than the first validation, so that no weights were kept."""
    measure = monitors.measure

    def broken(*given: Any) -> tuple[dict[str, float], torch.Tensor]:
        values, votes = measure(*given)
        return values | {"target__entropy": math.nan}, votes

    monkeypatch.setattr(monitors, "measure", broken)
    with pytest.raises(RecipeError, match=r"training diverged: target/entropy is nan at step 4"):
        finished(tmp_path, f"train.keep={keep}")


def test_data_of_other_classes_are_refused_with_both_numbers(tmp_path: Path) -> None:
    run, loaded, knobs = finished(tmp_path)
    found = predict.predict(knobs, loaded, run)
    assert len(found) == len(loaded.target_images)
    more = replace(loaded, num_classes=4)
    with pytest.raises(RunError, match=r"has learnt 3 classes; expected 4, as(.|\n)*-> .*--data"):
        predict.predict(knobs, more, run)


def test_votes_of_every_validation_are_kept(tmp_path: Path) -> None:
    run, loaded, _ = finished(tmp_path)
    files = sorted((run.folder / "votes").iterdir())
    assert len(files) == len(run.read_log()) == 6
    votes = np.load(files[-1], allow_pickle=False)
    assert votes.shape == (len(loaded.target_images),)
    assert set(votes.tolist()) <= {0, 1, 2}


def test_snapshots_are_of_three_stages_and_of_both_domains(tmp_path: Path) -> None:
    run, loaded, _ = finished(tmp_path)
    kept = snapshots.read(run)
    assert list(kept) == ["early", "middle", "final"]
    for snapshot in kept.values():
        assert snapshot.features.shape == (48 + 36, 32)
        assert snapshot.labels.tolist() == loaded.source_labels.tolist()
    assert not torch.equal(kept["early"].features, kept["final"].features)


def test_the_worst_drawings_leave_batch_norm_alone() -> None:
    model = models.build(recipe(), num_classes=3).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    images = torch.rand(4, 1, 32, 32, generator=generator(2))
    batch = Batch(photos=images, labels=torch.zeros(4), drawings=images, plain=images)
    moved = adapt.worst_drawings(model, batch, 2.0, CPU, generator(3))
    torch.testing.assert_close((moved - images).flatten(1).norm(dim=1), torch.full((4,), 2.0))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert model.training
    assert all(p.grad is None for p in model.parameters())


def test_strangers_tell_mixed_from_parted_domains() -> None:
    rng = np.random.default_rng(0)
    mixed = rng.random((400, 2))
    parted = mixed + np.repeat([[0, 0], [5, 0]], 200, axis=0)
    assert figures.strangers(mixed, 200) == pytest.approx(0.5, abs=0.1)
    assert figures.strangers(parted, 200) == 0


def test_the_log_has_every_term_and_monitor(tmp_path: Path) -> None:
    overrides = ["adapt.pseudo=1.0", "adapt.threshold=0.0", "adapt.smooth=0.1", "adapt.balance=0.1"]
    run, _, _ = finished(tmp_path, *overrides, "train.ema_decay=0.9", "adapt.entropy=0.1")
    entry = run.read_log()[-1]
    terms = {key for key in entry if key.startswith("term/")}
    assert terms == {f"term/{n}" for n in ("class", "domain", "entropy", "balance", "smooth",
                                           "pseudo")}  # fmt: skip
    assert {key for key, _ in monitors.MONITORS.values()} <= set(entry)
    assert 0 <= entry["domain/accuracy"] <= 1
    assert json.dumps(entry)


def test_twins_are_asked_in_training_and_not_in_prediction(tmp_path: Path) -> None:
    knobs = ("adapt.twins=0.5", "adapt.photo_twins=0.2", "adapt.method=source_only")
    more = ("model.norm=own", "model.name=deep", "train.ema_decay=0.9", "augment.clutter=0.5")
    run, loaded, found = finished(tmp_path, *knobs, *more)
    first, *_, last = run.read_log()
    assert {key for key in last if key.startswith("term/")} == {
        "term/class", "term/twins", "term/photo_twins",
    }  # fmt: skip
    assert last["term/twins"] < first["term/twins"]
    assert predict.probabilities(found, loaded, run).shape == (36, 3)


def test_ranks_of_monitors_are_spearman_s() -> None:
    history = [
        {
            "valid/loss": 1.0 - 0.1 * i,  # falls as the accuracy rises: a perfect monitor
            "target/entropy": 0.1 * i,  # rises with it: the worst one
            "target/agreement": [0.5, 0.9, 0.6, 0.7][i],
            "target/imbalance": 0.2,  # says nothing
            "accuracy": 0.3 + 0.1 * i,
        }
        for i in range(4)
    ]
    table = monitors_hw11.rank([history, history[:2]])  # two validations rank nothing
    assert table["members"] == 1
    for name, ranks, choice in (
        ("source_risk", 1.0, 0.6),
        ("entropy", -1.0, 0.3),
        ("agreement", 0.4, 0.4),
    ):
        assert table[name]["by member"] == [ranks]
        assert table[name]["rank correlation"] == ranks
        assert table[name]["accuracy of its choice"] == choice
    assert table["balance"]["rank correlation"] is None
    assert (table["last"], table["best"]) == (0.6, 0.6)
    head, rows = monitors_hw11.as_table({"strong": table})
    assert head == [
        "monitor",
        "strong: rank correlation, by member",
        "strong: accuracy of its choice",
    ]
    assert rows[1] == ["entropy", "-1.00", "0.300"]
    assert rows[3] == ["balance", "-", "0.300"]
    assert rows[-1] == ["*the best validation*", "", "0.600"]
