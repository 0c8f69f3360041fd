"""The loop of homework 15: what is measured is what is saved; answers; the moving average."""

import contextlib
import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.core.source import official
from mlspring.homeworks.hw15_meta import data as island
from mlspring.homeworks.hw15_meta import figures, predict, train
from mlspring.homeworks.hw15_meta.methods import Learner
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.spec import SPEC
from mlspring.homeworks.hw15_meta.tasks import Pool, make_pools, make_tasks, validation_tasks
from mlspring.kit import checkpoint, device
from mlspring.kit.seeding import generator
from tests.contract.journey import run_tiny
from tests.homeworks.hw15.tools import drawn_tasks
from tests.tiny import glyphs
from tests.tiny.islands import TINY

CPU = device.choose("cpu", "fp32", work="dense")


def recipe(name: str, *overrides: str) -> Recipe:
    path = SPEC.folder / "recipes" / "world" / f"{name}.toml"
    return load_recipe(Recipe, path, [*glyphs.SMALL, *overrides])


def new_network(knobs: Recipe) -> Conv4:
    return train.new_state(knobs.model.width, knobs.method, knobs.train, 0, CPU).model


def test_what_is_measured_is_the_network_that_is_saved(tmp_path: Path) -> None:
    run = run_tiny(SPEC, tmp_path, recipe="world/boss", figures=False)
    knobs = load_recipe(Recipe, run.folder / "recipe.toml")
    data = island.load(official(tmp_path / "data"), knobs)
    _, held_out = make_pools(data, knobs.data, 0, CPU.device)
    unseen = validation_tasks(held_out, knobs.train.valid_tasks, 0)
    logits = train.answer(predict.trained(knobs, run, CPU), knobs.test_loop, unseen, CPU)
    measured, logged = train.measure(logits, unseen), run.read_log()[-1]
    assert measured["valid__loss"] == pytest.approx(logged["valid/loss"], abs=2e-5)
    kept = checkpoint.read_metadata(checkpoint.weights_path(run, 0))
    assert kept["accuracy"] == pytest.approx(measured["valid__accuracy"])


def test_a_study_trains_a_network_for_each_number_of_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = (*glyphs.SMALL, "study.characters=[5, 7]")
    monkeypatch.setitem(TINY, "hw15", replace(TINY["hw15"], small=small))
    run = run_tiny(SPEC, tmp_path, recipe="world/tasks")
    kept = [checkpoint.read_metadata(checkpoint.weights_path(run, n)) for n in range(3)]
    numbers = [metadata["characters"] for metadata in kept]
    assert numbers == [8, 5, 7], "all there are, then the study's"
    assert {entry["member"] for entry in run.read_log()} == set(range(3))
    with (run.figures / "q1_characters.csv").open(newline="") as stream:
        assert [int(row["characters"]) for row in csv.DictReader(stream)] == [5, 7, 8]


@pytest.mark.parametrize("method", ["maml", "protonet"])
def test_batches_and_labels_are_no_matter_to_the_answers(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    knobs = recipe("strong", f"method.name={method}")
    model, inner, tasks = new_network(knobs), knobs.test_loop, drawn_tasks(7, torch.float32)
    whole = train.answer(model, inner, tasks, CPU)
    blind = replace(tasks, labels=torch.zeros_like(tasks.labels))
    assert torch.equal(train.answer(model, inner, blind, CPU), whole)
    monkeypatch.setattr(train, "EVAL_BATCH", 2)
    assert torch.allclose(train.answer(model, inner, tasks, CPU), whole, atol=1e-5)


def trained_weights(folder: Path, *overrides: str) -> dict[str, torch.Tensor]:
    """Return the finished weights of boss after one step, with overrides."""
    knobs = recipe("boss", "train.steps=1", *overrides)
    if not (folder / "data").exists():
        glyphs.write_omniglot(folder / "data")
    request = Request(homework="hw15", recipe="boss", seed=0, device="cpu", precision="fp32")
    with contextlib.closing(Run.create(folder, request, "")) as run:
        train.train(knobs, island.load(official(folder / "data"), knobs), run)
        return dict(predict.trained(knobs, run, CPU).named_parameters())


def test_what_is_saved_is_the_moving_average_of_the_weights(tmp_path: Path) -> None:
    """One step with and without it: the decay is (1 + 1) / (10 + 1), so 9 / 11 of the way."""
    plain, average = (trained_weights(tmp_path, f"train.ema_decay={d}") for d in ("0.0", "0.99"))
    for name, start in new_network(recipe("boss")).named_parameters():
        assert torch.allclose(average[name], start + 9 / 11 * (plain[name] - start), atol=1e-6)
    moved = (plain["head.weight"] - average["head.weight"]).abs().max()
    assert moved > 1e-4, "the two are not the same network"


def test_gradients_are_clipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam divides by the gradient's size plus 1e-8: far smaller gradients move far less."""
    monkeypatch.setattr(train, "CLIP_NORM", 1e-12)
    start = new_network(recipe("boss")).head.weight
    end = trained_weights(tmp_path, "train.ema_decay=0.0")["head.weight"]
    assert 0 < (end - start).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("name", "second_order"),
    [("medium", False), ("strong", True), ("boss", True), ("anil", True), ("reptile", False)],
)
def test_training_goes_through_the_inner_loop_where_the_method_says_so(
    name: str, second_order: bool
) -> None:
    knobs = recipe(name)
    assert knobs.training_loop.second_order == second_order
    assert knobs.training_loop.steps == knobs.method.inner_steps
    assert not knobs.test_loop.second_order
    assert knobs.test_loop.steps == knobs.predict.inner_steps
    assert knobs.training_loop.head_only == (name == "anil")


def test_an_interval_is_of_the_tasks_not_of_the_images() -> None:
    tasks = drawn_tasks(4, torch.float32)
    logits = torch.nn.functional.one_hot(tasks.labels, 5).float()
    logits[:2] = logits[:2].roll(1, 2)  # two tasks all wrong, two all right
    found = train.interval(logits, tasks)
    assert found["accuracy"] == 0.5
    assert found["half_width"] == pytest.approx(1.96 * np.std([0, 0, 1, 1], ddof=1) / 2, abs=1e-4)


def test_a_task_answered_four_ways_up_is_the_mean_of_the_four(tmp_path: Path) -> None:
    run = run_tiny(SPEC, tmp_path, recipe="world/boss", figures=False)
    knobs = load_recipe(Recipe, run.folder / "recipe.toml")
    data = island.load(official(tmp_path / "data"), knobs)
    once = knobs.model_copy(update={"predict": knobs.predict.model_copy(update={"turns": 1})})

    def answers(quarter: int) -> NDArray[np.float32]:
        support, query = (np.rot90(p, quarter, (2, 3)) for p in (data.support, data.query))
        return predict.log_probabilities(once, replace(data, support=support, query=query), run)

    expected = sum(answers(quarter) for quarter in range(4)) / 4
    assert np.allclose(predict.log_probabilities(knobs, data, run), expected, atol=1e-5)


def test_no_step_makes_the_host_wait_for_a_gpu() -> None:
    """Only so can a step be captured as a CUDA graph."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    hardware = device.choose("cuda", "bf16", work="conv")
    knobs = recipe("boss")
    state = train.new_state(4, knobs.method, knobs.train, 0, hardware)
    learner = Learner(state.model, knobs.training_loop)
    pool = Pool(images=torch.zeros(8, 4, 28, 28, dtype=torch.uint8, device="cuda"), turns=4)

    def step() -> torch.Tensor:
        tasks = make_tasks(pool, 4, 5, 1, generator(0))
        with hardware.autocast():
            losses, _ = learner(tasks)
        losses.mean().backward()
        return losses.detach()

    assert step().isfinite().all()  # the first step loads kernels
    torch.cuda.set_sync_debug_mode("error")
    try:
        losses = step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert losses.isfinite().all()


def test_a_figure_says_what_training_had_to_do_with_inner_steps() -> None:
    titles = [
        figures._training(recipe(name).method) for name in ("strong", "boss", "simple", "protonet")
    ]
    assert titles == [
        "MAML, trained with 1 inner step",
        "MAML, trained with 2 inner steps",
        "transfer learning, trained without inner steps",
        "prototypical network, trained without inner steps",
    ]
