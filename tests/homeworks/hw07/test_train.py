"""Fine-tuning and prediction of homework 7."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import RunError
from mlspring.homeworks.hw07_reading import predict, spans, train
from mlspring.homeworks.hw07_reading.batches import Reader
from mlspring.homeworks.hw07_reading.models import ReadingNet, config_of
from mlspring.homeworks.hw07_reading.spans import Rules
from mlspring.homeworks.hw07_reading.tokens import Tokenizer, vocabulary
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE
from tests.homeworks.hw07.tools import go, load, read

CPU = Hardware(device=torch.device("cpu"), precision="fp32", channels_last=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data; runs on it draw no figures."""
    monkeypatch.setattr("mlspring.verbs.figures.draw_all", lambda *_: ())
    read(tmp_path / "data")
    return tmp_path / "data"


def reader_of(folder: Path, *more: str, fewest: int = 1) -> Reader:
    data = read(folder)
    tokens = Tokenizer.of(vocabulary(data.train.paragraphs, fewest))
    return Reader.of(data.train, tokens, load(*more).window, match=True)


def test_the_loss_is_the_mean_of_two_cross_entropies() -> None:
    logits = torch.tensor([[[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]]])
    expected = (torch.logsumexp(logits[0, 0], 0) - 1 + torch.logsumexp(logits[0, 1], 0)) / 2
    assert train.span_loss(logits, torch.tensor([[1, 2]])).item() == pytest.approx(expected.item())
    certain = torch.full((2, 2, 5), -1e4)
    certain[:, 0, 1] = certain[:, 1, 3] = 0
    assert train.span_loss(certain, torch.tensor([[1, 3], [1, 3]])).item() == pytest.approx(0)


@pytest.mark.parametrize("place", ["centred", "anywhere"])
def test_targets_are_the_answer_s_places_in_the_sequence(place: str, folder: Path) -> None:
    recipe = load(f"window.place={place}")
    reader = reader_of(folder)
    rows = list(range(len(reader.questions)))
    draws = np.random.default_rng(0).random(len(rows)).tolist()
    ids, segments, targets = train.training_batch(reader, rows, draws, recipe)
    for row in rows:
        first, last = reader.spans[row]
        start, end = targets[row].tolist()
        assert ids[row, start : end + 1].tolist() == (
            reader.paragraph_of(row).ids[first : last + 1].tolist()
        )
        assert (segments[row, start : end + 1] > 0).all()


def test_centred_answers_stand_in_the_middle_and_others_anywhere(folder: Path) -> None:
    reader, spread = reader_of(folder), {}
    rows = [k for k, (first, _) in enumerate(reader.spans) if 15 <= first <= 40]
    for place in ("centred", "anywhere"):
        draws = np.random.default_rng(0)
        recipe = load(f"window.place={place}")
        starts = [
            train.training_batch(reader, rows, draws.random(len(rows)).tolist(), recipe)[2][:, 0]
            for _ in range(40)
        ]
        spread[place] = torch.stack(starts).float().std(0).max().item()
    assert spread["centred"] == 0
    assert spread["anywhere"] > 3


def test_an_answer_that_no_token_has_is_not_learnt(folder: Path) -> None:
    data = read(folder)
    text = data.train.paragraphs[0][:1] + " " + data.train.paragraphs[0][1:]
    part = replace(
        data.train,
        paragraphs=[text, *data.train.paragraphs[1:]],
        starts=np.array([1, *data.train.starts[1:]]),
        ends=np.array([1, *data.train.ends[1:]]),
    )
    recipe = load()
    tokens = Tokenizer.of(vocabulary(part.paragraphs, 1))
    reader = Reader.of(part, tokens, recipe.window, match=True)
    order = train.new_batches(reader, recipe, 0)
    assert reader.spans[0].tolist() == [-1, -1]
    learnt = {row for step in range(1, 9) for row in order.rows(step)}
    assert 0 not in learnt
    assert len(learnt) > 8


def test_windows_are_scored_alike_whatever_the_batch(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, reader = load(), reader_of(folder)
    torch.manual_seed(0)
    model = ReadingNet(config_of(recipe.encoder, recipe.window, reader.tokenizer.size))
    together = predict.score(model, reader, recipe.window, CPU)
    assert model.training, "its mode is as before"
    monkeypatch.setattr(predict, "EVAL_BATCH", 1)
    alone = predict.score(model, reader, recipe.window, CPU)
    assert np.allclose(together.logits, alone.logits, atol=1e-4)
    assert (np.diff(together.questions) >= 0).all()
    some = predict.score(model, reader, recipe.window, CPU, rows=np.array([3, 5]))
    chosen = together.of(np.isin(together.questions, [3, 5]))
    width = some.logits.shape[2]
    assert np.allclose(some.logits, chosen.logits[:, :, :width], atol=1e-4)


@pytest.mark.parametrize("fewest", [1, 3, 10_000])
def test_a_certain_network_finds_the_exact_text_known_characters_or_not(
    folder: Path, fewest: int
) -> None:
    """Also where the vocabulary has none of its characters, and for answers with spaces."""
    reader, knobs = reader_of(folder, fewest=fewest), load().window
    torch.manual_seed(0)
    model = ReadingNet(config_of(load().encoder, knobs, reader.tokenizer.size))
    scores = predict.score(model, reader, knobs, CPU)
    scores.logits[:] = 0
    for k, row in enumerate(scores.questions):
        first, last = reader.spans[row] - scores.offsets[k] + scores.firsts[k]
        if scores.firsts[k] <= first and last < scores.firsts[k] + scores.sizes[k]:
            scores.logits[k, 0, first] = scores.logits[k, 1, last] = 5
    joint = Rules(raw=True, inside=True, ordered=True, longest=30, across=True)
    truth = reader.part.answers
    found = predict.answers(reader, scores, joint)
    if fewest == 1:
        assert found == truth
        assert any(" " in text for text in found)
    else:  # an unknown word is one token: never less than the answer, always raw text
        for text, answer, which in zip(found, truth, reader.part.paragraph_ids, strict=True):
            assert answer in text
            assert text in reader.part.paragraphs[which]
        decoded = predict.answers(reader, scores, Rules())
        assert any("[UNK]" in text for text in decoded), "what the sample hands in"


def test_exact_match_ignores_ascii_commas_on_both_sides_and_nothing_else() -> None:
    found = ["1,539人", "1539人", "甲，乙", "甲乙", " 甲", ""]
    truth = ["1539人", "1,539人", "甲，乙", "甲，乙", "甲", "甲"]
    assert predict.exact_match(found, truth).tolist() == [True, True, True, False, True, False]


def test_an_ensemble_is_the_mean_of_its_networks_scores(folder: Path) -> None:
    run = go(folder, "train.steps=2", "span.members=2", level="boss")
    recipe, data = load("train.steps=2", "span.members=2", level="boss"), read(folder)
    both, reader = predict.scores_of(recipe, data.dev, run, CPU, 2)
    each = [
        predict.score(predict.trained(recipe, data.dev, run, n, CPU)[0], reader, recipe.window, CPU)
        for n in range(2)
    ]
    assert np.allclose(both.logits, (each[0].logits + each[1].logits) / 2, atol=1e-5)
    assert not np.allclose(each[0].logits, each[1].logits, atol=1e-3), "each has its own seed"
    assert predict.answers(reader, both, spans.rules_of(recipe.span))


def test_a_study_trains_other_encoders_beside_the_run_s_own(folder: Path) -> None:
    more = ("train.steps=2", "study.maskings=['spans', 'recall']", "study.layers=[1, 2]")
    run = go(folder, *more)
    told = [checkpoint.read_metadata(weights_path(run, n)) for n in range(3)]
    assert [one["encoder"]["name"] for one in told] == [
        "ours, tokens",
        "ours, spans",
        "ours, recall",
    ]
    assert [one["config"]["num_hidden_layers"] for one in told] == [1, 1, 2]
    assert told[2]["encoder"]["parameters"] > told[1]["encoder"]["parameters"]


def test_a_resumed_run_refuses_another_encoder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = go(folder, "train.steps=2")
    recipe, data = load("train.steps=2"), read(folder)
    hardware = device.choose("cpu", "fp32", work="dense")
    run.note(encoders={"0": "another"})
    with pytest.raises(RunError, match="the encoder has changed since this run began"):
        train.set_up(0, recipe, data, run, hardware, ALONE)


def test_training_learns_the_questions_by_heart(folder: Path) -> None:
    run = go(folder, "train.steps=60", "train.learning_rate=0.01", "encoder.width=32")
    losses = [entry["train/loss"] for entry in run.read_log()]
    assert losses[-1] < 0.5 * losses[0]
