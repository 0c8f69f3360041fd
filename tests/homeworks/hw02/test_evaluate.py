"""Logits of utterances in any order, smoothing, and the loss, each against a plain computation."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import DataError
from mlspring.core.runs import Request, Run
from mlspring.core.source import official
from mlspring.homeworks.hw02_phonemes import data, models, predict, train
from mlspring.homeworks.hw02_phonemes.evaluate import logits_of
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.frames import windows
from tests.homeworks.hw02.tools import knobs, recipe
from tests.kit.speech import frames
from tests.tiny.phones import write_libriphone

HARDWARE = device.choose("cpu", "fp32", work="dense")
LENGTHS = np.random.default_rng(1).integers(1, 30, 40).tolist()


@pytest.mark.parametrize("level", ["medium", "strong", "boss"])
def test_logits_come_in_the_order_that_was_asked_for(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlspring.homeworks.hw02_phonemes.evaluate.EVAL_UTTERANCES", 3)
    monkeypatch.setattr("mlspring.homeworks.hw02_phonemes.evaluate.EVAL_FRAMES", 50)
    torch.manual_seed(0)
    model, speech = models.build(knobs(level, "model.width=8")), frames(LENGTHS)
    numbers = torch.tensor([5, 39, 0, 12, 7, 30, 2])
    found = logits_of(model, speech, numbers, HARDWARE)
    assert model.training, "as before"
    model.eval()
    expected = []
    for number in numbers:
        rows = speech.rows(number[None])
        with torch.no_grad():
            if isinstance(model, models.BiLSTM):
                expected.append(model(speech.features[rows][None], torch.tensor([len(rows)])))
            else:
                expected.append(model(windows(speech, rows, model.num_frames)))
    torch.testing.assert_close(found, torch.cat(expected), rtol=1e-4, atol=1e-5)


def test_the_loss_is_the_mean_cross_entropy_of_smoothed_targets() -> None:
    logits, targets = torch.randn(6, 41, dtype=torch.float64), torch.tensor([0, 40, 3, 3, 7, 9])
    smooth = recipe("world/boss", "train.label_smoothing=0.2").train
    log_p = logits.log_softmax(1)
    wanted = torch.full((6, 41), 0.2 / 41, dtype=torch.float64)
    wanted[torch.arange(6), targets] += 0.8
    expected = -(wanted * log_p).sum(1).mean()
    torch.testing.assert_close(train.loss_of(logits, targets, smooth), expected)


@pytest.mark.parametrize("level", ["simple", "boss"])
def test_predictions_are_the_classes_of_the_test_frames_in_order(
    level: str, tmp_path: Path
) -> None:
    knobs = recipe(f"world/{level}", "model.width=8")
    loaded = data.load(official(write_libriphone(tmp_path / "data")), knobs)
    request = Request(homework="hw02", recipe="t", device="cpu", precision="fp32")
    run = Run.create(tmp_path, request, "")
    torch.manual_seed(0)
    model = models.build(knobs.model).eval()
    checkpoint.save_weights(weights_path(run, 0), model, {})
    found = predict.predict(knobs, loaded, run)
    run.close()
    expected = []
    for start, end in zip(loaded.test.offsets[:-1], loaded.test.offsets[1:], strict=True):
        speech = torch.from_numpy(loaded.test.features[start:end])
        with torch.no_grad():
            if isinstance(model, models.BiLSTM):
                logits = model(speech[None], torch.tensor([len(speech)]))
            else:
                logits = model(speech)
        expected.append(logits.argmax(1))
    assert found.tolist() == torch.cat(expected).tolist()


def test_a_summary_measures_training_frames_as_held_out_ones(tmp_path: Path) -> None:
    knobs = recipe("world/strong", "model.width=8", "model.layers=1", "model.dropout=0.9")
    loaded = data.load(official(write_libriphone(tmp_path / "data")), knobs)
    split = train.split_of(loaded, HARDWARE)
    assert split.train.tolist() == loaded.train.tolist()
    assert split.held_out.tolist() == loaded.valid.tolist()
    model = train.new_state(0, knobs, 0, HARDWARE).model
    held_out, seen = (
        train.predict(model, split.frames, part, HARDWARE, train.Ranks())
        for part in (split.held_out, split.held_out)
    )
    summary = train.summarise(held_out, seen)
    assert summary["train__loss"] == summary["valid__loss"], "no dropout in either"
    assert np.sum(summary["confusion"]) == len(held_out[1])
    right = np.trace(np.array(summary["confusion"])) / len(held_out[1])
    assert summary["valid__accuracy"] == pytest.approx(right, abs=1e-5)
    labels = loaded.labelled.labels
    assert labels is not None
    rows = [np.arange(*loaded.labelled.offsets[n : n + 2]) for n in loaded.valid]
    assert held_out[1].tolist() == labels[np.concatenate(rows)].tolist()


def test_data_without_labels_are_not_trained_on(tmp_path: Path) -> None:
    root = write_libriphone(tmp_path / "data") / "libriphone"
    (root / "train_split.txt").unlink()
    loaded = data.load(official(tmp_path / "data"), recipe("world/simple"))
    assert len(loaded.test_ids) > 0
    with pytest.raises(DataError, match=r"(?s)no labelled utterance to train on.*mlspring predict"):
        train.split_of(loaded, HARDWARE)
