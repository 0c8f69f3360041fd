"""The processes that a calibration measures, one at a time."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mlspring.core.errors import RunError
from mlspring.verbs.calibration.runs import run_child
from mlspring.verbs.calibration.series import only_one

UNIX = pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for the interpreter")


def test_two_calibrations_of_one_folder_exclude_each_other(tmp_path: Path) -> None:
    with (
        only_one(tmp_path),
        pytest.raises(RunError, match="another calibration"),
        only_one(tmp_path),
    ):
        pass


@UNIX
def test_a_child_is_timed_and_weighed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys, time\n"
        "block = bytearray(200 * 2**20)\n"
        "block[::4096] = b'x' * len(block[::4096])\n"
        "time.sleep(0.2)\n"
        "print(sys.argv[1:])\n"
        "print('to stderr', file=sys.stderr)\n"
        "sys.exit(3)\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    child = run_child(["run", "hw90"], tmp_path / "messages" / "x.txt")
    assert child.code == 3
    assert child.stdout == "['-m', 'mlspring.watched', 'run', 'hw90']\n"
    assert child.seconds >= 0.2
    assert child.memory_mib >= 200
    assert (tmp_path / "messages" / "x.txt").read_text() == "to stderr\n"


# What `python` is to the parent: the real one, where a run only says who it is and waits.
WAITER = """#!{python}
import os, runpy, time
from pathlib import Path
from mlspring import cli

def wait():
    Path({pid!r}).write_text(f"{{os.getpid()}}\\n")
    time.sleep(60)

cli.main = wait
runpy.run_module("mlspring.watched", run_name="__main__")
"""


@UNIX
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_a_stopped_calibration_leaves_no_run_behind(tmp_path: Path, name: str) -> None:
    number = getattr(signal, name)
    waiter, pid = tmp_path / "python", tmp_path / "pid"
    waiter.write_text(WAITER.format(python=sys.executable, pid=str(pid)))
    waiter.chmod(0o755)
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from mlspring.verbs.calibration.runs import run_child\n"
        f"sys.executable = {str(waiter)!r}\n"
        f"run_child(['run'], Path({str(tmp_path)!r}) / 'messages.txt')\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as parent:
        deadline = time.monotonic() + 30
        while not (pid.exists() and pid.read_text().endswith("\n")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        parent.send_signal(number)
        assert parent.wait(timeout=30) != 0
    child = int(pid.read_text())
    while lives(child):  # after SIGKILL it notices by itself
        assert time.monotonic() < deadline, "the run goes on without its calibration"
        time.sleep(0.05)


def lives(process: int) -> bool:
    """Return whether a process runs; one that ended and nobody waited for does not."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_measured_process_that_ends_is_not_held_up_by_its_watch(tmp_path: Path) -> None:
    child = run_child(["list", "--json"], tmp_path / "messages.txt")
    assert child.code == 0
    assert "hw01" in child.stdout
    assert (tmp_path / "messages.txt").read_text() == ""
