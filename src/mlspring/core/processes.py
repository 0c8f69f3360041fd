"""Child processes that end with their parent, and what a finished one cost; on every system.

A parent that is killed cannot tell its children. So each child watches something that the system
takes away when the parent dies: the other end of its standard input, or the parent itself.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import parent_process
from typing import IO, Any

from mlspring.core.machine import peak_mib

PAUSE = 0.05  # seconds between two looks at a child's memory, where the system keeps no peak


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a finished child process took.

    Args:
        code: exit status, negative after a signal.
        seconds: wall time from its start to its end, the interpreter's own start included.
        memory_mib: the largest resident memory of the process or of one of its children.
    """

    code: int
    seconds: float
    memory_mib: float


# ---- in the child


def end_with_parent_of_stdin() -> None:
    """End this process, as ``kill`` does, once the other end of its standard input is closed.

    Whoever starts it keeps that end open and writes nothing there.
    """

    def watch() -> None:
        os.read(0, 1)  # not sys.stdin: its lock would stop this interpreter from ending
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def exit_at_end_of(stream: IO[bytes]) -> None:
    """End this process at once, without cleaning up, when ``stream`` comes to its end."""

    def watch() -> None:
        stream.read()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def settle_worker() -> None:
    """Settle a worker of a process pool: Ctrl-C is the parent's, and it ends with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


# ---- in the parent


def in_own_group() -> dict[str, Any]:
    """Return the arguments of ``Popen`` that put a child into a process group of its own.

    Ctrl-C in the terminal does not reach such a child; ``kill_group`` reaches all that it started.
    """
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def read_line(stream: IO[bytes], seconds: float) -> bytes | None:
    """Return the first line of a pipe, without end if it broke off, or None if it took too long.

    A thread waits for it, because Windows cannot wait for a pipe with a limit. It reads from a
    descriptor of its own, so that the stream can be closed meanwhile.
    """
    descriptor, parts = os.dup(stream.fileno()), [b""]

    def collect() -> None:
        while b"\n" not in parts[-1] and (part := os.read(descriptor, 1 << 16)):
            parts.append(part)
        os.close(descriptor)

    thread = threading.Thread(target=collect, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return None
    return b"".join(b"".join(parts).splitlines(keepends=True)[:1])


def kill_group(child: "subprocess.Popen[bytes]") -> None:
    """Kill a child that was started ``in_own_group``, with everything that it started."""
    if sys.platform == "win32":
        import psutil

        with suppress(psutil.Error):
            for process in psutil.Process(child.pid).children(recursive=True):
                with suppress(psutil.Error):
                    process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


def run_measured(command: Sequence[str], *, stdout: IO[bytes], stderr: IO[bytes]) -> Cost:
    """Run a command to its end and return what it took; it is stopped when this call is.

    Its standard input stays open until then, see ``end_with_parent_of_stdin``. The memory is what
    the system reports for the process. Linux starts that count at the peak of the process that
    starts it, so the caller must be small: it never imports torch.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr)
    try:
        code, memory_mib = _waited(process)
    except BaseException:  # never leave a run behind that nobody waits for
        process.terminate()
        process.wait()
        raise
    finally:
        if process.stdin is not None:
            process.stdin.close()
    seconds = round(time.perf_counter() - start, 3)
    return Cost(code=code, seconds=seconds, memory_mib=memory_mib)


def _waited(process: "subprocess.Popen[bytes]") -> tuple[int, float]:
    """Return a child's exit status and its peak of memory in MiB once it has ended."""
    wait4: Callable[..., tuple[int, int, object]] | None = getattr(os, "wait4", None)
    if wait4 is not None:
        _, status, usage = wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, peak_mib(usage.ru_maxrss)  # type: ignore[attr-defined]
    import psutil

    peak = 0
    while process.poll() is None:
        with suppress(psutil.Error):
            info = psutil.Process(process.pid).memory_info()
            peak = max(peak, int(getattr(info, "peak_wset", info.rss)))
        time.sleep(PAUSE)
    return process.returncode, round(peak / 2**20, 1)
