"""Teachers of homework 13: made once and kept, stopped and waited for, and their assistants."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from mlspring.core.errors import RecipeError, RunError
from mlspring.core.files import read_json, write_json
from mlspring.core.locks import Lock, LockedError
from mlspring.core.source import official
from mlspring.homeworks.hw13_compression import compress, data, tasks, teacher, train
from mlspring.kit import checkpoint
from tests.homeworks.test_hw13_train import go, load, teachers
from tests.tiny.compression import write_food13


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data; runs on it draw no figures."""
    monkeypatch.setattr("mlspring.verbs.figures.draw_all", lambda *_: ())
    return write_food13(tmp_path / "data")


def test_a_teacher_is_trained_once_for_all_runs_and_stated(folder: Path) -> None:
    first = go(folder)
    (place,) = teachers()
    touched = {file: file.stat().st_mtime_ns for file in place.parent.rglob("*") if file.is_file()}
    second = go(folder, seed=1)
    for file, moment in touched.items():
        assert file.stat().st_mtime_ns == moment or file.name == ".lock"
    assert first.state["teacher"] == second.state["teacher"]
    facts = read_json(place)
    assert first.state["teacher"]["accuracy"] == facts["accuracy"]
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
    with pytest.raises(LockedError):
        take_lock(place)
    done.set()
    with teacher._turn(place):
        assert read_json(place / "facts.json") == {"accuracy": 0.5}, "it waited for the other"
    other.join(60)


def take_lock(place: Path) -> None:
    Lock(place / ".lock").release()


# ---- an assistant between teacher and student

ASSISTED = ("distill.assistant=3", "distill.weight=0.9")


def test_an_assistant_learns_from_the_teacher_and_teaches_the_student(folder: Path) -> None:
    go(folder, "distill.weight=0.9")
    (first,) = teachers()
    run = go(folder, *ASSISTED)
    (second,) = set(teachers()) - {first}
    large, small = (read_json(facts) for facts in (first, second))
    assert small["parameters"] > large["parameters"], "width 3 after width 2"
    assert run.state["teacher"]["accuracy"] == small["accuracy"]
    facts = read_json(compress.path(run))
    shown = {row["name"]: row["parameters"] for row in facts["networks"]}
    assert shown["teacher (residual)"] == large["parameters"]
    assert shown["assistant (residual)"] == small["parameters"]
    assert facts["softness_of"] == "assistant" and facts["softness"] == small["softness"]
    assert facts["teacher_pruning"] == large["pruning"]

    touched = {file: file.stat().st_mtime_ns for file in (first, second)}
    go(folder, *ASSISTED, seed=1)
    assert {file: file.stat().st_mtime_ns for file in teachers()} == touched, "made once"


def test_an_assistant_of_another_teacher_or_lesson_is_another(folder: Path) -> None:
    go(folder, *ASSISTED)
    assert len(teachers()) == 2
    go(folder, *ASSISTED, "distill.temperature=7.0")
    assert len(teachers()) == 3
    go(folder, *ASSISTED, "teacher.seed=1")
    assert len(teachers()) == 5


def test_each_learns_from_the_one_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = []
    fit = train.fit

    def note(task: tasks.Task, *rest: Any) -> int:
        fitted.append(task)
        return fit(task, *rest)

    monkeypatch.setattr(train, "fit", note)
    go(folder, *ASSISTED)
    first, assistant, student, pruned = fitted
    assert [task.architecture.channels[0] for task in (first, assistant)] == [2, 3]
    assert first.teacher is None and not first.distill.learns
    assert assistant.teacher.architecture == first.architecture
    assert student.teacher.architecture == pruned.teacher.architecture == assistant.architecture
    assert assistant.distill == student.distill and assistant.distill.weight == 0.9


def test_a_student_that_starts_as_the_teacher_starts_as_the_first_one(folder: Path) -> None:
    channels = "[2, 2, 3, 4, 4, 8, 8, 8, 8]"
    words = ("student.name=residual", f"student.channels={channels}", "student.start=teacher")
    go(folder, *words, "distill.weight=0.9")
    with pytest.raises(RecipeError, match="asks for 3 channels of c0"):
        go(folder, *words, *ASSISTED, "student.channels=[3, 2, 3, 4, 4, 8, 8, 8, 8]")
