"""File locks: one holder at a time, none after a kill, and nothing that is there is changed."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlspring.core.errors import MachineError
from mlspring.core.locks import Lock, LockedError, locked

HOLDER = """
import sys, time
from pathlib import Path
from mlspring.core.locks import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def hold(path: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_lock_has_one_holder_in_and_between_processes(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    first = Lock(path)
    with pytest.raises(LockedError):
        Lock(path)
    with pytest.raises(LockedError), locked(path):
        pass
    first.release()
    first.release()  # twice is once
    with locked(path), pytest.raises(LockedError):
        Lock(path)
    Lock(path).release()


def test_a_lock_belongs_to_the_process_and_not_to_the_thread_that_took_it(tmp_path: Path) -> None:
    taken: list[Lock] = []
    thread = threading.Thread(target=lambda: taken.append(Lock(tmp_path / "lock")))
    thread.start()
    thread.join()
    with pytest.raises(LockedError):
        Lock(tmp_path / "lock")
    taken[0].release()
    Lock(tmp_path / "lock").release()


def test_a_killed_process_gives_its_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = hold(path)
    with pytest.raises(LockedError):
        Lock(path)
    process.kill()
    process.communicate()
    Lock(path).release()


def test_whoever_waits_says_so_once_and_comes_next(tmp_path: Path) -> None:
    path, said, done = tmp_path / "lock", [], []
    process = hold(path)

    def wait() -> None:
        with locked(path, on_wait=lambda: said.append("waiting")):
            done.append("mine")

    waiting = threading.Thread(target=wait)
    waiting.start()
    waiting.join(0.5)
    assert (said, done) == (["waiting"], [])
    process.kill()
    process.communicate()
    waiting.join(30)
    assert (said, done) == (["waiting"], ["mine"])
    with locked(path, on_wait=lambda: said.append("waiting again")):
        pass
    assert said == ["waiting"]


def test_an_error_inside_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), locked(tmp_path / "lock"):
        raise ValueError("inside")
    Lock(tmp_path / "lock").release()


def test_what_stands_in_the_place_of_a_lock_is_never_changed(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("300 pages")
    (tmp_path / "link").symlink_to(thesis)
    with pytest.raises(MachineError, match="link: cannot be written"):
        Lock(tmp_path / "link")
    Lock(thesis).release()
    os.link(thesis, tmp_path / "same")
    Lock(tmp_path / "same").release()
    assert thesis.read_text() == "300 pages"


def test_a_lock_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MachineError, match="cannot be written"):
        Lock(tmp_path / "file" / "lock")
