"""What training of homework 11 leaves: weights, log, snapshots, figures."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlspring.core.errors import RecipeError
from mlspring.homeworks.hw11_adaptation import (
    batches,
    figures,
    losses,
    models,
    monitors,
    train,
)
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from tests.homeworks.hw11.training import CPU, finished
from tests.tiny.random_domains import domains, recipe


def final_weights(tmp_path: Path, *overrides: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a layer's weights before training and in the file that training left."""
    run, data, knobs = finished(tmp_path, *overrides)
    state = train.new_state(0, knobs, data.num_classes, run.request.seed, CPU)
    before = state.model.classify[-1].weight.detach().clone()
    checkpoint.load_weights(weights_path(run, 0), state.model)
    return before, state.model.classify[-1].weight.detach()


def test_the_network_handed_in_is_the_moving_average(tmp_path: Path) -> None:
    """After one step it lies 9 / 11 of the way from the first weights to the trained ones."""
    before, trained = final_weights(tmp_path, "train.steps=1", "train.ema_decay=0.0")
    _, average = final_weights(tmp_path, "train.steps=1", "train.ema_decay=0.999")
    assert (trained - before).abs().max() > 1e-4
    torch.testing.assert_close(average, torch.lerp(before, trained, 9 / 11))


def test_gradients_are_clipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below AdamW's epsilon of 1e-8 its steps have no more their usual size, the rate."""
    monkeypatch.setattr(train, "CLIP_NORM", 1e-12)
    before, trained = final_weights(tmp_path)
    assert (trained - before).abs().max() < 1e-4


def test_the_log_has_every_term_and_monitor(tmp_path: Path) -> None:
    overrides = ["adapt.pseudo=1.0", "adapt.threshold=0.0", "adapt.balance=0.1", "adapt.start=0.5"]
    overrides += ["train.ema_decay=0.9", "train.schedule=constant"]
    run, _, _ = finished(tmp_path, *overrides)
    first, *_, last = run.read_log()
    assert {key for key in first if key.startswith("term/")} == {"term/class", "term/domain"}
    terms = {key for key in last if key.startswith("term/")}
    assert terms == {f"term/{name}" for name in ("class", "domain", "balance", "pseudo")}
    watched = {"valid/loss", "valid/accuracy", "target/entropy", "target/agreement"}
    assert watched | {"target/imbalance", "domain/accuracy"} <= set(last)
    assert last["step"] == 24
    assert last["learning_rate"] == 0.001


def test_dirt_t_logs_its_terms_and_ends_without_photos(tmp_path: Path) -> None:
    knobs = ("adapt.entropy=0.1", "adapt.smooth=1.0", "adapt.refine=0.5", "adapt.start=0.25")
    run, _, _ = finished(tmp_path, *knobs, "train.ema_decay=0.9")
    first, *_, last = run.read_log()
    terms = {key for key in last if key.startswith("term/")}
    assert terms == {f"term/{name}" for name in ("class", "domain", "entropy", "smooth", "stay")}
    assert first["term/class"] > 0
    assert last["term/class"] == last["term/domain"] == 0
    assert last["term/smooth"] > 0


def test_positive_pairs_are_sought_in_training_and_not_in_prediction(tmp_path: Path) -> None:
    knobs = ("adapt.positive_pairs=0.5", "adapt.method=source_only", "augment.sketchy=true")
    more = ("model.norm=own", "model.name=deep", "train.ema_decay=0.9")
    run, _, _ = finished(tmp_path, *knobs, *more)
    first, *_, last = run.read_log()
    terms = {key for key in last if key.startswith("term/")}
    assert terms == {"term/class", "term/pairs", "term/photo_pairs"}
    assert last["term/pairs"] < first["term/pairs"]
    assert "domain/accuracy" not in last


def test_a_monitor_that_is_no_number_ends_training_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = monitors.measure

    def broken(*given: Any) -> tuple[dict[str, float], torch.Tensor]:
        values, predictions = measure(*given)
        return values | {"target__entropy": math.nan}, predictions

    monkeypatch.setattr(monitors, "measure", broken)
    with pytest.raises(RecipeError, match=r"training diverged: target/entropy is nan at step 4"):
        finished(tmp_path)


def test_the_teacher_sees_plain_drawings_when_its_labels_are_due() -> None:
    knobs = recipe("adapt.pseudo=1.0", "train.ema_decay=0.9", "adapt.start=0.5").adapt
    model = models.build(recipe().model, knobs, num_classes=4).eval()
    drawings = domains().drawings[:6]
    assert train.teach(model, drawings, knobs, 0.49, CPU) is None
    logits = train.teach(model, drawings, knobs, 0.5, CPU)
    assert logits is not None
    torch.testing.assert_close(logits, model(drawings[:, None] / 255).logits)
    assert not logits.requires_grad
    assert train.teach(model, drawings, recipe().adapt, 0.5, CPU) is None


def test_a_step_lowers_the_loss_of_its_own_batch() -> None:
    knobs = recipe("train.batch_size=16")
    state = train.new_state(0, knobs, 4, 0, CPU)
    sampler = batches.DomainBatches(domains(), torch.arange(40), knobs, seed=0)
    batch = sampler.batch(1)

    def loss() -> torch.Tensor:
        outputs = state.model(batch.images, 0.0, 16)
        return losses.loss_of(outputs, batch.labels, None, knobs.adapt, knobs.train, 0.0)[0]

    before = loss()
    before.backward()
    state.optimizer.step()
    assert loss() < before


# ---- features and figures


def test_features_are_kept_of_three_stages_and_of_both_domains(tmp_path: Path) -> None:
    run, loaded, _ = finished(tmp_path)
    files = [monitors.features_path(run, stage) for stage in ("early", "middle", "final")]
    kept = [monitors.read_features(file) for file in files]
    for features, labels in kept:
        assert features.shape == (48 + 36, 32)
        assert labels.tolist() == loaded.source_labels.tolist()
    assert not torch.equal(kept[0][0], kept[2][0])


def test_the_last_features_are_those_of_the_final_network(tmp_path: Path) -> None:
    run, loaded, knobs = finished(tmp_path)
    model = models.build(knobs.model, knobs.adapt, 3).eval()
    checkpoint.load_weights(weights_path(run, 0), model)
    drawings = torch.from_numpy(np.array(loaded.target_images))[:, None] / 255
    features, _ = monitors.read_features(monitors.features_path(run, "final"))
    torch.testing.assert_close(features[48:], model.features(drawings, 0), atol=1e-5, rtol=1e-4)


def test_every_figure_is_drawn_alone_with_the_numbers_behind_it(tmp_path: Path) -> None:
    run, loaded, knobs = finished(tmp_path)
    for name, draw in reversed(figures.FIGURES.items()):
        draw(run, knobs, loaded)
        files = {file.suffix for file in run.figures.glob(f"{name}.*")}
        assert files == {".png", ".svg", ".csv"}, name
    rows = (run.figures / "q2_domains.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "stage,domain,x,y"
    assert len(rows) == 1 + 3 * (48 + 36)


def test_neighbours_of_the_other_domain_tell_mixed_from_parted_domains() -> None:
    rng = np.random.default_rng(0)
    mixed = rng.random((400, 2))
    parted = mixed + np.repeat([[0, 0], [5, 0]], 200, axis=0)
    assert figures.neighbours_of_other_domain(mixed, 200) == pytest.approx(0.5, abs=0.1)
    assert figures.neighbours_of_other_domain(parted, 200) == 0
