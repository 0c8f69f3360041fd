"""The loss by hand, the average of the last weights, norms of every step, the schedule."""

import math
from pathlib import Path

import pytest
import torch

from mlspring.core.runs import Run
from mlspring.homeworks.hw05_translation import train
from mlspring.homeworks.hw05_translation.spec import SPEC
from mlspring.homeworks.hw05_translation.tasks import Task, forward_task
from mlspring.homeworks.hw05_translation.vocabulary import EOS, PAD
from mlspring.kit.schedules import lr_scale
from tests.contract.journey import run_tiny
from tests.homeworks.hw05.tools import network, recipe


def test_the_loss_is_the_smoothed_cross_entropy_of_a_token() -> None:
    logits = torch.randn(2, 3, 7)
    targets = torch.tensor([[4, EOS, PAD], [5, 6, EOS]])
    smoothing, total = 0.1, 0.0
    for sentence, right in zip(logits, targets, strict=True):
        for row, target in zip(sentence.log_softmax(1), right, strict=True):
            if target != PAD:
                wanted = torch.full((7,), smoothing / 7)
                wanted[target] += 1 - smoothing
                total -= float((wanted * row).sum())
    assert train.loss_of(logits, targets, 5, smoothing).item() == pytest.approx(total / 5, rel=1e-5)


def test_padding_has_no_loss_and_no_gradient() -> None:
    logits = torch.randn(1, 4, 7, requires_grad=True)
    targets = torch.tensor([[4, EOS, PAD, PAD]])
    train.loss_of(logits, targets, 2, 0.1).backward()
    assert logits.grad is not None
    assert (logits.grad[0, 2:] == 0).all()
    assert (logits.grad[0, :2].abs().sum(1) > 0).all()


def test_the_norm_is_that_before_clipping() -> None:
    model = network("gru")
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = math.sqrt(sum(p.numel() for p in model.parameters()))
    assert train.clipped(model, 0.0).item() == pytest.approx(before)
    assert train.clipped(model, 1.0).item() == pytest.approx(before)
    after = math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters()))  # type: ignore[union-attr]
    assert after == pytest.approx(1.0, rel=1e-4)


def test_the_schedule_is_the_paper_s() -> None:
    """Rate d^-0.5 min(n^-0.5, n w^-1.5), whose peak (d w)^-0.5 is ``learning_rate``."""
    width, warmup = 256, 400
    peak = (width * warmup) ** -0.5
    for step in (1, 100, 400, 401, 5000):
        paper = width**-0.5 * min(step**-0.5, step * warmup**-1.5)
        assert peak * lr_scale("inverse_sqrt", step - 1, 10_000, warmup) == pytest.approx(paper)


def test_the_average_is_the_mean_of_the_last_steps_weights() -> None:
    knobs = recipe("simple", "train.average_last=3", "train.steps=10").train
    model = network("gru")
    average, seen = train.LastMean(model, knobs), []
    for step in range(1, 11):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(float(step**2))
        average.update(step)
        seen.append(next(average.model.parameters())[0, 0].item())
    assert seen[3] == 16.0, "a validation after step 4 sees the weights themselves"
    assert seen[-1] == pytest.approx((64 + 81 + 100) / 3)
    assert seen[-3] == 64.0, "the first of the last three"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("run")
        patch.setenv("MLSPRING_HOME", str(folder / "home"))
        return run_tiny(SPEC, folder, figures=False, recipe="world/boss")


def test_every_step_s_norm_is_logged_once(run: Run) -> None:
    entries = run.read_log()
    norms = [norm for entry in entries for norm in entry["train/norms"]]
    assert len(norms) == entries[-1]["step"] == 24
    assert all(norm > 0 for norm in norms)


def test_the_run_knows_its_back_translation(run: Run) -> None:
    told = run.state["back_translation"]
    assert told["translated"] == 60
    assert 0 < told["kept"] <= 60


def test_the_result_is_the_bleu_of_the_last_validation(run: Run) -> None:
    result = run.result
    assert result is not None
    assert result["score"]["validation"] == run.read_log()[-1]["valid/bleu"]


def test_a_perfect_network_has_a_bleu_of_100(tmp_path: Path, isolated_home: Path) -> None:
    task = task_of(tmp_path)
    rows = range(len(task.held))
    tokens = [task.held.target.padded(torch.tensor([row]))[0, :-1].tolist() for row in rows]
    assert task.bleu(tokens) == pytest.approx(100.0)
    assert task.bleu([[]] * len(tokens)) == 0.0


def task_of(folder: Path) -> Task:
    from mlspring.homeworks.hw05_translation import data, vocabulary
    from tests.homeworks.hw05.tools import folder_of
    from tests.tiny.translation import write_ted

    loaded = data.load(folder_of(write_ted(folder / "ted")), recipe())
    return forward_task(recipe(), loaded, vocabulary.open_vocabulary(recipe(), loaded), None)


def test_the_loss_of_a_validation_is_a_token_s_mean(tmp_path: Path, isolated_home: Path) -> None:
    task, hardware = task_of(tmp_path), train.device.choose("cpu", "fp32", work="wide")
    model = train.new_model(recipe(), task.num_tokens).train()
    total = num = 0.0
    with torch.no_grad():
        model.eval()
        for row in range(len(task.held)):
            batch = task.held.batch(torch.tensor([row]))
            log_p = model(batch.source, batch.inputs).log_softmax(2)
            total -= float(log_p.gather(2, batch.targets[:, :, None]).sum())
            num += batch.num_targets
        model.train()
    measured = train.measure(model, task, hardware)
    assert measured["valid__loss"] == pytest.approx(total / num, abs=1e-4)
    assert model.training
