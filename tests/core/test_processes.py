"""Child processes: they end with their parent, are stopped whole, and what they took is told."""

import gc
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mlspring.core import processes as module
from mlspring.core.processes import (
    in_own_group,
    kill_group,
    read_line,
    run_measured,
)


def python(program: str, **options: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    )


WATCHERS = {
    "polite": "processes.end_with_parent_of_stdin()",
    "at once": "processes.exit_at_end_of(sys.stdin.buffer)",
}


@pytest.mark.parametrize("watcher", WATCHERS.values(), ids=WATCHERS.keys())
def test_a_child_ends_when_the_other_end_of_its_input_goes_away(watcher: str) -> None:
    child = python(
        "import sys, time\nfrom mlspring.core import processes\n"
        f"{watcher}\nprint('ready', flush=True)\ntime.sleep(60)\n"
    )
    assert child.stdin is not None and child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    time.sleep(0.2)
    assert child.poll() is None  # an open end keeps it
    child.stdin.close()
    assert child.wait(timeout=30) != 0
    child.stdout.close()


def test_a_group_is_killed_with_all_that_it_started() -> None:
    child = python(
        "import subprocess, sys, time\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(inner.pid, flush=True)\ntime.sleep(60)\n",
        **in_own_group(),
    )
    assert child.stdout is not None
    inner = psutil.Process(int(child.stdout.readline()))
    kill_group(child)
    assert child.wait(timeout=30) != 0
    _, alive = psutil.wait_procs([inner], timeout=30)
    assert not alive or alive[0].status() == psutil.STATUS_ZOMBIE
    for stream in (child.stdin, child.stdout):
        assert stream is not None
        stream.close()


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("print('a' * 100_000); print('b')", b"a" * 100_000 + b"\n"),
        ("print('half', end='')", b"half"),
        ("pass", b""),
        ("import time; time.sleep(60)", None),
        ("import time; print('half', end='', flush=True); time.sleep(60)", None),
    ],
)
def test_a_line_is_waited_for_with_a_limit(program: str, answer: bytes | None) -> None:
    child = python(program)
    assert child.stdout is not None
    assert read_line(child.stdout, 2.0 if answer is None else 30.0) == answer
    child.stdout.close()  # also while the reader still waits
    child.kill()
    child.communicate()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_reading_a_line_leaves_no_descriptor_open() -> None:
    gc.collect()  # what earlier tests left open is closed at any time, by this at once
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        end, start = os.pipe()
        os.write(start, b"line\n")
        with os.fdopen(end, "rb") as stream:
            assert read_line(stream, 30.0) == b"line\n"
        os.close(start)
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 25, "one each would be 50 more"


BLOCK = "block = bytearray(200 * 2**20); block[::4096] = b'x' * len(block[::4096])"


@pytest.mark.parametrize("system", ["unix", "windows"])
def test_what_a_process_took_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    if system == "windows":
        monkeypatch.delattr(os, "wait4", raising=False)
    program = f"import sys, time; {BLOCK}; time.sleep(0.5); print('out'); sys.exit(3)"
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        cost = run_measured([sys.executable, "-c", program], stdout=out, stderr=err)
    assert cost.code == 3
    assert cost.seconds >= 0.5
    assert cost.memory_mib >= 200
    assert (tmp_path / "out").read_text().strip() == "out"


def test_an_interrupted_wait_stops_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def interrupted(process: "subprocess.Popen[bytes]") -> tuple[int, float]:
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_waited", interrupted)
    with (tmp_path / "out").open("wb") as out, pytest.raises(KeyboardInterrupt):
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        run_measured(command, stdout=out, stderr=out)
    assert started[0].poll() not in (None, 0), "it was stopped, not waited for"
