"""The loop of homework 15: what is measured is what is saved; answers; the joint assignment."""

import csv
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Run
from mlspring.core.source import official
from mlspring.homeworks.hw15_meta import data as island
from mlspring.homeworks.hw15_meta import figures, predict, train
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.spec import SPEC
from mlspring.homeworks.hw15_meta.tasks import Tasks, make_pools
from mlspring.kit import checkpoint, device
from tests.contract.journey import run_tiny
from tests.tiny import glyphs
from tests.tiny.islands import TINY

CPU = device.choose("cpu", "fp32", work="dense")


def recipe(name: str, *overrides: str) -> Recipe:
    path = SPEC.folder / "recipes" / "world" / f"{name}.toml"
    return load_recipe(Recipe, path, [*glyphs.SMALL, *overrides])


def drawn(num_tasks: int) -> Tasks:
    stream = torch.Generator().manual_seed(5)
    return Tasks(
        support=torch.rand(num_tasks, 5, 28, 28, generator=stream),
        query=torch.rand(num_tasks, 5, 28, 28, generator=stream),
        labels=torch.arange(5).expand(num_tasks, 5),
    )


def test_what_is_measured_is_the_network_that_is_saved(tmp_path: Path) -> None:
    run = run_tiny(SPEC, tmp_path, recipe="world/boss", figures=False)
    knobs = load_recipe(Recipe, run.folder / "recipe.toml")
    data = island.load(official(tmp_path / "data"), knobs)
    _, held_out = make_pools(knobs, data, 0, CPU.device)
    unseen = train.validation_tasks(held_out, knobs, 0)
    logits = train.answer(predict.trained(knobs, run, CPU), knobs, unseen, CPU)
    measured, logged = train.measure(logits, unseen), run.read_log()[-1]
    assert measured["valid__loss"] == pytest.approx(logged["valid/loss"], abs=2e-5)
    facts = checkpoint.read_metadata(checkpoint.weights_path(run, 0))
    assert facts["accuracy"] == pytest.approx(measured["valid__accuracy"])


def test_a_study_trains_a_network_for_each_number_of_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = (*glyphs.SMALL, "study.characters=[5, 7]")
    monkeypatch.setitem(TINY, "hw15", replace(TINY["hw15"], small=small))
    run = run_tiny(SPEC, tmp_path, recipe="world/tasks")
    found = [
        checkpoint.read_metadata(checkpoint.weights_path(Run.open(run.folder), number))
        for number in range(3)
    ]
    assert [facts["characters"] for facts in found] == [8, 5, 7], "all there are, then the study's"
    assert {entry["member"] for entry in run.read_log()} == set(range(3))
    with (run.figures / "q1_characters.csv").open(newline="") as stream:
        assert [int(row["characters"]) for row in csv.DictReader(stream)] == [5, 7, 8]


def test_batches_of_tasks_are_no_matter_to_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    knobs = recipe("strong")
    model = train.new_state(0, knobs, 0, CPU).model
    whole = train.answer(model, knobs, drawn(7), CPU)
    monkeypatch.setattr(train, "EVAL_BATCH", 2)
    assert torch.allclose(train.answer(model, knobs, drawn(7), CPU), whole, atol=1e-5)


def test_labels_are_not_looked_at() -> None:
    knobs, tasks = recipe("strong"), drawn(3)
    model = train.new_state(0, knobs, 0, CPU).model
    blind = Tasks(support=tasks.support, query=tasks.query, labels=torch.zeros_like(tasks.labels))
    first, second = (train.answer(model, knobs, some, CPU) for some in (tasks, blind))
    assert torch.equal(first, second)


def test_an_interval_is_of_the_tasks_not_of_the_images() -> None:
    tasks = drawn(4)
    logits = torch.nn.functional.one_hot(tasks.labels, 5).float()
    logits[:2] = logits[:2].roll(1, 2)  # two tasks all wrong, two all right
    found = train.interval(logits, tasks)
    assert found["accuracy"] == 0.5
    assert found["half_width"] == pytest.approx(1.96 * np.std([0, 0, 1, 1], ddof=1) / 2, abs=1e-4)


def test_the_joint_answer_is_the_best_of_all_permutations() -> None:
    logs = np.random.default_rng(0).normal(size=(20, 5, 5)).astype(np.float32)
    found = predict.best_assignments(logs)
    for table, answer in zip(logs, found, strict=True):
        best = max(
            itertools.permutations(range(5)),
            key=lambda p: sum(table[i, c] for i, c in enumerate(p)),
        )
        assert answer.tolist() == list(best)


def test_no_test_tasks_give_no_answers() -> None:
    assert predict.best_assignments(np.empty((0, 5, 5), np.float32)).shape == (0, 5)


def test_a_figure_says_what_training_had_to_do_with_inner_steps() -> None:
    titles = [figures._training(recipe(name)) for name in ("strong", "boss", "simple", "protonet")]
    assert titles == [
        "MAML, trained with 1 inner step",
        "MAML, trained with 2 inner steps",
        "transfer learning, trained without inner steps",
        "prototypical network, has no inner loop",
    ]
