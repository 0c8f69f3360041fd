"""A run of homework 13: who trains the teacher and how often, first weights, measured facts."""

import json
from pathlib import Path

import pytest
import torch

from mlspring.catalog import find
from mlspring.core.errors import RecipeError, RunError
from mlspring.core.files import home, read_json, write_json
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.core.source import official
from mlspring.homeworks.hw13_compression import (
    compress,
    data,
    prune,
    tasks,
    teacher,
)
from mlspring.homeworks.hw13_compression.architecture import group_names
from mlspring.homeworks.hw13_compression.cost import count_parameters
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.kit import device
from mlspring.verbs import run as verb
from tests.tiny.compression import SMALL, write_food13

SPEC = find("hw13")
FEW = ("train.steps=2", "train.validate_every=2")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data; runs on it draw no figures, which would take most of their time."""
    monkeypatch.setattr("mlspring.verbs.figures.draw_all", lambda *_: ())
    return write_food13(tmp_path / "data")


def go(folder: Path, *overrides: str, recipe: str = "strong", seed: int = 0) -> Run:
    request = Request(
        homework="hw13",
        recipe=f"world/{recipe}",
        data=str(folder),
        seed=seed,
        device="cpu",
        precision="fp32",
        submit=False,
    )
    out = folder.parent / "runs"
    return verb.run(SPEC, request, overrides=(*SMALL, *FEW, *overrides), out=out)


def teachers() -> list[Path]:
    return sorted((home() / "teachers").glob("*/facts.json"))


def test_level_simple_pays_for_no_teacher(folder: Path) -> None:
    run = go(folder, recipe="simple")
    assert not (home() / "teachers").exists()
    assert "teacher" not in run.state
    facts = read_json(compress.path(run))
    assert [row["name"] for row in facts["networks"]] == ["student", "pruned-50", "student, int8"]
    assert facts["softness_of"] == "student"


def load(*overrides: str, recipe: str = "strong") -> Recipe:
    path = SPEC.folder / "recipes" / "world" / f"{recipe}.toml"
    return load_recipe(Recipe, path, (*SMALL, *overrides))


@pytest.mark.parametrize(
    ("name", "asked", "chosen"),
    [
        ("plain", "auto", "bf16"),
        ("residual", "auto", "bf16"),
        ("separable", "auto", "fp32"),
        ("inverted", "auto", "fp32"),
        ("separable", "bf16", "bf16"),
        ("plain", "fp32", "fp32"),
    ],
)
def test_depthwise_students_compute_in_fp32_unless_told(
    name: str, asked: str, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_bf16_pays", lambda place: True)
    channels = str([4] * len(group_names(name)))
    recipe = load(f"student.name={name}", f"student.channels={channels}")
    request = Request(homework="hw13", recipe="x", device="cpu", precision=asked)  # type: ignore[arg-type]
    run = Run.create(tmp_path, request, "")
    assert tasks.hardware_for(recipe, run).precision == chosen
    run.close()


def test_a_resumed_run_keeps_its_teacher(folder: Path) -> None:
    run = go(folder)
    (run.folder / "result.json").unlink()
    state = json.loads((run.folder / "state.json").read_text())
    state["teacher"]["sha256"] = "0" * 64
    write_json(run.folder / "state.json", state)
    with pytest.raises(RunError, match="the teacher has changed since this run began"):
        verb.resume(run.folder, submit=False)


def test_a_student_can_start_as_the_pruned_teacher(folder: Path) -> None:
    channels = "[1, 2, 3, 4, 4, 8, 8, 8, 8]"
    words = ("student.name=residual", f"student.channels={channels}", "student.start=teacher")
    run = go(folder, *words, "train.learning_rate=1e-12", "train.ema_decay=0.0")
    recipe = load(*words)
    architecture, model, _ = teacher.load(
        recipe, data.load(official(folder), recipe), teachers()[0].parent
    )
    scores = prune.channel_scores(architecture, model.state_dict())
    kept = prune.strongest(scores, recipe.architecture.groups)
    _, expected = prune.shrink(architecture, model.state_dict(), kept)
    found = tasks.finished(run, "student").model
    for (name, a), (_, b) in zip(
        expected.named_parameters(), found.named_parameters(), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6, msg=name)


def test_a_student_cannot_start_wider_than_the_teacher(folder: Path) -> None:
    words = ("student.name=residual", "student.start=teacher")
    with pytest.raises(RecipeError, match=r"asks for 9 channels of i1; expected at most .* 8"):
        go(folder, *words, "student.channels=[2, 4, 4, 9, 8, 16, 16, 16, 16]")


def test_pruned_copies_are_smaller_fine_tuned_and_measured(folder: Path) -> None:
    run = go(folder, "compress.keep=[0.75, 0.25]")
    assert sorted(f.stem for f in run.checkpoints.iterdir()) == [
        "pruned-25",
        "pruned-75",
        "student",
    ]
    student, large, small = (
        tasks.finished(run, name) for name in ("student", "pruned-75", "pruned-25")
    )
    sizes = [count_parameters(network.model) for network in (student, large, small)]
    assert sizes == sorted(sizes, reverse=True)
    logged = [(entry["member"], entry["step"]) for entry in run.read_log()]
    assert logged == [(0, 2), (1, 2), (2, 2)]
    assert "finetune/loss" in run.read_log()[1]
    rows = {row["name"]: row for row in read_json(compress.path(run))["networks"]}
    assert rows["pruned-25"]["parameters"] == sizes[2]
    assert rows["pruned-25"]["macs"] < rows["student"]["macs"]
    assert rows["pruned-25"]["bytes"] == (run.checkpoints / "pruned-25.safetensors").stat().st_size
    for row in rows.values():
        assert set(row["milliseconds"]) == {"1", "64"}
        assert 0 <= row["accuracy"] <= 1


def test_a_pruned_copy_is_made_of_the_one_before(folder: Path) -> None:
    run = go(folder, "compress.keep=[0.75, 0.25]")
    overrides = (*SMALL, *FEW, "compress.keep=[0.75, 0.25]", "distill.weight=0.0")
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "strong.toml", overrides)
    *_, last = tasks.tasks(recipe, run, ())
    before = tasks.finished(run, "pruned-75").model.state_dict()["blocks.0.conv.weight"]
    mine = last.model.state_dict()["blocks.0.conv.weight"]
    assert mine.shape[0] < before.shape[0]
    assert all((before == filter_).flatten(1).all(1).any() for filter_ in mine)


def test_what_is_done_to_the_finished_student_does_not_change_what_is_handed_in(
    folder: Path,
) -> None:
    words = ("compress.keep=[0.9, 0.25]", "compress.finetune_steps=5", "compress.finetune_rate=0.1")
    first, other = go(folder), go(folder, *words)
    assert (first.checkpoints / "pruned-50.safetensors").exists()
    assert (other.checkpoints / "pruned-25.safetensors").exists()
    one, two = (run.folder / SPEC.submission_name for run in (first, other))
    assert one.read_bytes() == two.read_bytes()


def test_the_submission_holds_the_student(folder: Path) -> None:
    run = go(folder)
    from mlspring.homeworks.hw13_compression import submission

    found = submission.read(run.folder / "submission.zip", data.test_ids(official(folder)))
    assert found.num_parameters == count_parameters(tasks.finished(run, "student").model)
