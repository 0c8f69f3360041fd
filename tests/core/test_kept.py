"""A folder that many runs share: one works, the others wait and find its work."""

import threading
from pathlib import Path

import pytest

from mlspring.core.kept import kept
from mlspring.core.runs import Request

REQUEST = Request(homework="hw13", recipe="teacher", seed=0)


def test_who_comes_second_waits_and_finds_the_work_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, inside, made = tmp_path / "teacher", threading.Event(), []

    def work() -> None:
        with kept(folder, REQUEST, doing="training the teacher") as run:
            inside.set()
            if not (run.folder / "made").exists():
                made.append(1)
                (run.folder / "made").touch()

    with kept(folder, REQUEST, doing="training the teacher") as run:
        second = threading.Thread(target=work)
        second.start()
        assert not inside.wait(0.3), "the second one did not wait"
        (run.folder / "made").touch()
    second.join(10)
    assert inside.is_set() and not made
    assert "Another process is training the teacher; waiting for it" in capsys.readouterr().err


def test_half_written_files_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    half = tmp_path / "teacher" / "checkpoints" / "state.pt.part"
    half.parent.mkdir(parents=True)
    half.touch()
    whole = half.with_name("state.pt")
    whole.touch()
    with kept(tmp_path / "teacher", REQUEST, doing="training the teacher"):
        assert not half.exists() and whole.exists()


def test_the_lock_is_given_back_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), kept(tmp_path / "x", REQUEST, doing="working"):
        _ = 1 / 0
    with kept(tmp_path / "x", REQUEST, doing="working") as run:
        assert run.folder == tmp_path / "x"
