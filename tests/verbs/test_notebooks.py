"""The notebook ways that speed is measured against: each trains at each level."""

import importlib
import json
import math
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.notebooks import way as shared
from benchmarks.notebooks.hw13 import TEACHER
from benchmarks.speed_plans import PLANS
from mlspring.core.errors import DataError, RecipeError
from mlspring.homeworks.hw13_compression import models
from mlspring.homeworks.hw13_compression.architecture import residual
from mlspring.kit import checkpoint
from mlspring.worlds.lander import fast_env
from tests.tiny.islands import TINY

LEVELS = [(homework, level) for homework, plan in PLANS.items() for level in plan.levels]
FEW = ("train.steps=4", "train.validate_every=2")
# What keeps the level's own network where the contract's recipe takes another.
OWN = {
    "hw13": ("data.image_size=32", "train.batch_size=16", *FEW, "train.warmup_steps=0"),
    "hw14": (*TINY["hw14"].small, "train.steps_per_task=3", "train.validate_every=2"),
}
Told = dict[str, Any]
Train = Callable[..., Told]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {hw: TINY[hw].write_data(tmp_path_factory.mktemp("tiny") / "data") for hw in PLANS}


@pytest.fixture
def train(folders: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> Train:
    """Run a notebook for a few updates and return what it prints."""

    def run(homework: str, level: str, *words: str) -> Told:
        folder = folders[homework]
        if homework == "hw13":
            checkpoint.save_weights(folder / TEACHER, models.build(residual(16)), {})
        if homework == "hw12":
            fast_env.lander_class()  # imports Box2D, whose warnings would be errors here
        changes = OWN.get(homework, (*TINY[homework].small, *FEW))
        sets = [word for change in changes for word in ("--set", change)]
        module = importlib.import_module(f"benchmarks.notebooks.{homework}")
        shared.run(homework, module.train, [str(folder), "--level", level, *sets, *words])
        told: Told = json.loads(capsys.readouterr().out)
        return told

    return run


@pytest.mark.parametrize(("homework", "level"), LEVELS)
def test_each_notebook_trains_at_each_level(homework: str, level: str, train: Train) -> None:
    told = train(homework, level, "--seed", "1")
    clocks = [seconds for seconds, _ in told["reached"]]
    scores = [score for _, score in told["reached"]]
    assert told["ended"] == "training"
    assert told["share"] == (0.0 if homework == "hw12" else 1.0)  # hw12 counts its own steps
    assert clocks == sorted(clocks) and clocks[-1] <= told["seconds"]
    assert all(0 <= score < math.inf for score in scores)
    assert told["peak_memory_mib"] > 0
    if homework == "hw12":
        assert scores == sorted(set(scores))  # steps of the environment


def test_a_run_ends_when_it_has_the_score(train: Train) -> None:
    told = train("hw03", "simple", "--until", "0.0")
    assert told["ended"] == "score" and len(told["reached"]) == 1


def test_a_run_ends_when_its_time_is_up(train: Train) -> None:
    told = train("hw01", "strong", "--stop-after", "0")
    assert told["ended"] == "time" and not told["reached"] and told["share"] == 0


def test_a_run_goes_on_for_a_score_after_the_recipe_s_updates(folders: dict[str, Path]) -> None:
    words, batches = [str(folders["hw01"]), "--level", "strong"], [(torch.zeros(1),)] * 3
    alone = shared.Way("hw01", words).updates(batches, 4)
    assert [number for number, _ in alone] == [1, 2, 3, 4]
    wanted = shared.Way("hw01", [*words, "--until", "0.0"]).updates(batches, 4)
    assert [number for number, _ in islice(wanted, 10)] == list(range(1, 11))


def test_what_is_not_restated_is_refused(train: Train) -> None:
    with pytest.raises(RecipeError, match="mixup"):
        train("hw03", "strong", "--set", "augment.mixup=0.5")


def test_a_loader_without_a_batch_is_refused(folders: dict[str, Path]) -> None:
    made = shared.Way("hw03", [str(folders["hw03"]), "--level", "simple", "--until", "2.0"])
    with pytest.raises(DataError, match="no batch"):
        next(made.updates([], 4))


def test_a_lower_error_is_better_where_it_is_an_error(folders: dict[str, Path]) -> None:
    words = [str(folders["hw01"]), "--level", "strong", "--until", "2.0"]
    made = shared.Way("hw01", words)
    made.validated(2.5)
    with pytest.raises(shared.Ended, match="score"):
        made.validated(2.0)


def test_the_rate_begins_anew_when_the_schedule_has_ended(folders: dict[str, Path]) -> None:
    made = shared.Way("hw03", [str(folders["hw03"]), "--level", "simple"])
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    steps, rates = made.recipe.train.steps, []
    for step in (1, steps // 2, steps, steps + 1):
        made.set_rate(optimizer, step)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[0] > rates[1] > rates[2] and rates[3] == rates[0]


def test_the_average_trails_the_weights() -> None:
    model, average = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    torch.nn.init.constant_(model.weight, 1.0)
    torch.nn.init.constant_(average.weight, 0.0)
    shared.move_average(average, model, 0.75, 1000)
    assert average.weight.item() == pytest.approx(0.25)
