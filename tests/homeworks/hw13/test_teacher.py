"""The teacher of homework 13: made once and kept, stopped and waited for."""

import multiprocessing
import threading
from pathlib import Path

import pytest

from mlspring.core.errors import RunError
from mlspring.core.files import read_json, write_json
from mlspring.core.locks import locked
from mlspring.core.source import official
from mlspring.homeworks.hw13_compression import data, teacher
from tests.homeworks.hw13.test_train import go, load, teachers
from tests.homeworks.stops import stopped_at
from tests.tiny.compression import write_food13


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data; runs on it draw no figures."""
    monkeypatch.setattr("mlspring.verbs.figures.draw_all", lambda *_: ())
    return write_food13(tmp_path / "data")


def test_a_teacher_is_trained_once_for_all_runs_and_stated(folder: Path) -> None:
    first = go(folder)
    (kept,) = teachers()
    touched = {file: file.stat().st_mtime_ns for file in kept.parent.rglob("*") if file.is_file()}
    second = go(folder, seed=1)
    for file, time in touched.items():
        assert file.stat().st_mtime_ns == time or file.name == ".lock"
    assert first.state["teacher"] == second.state["teacher"]
    measured = read_json(kept)
    assert first.state["teacher"]["accuracy"] == measured["accuracy"]
    assert measured["held_out"] == 22
    assert not list(kept.parent.rglob("*.part"))
    assert not list(kept.parent.rglob("*.state.safetensors"))


def test_another_teacher_or_other_pictures_have_a_place_of_their_own(folder: Path) -> None:
    go(folder)
    go(folder, "teacher.steps=5")
    (folder / "food11-hw13" / "training" / "3_0.jpg").unlink()
    go(folder)
    assert len(teachers()) == 3


def test_a_damaged_teacher_is_told(folder: Path) -> None:
    go(folder)
    weights = teachers()[0].parent / "checkpoints" / "member-0.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(RunError, match=r"(?s)cannot be read as safetensors.*remove .*anew"):
        go(folder)


def test_a_stopped_teacher_goes_on_where_it_stood(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(folder, "train.checkpoint_seconds=0.0")
    whole = (teachers()[0].parent / "checkpoints" / "member-0.safetensors").read_bytes()
    expected = teachers()[0].name
    monkeypatch.setenv("MLSPRING_HOME", str(folder.parent / "other"))
    with stopped_at(3, monkeypatch) as steps:
        go(folder, "train.checkpoint_seconds=0.0")
    assert steps == [1, 2, 3]
    assert not teachers()
    go(folder, "train.checkpoint_seconds=0.0")
    (again,) = teachers()
    assert again.name == expected
    assert (again.parent / "checkpoints" / "member-0.safetensors").read_bytes() == whole


def hold(kept: str, ready: object, done: object) -> None:
    """Hold a teacher's lock until told, then leave a finished teacher."""
    with locked(Path(kept) / ".lock"):
        ready.set()  # type: ignore[attr-defined]
        done.wait(60)  # type: ignore[attr-defined]
        write_json(Path(kept) / "teacher.json", {"accuracy": 0.5})


def test_two_processes_never_train_the_same_teacher_at_once(folder: Path) -> None:
    """The second waits, finds the teacher there and trains none."""
    recipe = load()
    kept = teacher.folder_of(recipe, data.load(official(folder), recipe))
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(kept), ready, done))
    other.start()
    assert ready.wait(60)
    threading.Timer(1.0, done.set).start()
    with pytest.raises(RunError, match=r"member-0\.safetensors"):
        go(folder)  # the other left no weights: had this one trained, there would be some
    other.join(60)
    assert read_json(kept / "teacher.json") == {"accuracy": 0.5}
