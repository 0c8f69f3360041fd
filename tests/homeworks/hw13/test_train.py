"""A run of homework 13: who trains the teacher and how often, first weights, what is measured."""

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
    networks,
    prune,
    submission,
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
    return sorted((home() / "teachers").glob("*/teacher.json"))


def test_level_simple_pays_for_no_teacher(folder: Path) -> None:
    run = go(folder, recipe="simple")
    assert not (home() / "teachers").exists()
    assert "teacher" not in run.state
    measured = read_json(compress.path(run))
    names = [row["name"] for row in measured["networks"]]
    assert names == ["student", "pruned-50", "student, int8"]
    assert measured["softness_of"] == "student"


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
    assert networks.hardware_for(recipe.student.name, run).precision == chosen
    run.close()


def test_a_resumed_run_keeps_its_teacher(folder: Path) -> None:
    run = go(folder)
    (run.folder / "result.json").unlink()
    noted = json.loads((run.folder / "state.json").read_text())
    noted["teacher"]["sha256"] = "0" * 64
    write_json(run.folder / "state.json", noted)
    with pytest.raises(RunError, match="the teacher has changed since this run began"):
        verb.resume(run.folder, submit=False)


def test_a_student_can_start_as_the_pruned_teacher(folder: Path) -> None:
    channels = "[1, 2, 3, 4, 4, 8, 8, 8, 8]"
    words = ("student.name=residual", f"student.channels={channels}", "student.start=teacher")
    run = go(folder, *words, "train.learning_rate=1e-12", "train.ema_decay=0.0")
    recipe = load(*words)
    loaded = data.load(official(folder), recipe)
    large = teacher.load(recipe.teacher, loaded, teachers()[0].parent)
    channels = recipe.architecture.groups
    _, expected = prune.shrink(large.architecture, large.model, channels)
    found = networks.finished(run, 0, "student").model
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
    assert sorted(f.stem for f in run.checkpoints.iterdir()) == ["member-0", "member-1", "member-2"]
    student, large, small = (networks.finished(run, number, "") for number in range(3))
    sizes = [count_parameters(network.model) for network in (student, large, small)]
    assert sizes == sorted(sizes, reverse=True)
    logged = [(entry["member"], entry["step"]) for entry in run.read_log()]
    assert logged == [(0, 2), (1, 2), (2, 2)]
    assert "finetune/loss" in run.read_log()[1]
    rows = {row["name"]: row for row in read_json(compress.path(run))["networks"]}
    assert rows["pruned-25"]["parameters"] == sizes[2]
    assert rows["pruned-25"]["macs"] < rows["student"]["macs"]
    assert rows["pruned-25"]["bytes"] == (run.checkpoints / "member-2.safetensors").stat().st_size
    for row in rows.values():
        assert set(row["milliseconds"]) == {"1", "64"}
        assert 0 <= row["accuracy"] <= 1


def test_a_pruned_copy_is_made_of_the_one_before(folder: Path) -> None:
    run = go(folder, "compress.keep=[0.75, 0.25]")
    overrides = (*SMALL, *FEW, "compress.keep=[0.75, 0.25]", "distill.weight=0.0")
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "strong.toml", overrides)
    *_, last = networks.setups(recipe, run, None)
    before = networks.finished(run, 1, "pruned-75").model.state_dict()["blocks.0.conv.weight"]
    mine = last.model.state_dict()["blocks.0.conv.weight"]
    assert mine.shape[0] < before.shape[0]
    assert all((before == filter_).flatten(1).all(1).any() for filter_ in mine)


def test_what_is_done_to_the_finished_student_does_not_change_what_is_handed_in(
    folder: Path,
) -> None:
    words = ("compress.keep=[0.9, 0.25]", "compress.finetune_steps=5", "compress.finetune_rate=0.1")
    first, other = go(folder), go(folder, *words)
    copies = [run.checkpoints / "member-1.safetensors" for run in (first, other)]
    assert copies[0].read_bytes() != copies[1].read_bytes()
    one, two = (run.folder / SPEC.submission_name for run in (first, other))
    assert one.read_bytes() == two.read_bytes()


def test_the_submission_holds_the_student(folder: Path) -> None:
    run = go(folder)
    found = submission.read(run.folder / "submission.zip", data.test_ids(official(folder)))
    assert found.weights == (run.checkpoints / "member-0.safetensors").read_bytes()


def test_the_average_of_the_weights_is_what_is_handed_in(folder: Path) -> None:
    """After one step it has gone 9/11 of the way, as the average warms up: (1 + 1) / (10 + 1)."""
    words = ("train.steps=1", "train.validate_every=1", "compress.keep=[]")
    trained, averaged = (
        networks.finished(go(folder, *words, f"train.ema_decay={decay}", recipe="simple"), 0, "")
        for decay in (0.0, 0.9)
    )
    _, fresh = networks.first_weights(load(*words, recipe="simple"), None, seed=0)
    after, found = dict(trained.model.named_parameters()), averaged.model.named_parameters()
    moved = 0.0
    for (name, before), (_, value) in zip(fresh.named_parameters(), found, strict=True):
        torch.testing.assert_close(value, before + 9 / 11 * (after[name] - before), msg=name)
        moved = max(moved, (after[name] - before).abs().max().item())
    assert moved > 1e-5
