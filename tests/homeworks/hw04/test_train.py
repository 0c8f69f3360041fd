"""The loop of homework 4: the loss in closed form, segments, the split, whole utterances."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlspring.core.errors import RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Run
from mlspring.core.source import official
from mlspring.homeworks.hw04_speakers import batches, data, train
from mlspring.homeworks.hw04_speakers.batches import Frames
from mlspring.homeworks.hw04_speakers.predict import predict, trained
from mlspring.homeworks.hw04_speakers.recipe import ClassifierKnobs, Recipe
from mlspring.homeworks.hw04_speakers.spec import SPEC
from mlspring.kit import device
from mlspring.kit.distributed import Ranks
from tests.contract.journey import run_tiny
from tests.homeworks.hw04.tools import recipe
from tests.tiny import voices

CPU = device.choose("cpu", "fp32", work="dense")
LENGTHS = (12, 30, 7, 19, 30, 8)


def some_frames() -> Frames:
    """Return utterances whose first number is the frame's place, its second the utterance's."""
    frames = torch.zeros(sum(LENGTHS), 40, dtype=torch.float16)
    frames[:, 0] = torch.cat([torch.arange(length) for length in LENGTHS])
    frames[:, 1] = torch.arange(len(LENGTHS)).repeat_interleave(torch.tensor(LENGTHS))
    lengths = torch.tensor(LENGTHS)
    return Frames(frames=frames, starts=lengths.cumsum(0) - lengths, lengths=lengths)


# ---- the loss


def knobs(margin: float, smoothing: float = 0.0) -> ClassifierKnobs:
    return ClassifierKnobs(scale=30.0, margin=margin, label_smoothing=smoothing)


def test_the_margin_is_taken_from_the_right_cosine_alone() -> None:
    cosines = torch.tensor([[0.6, 0.2, -0.4], [0.1, 0.3, 0.2]], dtype=torch.float64)
    targets, s, m = torch.tensor([0, 2]), 30.0, 0.35
    expected = 0.0
    for row, y in zip(cosines.tolist(), targets.tolist(), strict=True):
        right = math.exp(s * (row[y] - m))
        others = sum(math.exp(s * c) for j, c in enumerate(row) if j != y)
        expected -= math.log(right / (right + others)) / 2
    assert train.loss_of(s * cosines, targets, knobs(m)).item() == pytest.approx(expected)


def test_of_equal_cosines_the_loss_is_known() -> None:
    """-log of exp(-s m) / (exp(-s m) + n - 1); with m = 0 log n."""
    logits, targets = torch.full((4, 600), 3.0, dtype=torch.float64), torch.arange(4)
    assert train.loss_of(logits, targets, knobs(0.0)).item() == pytest.approx(math.log(600))
    expected = math.log1p(599 * math.exp(30 * 0.35))
    assert train.loss_of(logits, targets, knobs(0.35)).item() == pytest.approx(expected)


def test_the_margin_leaves_a_gap_before_the_loss_is_small() -> None:
    def loss(right: float, other: float) -> float:
        logits = 30 * torch.tensor([[right, other]])
        return train.loss_of(logits, torch.tensor([0]), knobs(0.3)).item()

    assert loss(0.5, 0.2) == pytest.approx(math.log(2)), "as uncertain as a coin"
    assert loss(0.9, 0.2) < 0.01
    assert loss(0.5, 0.4) > 5


# ---- segments and whole utterances


@pytest.mark.parametrize("draw", [0.0, 0.4, 0.999999])
def test_segments_lie_within_their_utterance(draw: float) -> None:
    rows = torch.tensor([4, 0, 3])
    frames, mask = batches.segments(some_frames().of(rows), 12, torch.full((3,), draw))
    assert mask is None
    assert frames.shape == (3, 12, 40)
    for row, utterance in enumerate(rows.tolist()):
        places = frames[row, :, 0].tolist()
        first = int(draw * (LENGTHS[utterance] - 12 + 1))
        assert places == list(range(first, first + 12))
        assert set(frames[row, :, 1].tolist()) == {utterance}


def test_every_place_of_a_segment_is_drawn_alike() -> None:
    many = some_frames().of(torch.full((3000,), 3))  # 19 frames: 8 places for 12
    frames, _ = batches.segments(many, 12, torch.rand(3000, generator=torch.manual_seed(0)))
    counts = frames[:, 0, 0].long().bincount(minlength=8)
    assert len(counts) == 8
    assert counts.min() > 3000 / 8 * 0.8


def test_a_shorter_utterance_is_taken_whole_and_masked() -> None:
    frames, mask = batches.segments(some_frames().of(torch.tensor([2, 1])), 12, torch.rand(2))
    assert mask is not None
    assert mask.sum(1).tolist() == [7, 12]
    assert frames[0, :7, 0].tolist() == list(range(7))


def test_utterances_of_like_length_come_together_and_each_once() -> None:
    lengths = torch.tensor([500, 20, 480, 25, 3000, 22, 490])
    parts = [rows.tolist() for rows in batches.by_length(lengths, most_frames=1500)]
    assert parts == [[1, 5, 3], [2, 6, 0], [4]]
    for rows in batches.by_length(torch.randint(1, 400, (300,)), most_frames=2000):
        assert len(rows) == 1 or len(rows) * 400 <= 2000 * 400


@pytest.mark.parametrize("size", [1, 2, 5])
def test_outputs_come_in_order_whoever_computes_them(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rank's part is made here in turn, and joined as ``gather`` would."""
    monkeypatch.setattr(batches, "MOST_FRAMES", 40)
    monkeypatch.setattr(
        batches, "by_length", lambda lengths, inner=batches.by_length: inner(lengths, 40)
    )

    def forward(frames: Tensor, mask: Tensor | None) -> Tensor:
        mask = torch.ones(frames.shape[:2], dtype=torch.bool) if mask is None else mask
        return torch.stack([frames[:, 0, 1], mask.sum(1).float()], 1)

    parts: list[Tensor] = []

    class Collects(Ranks):
        def gather(self, part: Tensor) -> Tensor:
            parts.append(part)
            return torch.zeros(len(LENGTHS), 2)

    for rank in range(size):
        batches.outputs_of_all(forward, some_frames(), CPU, Collects(rank, size))

    class Joins(Ranks):
        def gather(self, part: Tensor) -> Tensor:
            return torch.cat(parts)

    outputs = batches.outputs_of_all(forward, some_frames(), CPU, Joins(0, size))
    assert outputs[:, 0].tolist() == list(range(len(LENGTHS)))
    assert outputs[:, 1].tolist() == list(LENGTHS)


# ---- the split


def test_a_share_of_each_speaker_is_held_out() -> None:
    labels = torch.tensor([0] * 20 + [1] * 2 + [2] * 5)[torch.randperm(27)]
    known, held = train.rows_of_split(labels, 0.25, 0)
    assert labels[held].bincount().tolist() == [5, 1, 1]
    assert sorted(known.tolist() + held.tolist()) == list(range(27))
    again, other = train.rows_of_split(labels, 0.25, 0), train.rows_of_split(labels, 0.25, 1)
    assert torch.equal(again[1], held)
    assert not torch.equal(other[1], held)
    assert train.rows_of_split(labels, 0.99, 0)[0].numel() == 3, "one to learn from"


# ---- a whole run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("home")))
        folder = tmp_path_factory.mktemp("run")
        return run_tiny(SPEC, folder, recipe="world/boss", figures=False)


def test_what_is_measured_is_the_network_that_is_saved(run: Run) -> None:
    knobs, loaded = recipe("boss"), data.load(official(Path(run.request.data)), recipe())
    model = trained(knobs, loaded, run, CPU)
    split = train.make_split(loaded, knobs.data.held_out, 0, CPU)
    logits = batches.logits_of_all(model, split.held, CPU)
    told = train.measure(logits, split.held_labels)
    logged = run.read_log()[-1]
    assert told["valid__loss"] == pytest.approx(logged["valid/loss"], abs=2e-5)
    assert told["valid__accuracy"] == logged["valid/accuracy"]


def test_a_run_tells_the_speakers_of_its_test(run: Run) -> None:
    loaded = data.load(official(Path(run.request.data)), recipe())
    names = predict(recipe("boss"), loaded, run)
    assert names.tolist() == [voices.SPEAKERS[speaker] for speaker, _ in voices.asked()]


def test_frames_are_standardised_by_the_training_s(run: Run) -> None:
    loaded = data.load(official(Path(run.request.data)), recipe())
    model = trained(recipe("boss"), loaded, run, CPU)
    frames = loaded.train.frames.astype(np.float32)
    assert np.allclose(model.mean, frames.mean(0), atol=1e-4)
    assert np.allclose(1 / model.scale, frames.std(0, ddof=1), rtol=1e-3)


# ---- knobs


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("model.width=18", "model.heads=4"), "a multiple of twice model.heads"),
        (("model.encoder=conformer", "model.kernel=6"), "must be odd"),
        (("model.kernel=7",), "only a conformer has a convolution; use 0"),
        (("study.feed_forward=[7]",), "give a number for each of study.without"),
        (('study.without=["module"]',), "the run's own network must have both convolutions"),
        (("classifier.margin=0.3",), "needs classifier.scale above 0"),
    ],
)
def test_knobs_that_contradict_each_other_are_told(overrides: tuple[str, ...], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        recipe("simple", *overrides)


def test_networks_of_the_study_are_of_equal_size_and_lack_what_they_should() -> None:
    path = SPEC.folder / "recipes" / "world" / "convolution.toml"
    knobs, sizes, convolutions = load_recipe(Recipe, path), [], []
    for number in range(knobs.num_members):
        model = train.new_model(knobs, number, 10)
        sizes.append(sum(p.numel() for p in model.parameters()))
        kinds = [type(part) for part in model.modules()]
        convolutions.append((nn.Conv2d in kinds, nn.Conv1d in kinds))
    assert max(sizes) < 1.01 * min(sizes)
    assert convolutions == [(True, True), (True, False), (False, True), (False, False)]


def test_without_a_test_part_a_run_trains_and_validates(tmp_path: Path) -> None:
    folder = voices.write_voices(tmp_path / "data")
    (folder / "Dataset" / "testdata.json").unlink()
    run = run_tiny(SPEC, tmp_path, figures=False, more=("train.steps=2",))
    assert run.result is not None
    assert run.result["score"]["validation"] is not None
    assert not (run.folder / SPEC.submission_name).exists()
