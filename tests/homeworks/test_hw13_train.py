"""A run of homework 13: who trains the teacher and how often, first weights, measured facts."""

import json
import multiprocessing
from pathlib import Path

import pytest
import torch

from mlspring.catalog import find
from mlspring.core.errors import DataError, RecipeError, RunError
from mlspring.core.files import home, read_json, write_json
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.core.source import official
from mlspring.homeworks.hw13_compression import compress, data, prune, tasks, teacher
from mlspring.homeworks.hw13_compression.architecture import group_names, resnet18
from mlspring.homeworks.hw13_compression.cost import count_parameters
from mlspring.homeworks.hw13_compression.models import build
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.kit import checkpoint, device
from mlspring.verbs import run as verb
from tests.tiny.compression import SMALL, write_food13

SPEC = find("hw13")
FEW = ("train.steps=2", "train.validate_every=2")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data; runs on it draw no figures, which would take most of their time."""
    monkeypatch.setattr("mlspring.homeworks.hw13_compression.figures.draw", lambda *_: None)
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
    assert "teacher" not in run.environment
    facts = read_json(compress.path(run))
    assert [row["name"] for row in facts["networks"]] == ["student", "pruned-50", "student, int8"]
    assert facts["softness_of"] == "student"


def test_a_teacher_is_trained_once_for_all_runs_and_stated(folder: Path) -> None:
    first = go(folder)
    (place,) = teachers()
    touched = {file: file.stat().st_mtime_ns for file in place.parent.rglob("*") if file.is_file()}
    second = go(folder, seed=1)
    for file, moment in touched.items():
        assert file.stat().st_mtime_ns == moment or file.name == ".lock"
    assert first.environment["teacher"] == second.environment["teacher"]
    facts = read_json(place)
    assert first.environment["teacher"]["accuracy"] == facts["accuracy"]
    assert facts["held_out"] == 22
    assert not list(place.parent.rglob("*.part"))
    assert not list(place.parent.rglob("*.state.safetensors"))


def test_another_teacher_or_other_pictures_have_a_place_of_their_own(folder: Path) -> None:
    go(folder)
    go(folder, "teacher_train.steps=5")
    (folder / "food11-hw13" / "training" / "3_0.jpg").unlink()
    go(folder)
    assert len(teachers()) == 3


def test_a_damaged_teacher_is_told(folder: Path) -> None:
    go(folder)
    weights = teachers()[0].parent / "checkpoints" / "teacher.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(RunError, match=r"(?s)cannot be read as safetensors.*remove .*anew"):
        go(folder)


def test_a_stopped_teacher_goes_on_where_it_stood(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(folder, "teacher_train.checkpoint_seconds=0.0")
    whole = (teachers()[0].parent / "checkpoints" / "teacher.safetensors").read_bytes()
    expected = teachers()[0].name
    monkeypatch.setenv("MLSPRING_HOME", str(folder.parent / "other"))

    steps = []
    save_state = checkpoint.save_state

    def stop_at_3(path: Path, modules: object, optimizer: object, facts: dict) -> None:  # type: ignore[type-arg]
        save_state(path, modules, optimizer, facts)  # type: ignore[arg-type]
        steps.append(facts["step"])
        if facts["step"] == 3 and len(steps) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_state", stop_at_3)
        with pytest.raises(KeyboardInterrupt):
            go(folder, "teacher_train.checkpoint_seconds=0.0")
    assert steps == [1, 2, 3]
    assert not teachers()
    go(folder, "teacher_train.checkpoint_seconds=0.0")
    (facts,) = teachers()
    assert facts.name == expected
    assert (facts.parent / "checkpoints" / "teacher.safetensors").read_bytes() == whole


def hold(place: str, ready: object, done: object) -> None:
    """Hold a teacher's lock until told."""
    with teacher._turn(Path(place)):
        ready.set()  # type: ignore[attr-defined]
        done.wait(60)  # type: ignore[attr-defined]
        write_json(Path(place) / "facts.json", {"accuracy": 0.5})


def test_two_processes_never_train_the_same_teacher_at_once(folder: Path) -> None:
    recipe = load()
    loaded = data.load(official(folder), recipe)
    place = teacher.folder(recipe, loaded)
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(place), ready, done))
    other.start()
    assert ready.wait(60)
    with pytest.raises(BlockingIOError):
        take_lock(place)
    done.set()
    with teacher._turn(place):
        assert read_json(place / "facts.json") == {"accuracy": 0.5}, "it waited for the other"
    other.join(60)


def take_lock(place: Path) -> None:
    import fcntl

    with (place / ".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


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
    facts = json.loads((run.folder / "environment.json").read_text())
    facts["teacher"]["sha256"] = "0" * 64
    write_json(run.folder / "environment.json", facts)
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
    *_, last = tasks.tasks(recipe, run, None)
    before = tasks.finished(run, "pruned-75").model.state_dict()["blocks.0.conv.weight"]
    mine = last.model.state_dict()["blocks.0.conv.weight"]
    assert mine.shape[0] < before.shape[0]
    assert all((before == filter_).flatten(1).all(1).any() for filter_ in mine)


def test_the_submission_holds_the_student(folder: Path) -> None:
    run = go(folder)
    from mlspring.homeworks.hw13_compression import submission

    found = submission.read(run.folder / "submission.zip", data.test_ids(official(folder)))
    assert found.num_parameters == count_parameters(tasks.finished(run, "student").model)


# ---- the course's own teacher


@pytest.fixture
def given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    torch.manual_seed(0)
    file = folder / "food11-hw13" / data.TEACHER
    torch.save(build(resnet18()).state_dict(), file)
    monkeypatch.setattr(compress, "SHARES", (0.0, 0.5))  # eleven million weights a network
    return file


def test_the_given_teacher_is_read_and_examined_once(given: Path) -> None:
    run = go(given.parents[1], "teacher.source=given", recipe="medium")
    (facts,) = teachers()
    assert read_json(facts)["parameters"] == 11_182_155
    assert read_json(facts)["bytes"] == given.stat().st_size
    rows = read_json(compress.path(run))["networks"]
    assert "teacher (resnet18)" in [row["name"] for row in rows]


def test_the_given_teacher_sees_imagenet_s_normalisation() -> None:
    class Echo(torch.nn.Module):
        classify = torch.nn.Identity()

        def maps(self, images: torch.Tensor) -> list[torch.Tensor]:
            return [images]

    pixels = torch.rand(2, 3, 4, 4)
    ours = (pixels - 0.5) / 0.25
    theirs = teacher.Renormalised(Echo()).maps(ours)[0]
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    torch.testing.assert_close(theirs, (pixels - mean) / std)


def test_without_the_given_file_the_way_out_is_told(folder: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)no resnet18_teacher\.ckpt.*mlspring fetch hw13"):
        go(folder, "teacher.source=given", recipe="medium")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("truncated", "cannot be read as tensors"),
        ("text", "cannot be read as tensors"),
        ("pickle", "cannot be read as tensors"),
        ("list", "is no state dict"),
        ("missing", "fc.bias is missing"),
        ("shape", r"fc.bias has shape \(12,\)"),
        ("extra", r"more has shape \(1,\); expected no such tensor"),
    ],
)
def test_a_wrong_checkpoint_is_told(folder: Path, spoil: str, message: str) -> None:
    file = folder / data.TEACHER
    state: object = build(resnet18()).state_dict()
    assert isinstance(state, dict)
    if spoil == "missing":
        del state["fc.bias"]
    elif spoil == "shape":
        state["fc.bias"] = torch.zeros(12)
    elif spoil == "extra":
        state["more"] = torch.zeros(1)
    elif spoil == "list":
        state = [1, 2]
    elif spoil == "pickle":
        state = Path  # a class: weights_only refuses it
    torch.save(state, file)
    if spoil == "truncated":
        file.write_bytes(file.read_bytes()[:100_000])
    elif spoil == "text":
        file.write_text("<html>")
    with pytest.raises(DataError, match=message):
        teacher.read_resnet18(file)
