"""The command line in processes of their own, without the seconds that their imports take.

A server has imported torch and the homeworks once; each process is a fork of it, with an output, an
environment and an end of its own. What only a whole interpreter shows is in ``test_worlds``.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from mlspring.catalog import SPECS
from mlspring.verbs import figures as drawings

CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
CONTEXT: Any = multiprocessing.get_context("forkserver" if CAN_FORK else None)
PARTS = ("data", "train", "predict", "figures", "score", "submission")
WARM = [
    "pytest",
    "torch._dynamo",  # a second, which the first optimizer of a process would spend
    "matplotlib.backends.backend_svg",
    "tests.contract.journey",
    "mlspring.cli",
    "mlspring.verbs.run",
    "mlspring.verbs.report.page",
    "mlspring.kit.distributed",
    *(f"mlspring.homeworks.{spec.island}.{part}" for spec in SPECS for part in PARTS),
]


class Fork:
    """A process at the command line, used like ``subprocess.Popen``.

    Args:
        words: the arguments of ``mlspring``.
        script: run in place of the command line, as ``python script`` would; None: none is.
        output: file for what it says on stdout and stderr.
        environment: all of its variables.
        figures: whether runs draw them: half of the time.
    """

    def __init__(
        self,
        words: Sequence[str],
        script: Path | None,
        output: Path,
        environment: Mapping[str, str],
        *,
        figures: bool = True,
    ) -> None:
        self.output = output
        CONTEXT.set_forkserver_preload(WARM)
        given = ([*words], script, output, dict(environment), figures)
        with mock.patch.dict(os.environ, environment):  # the server keeps what it starts with
            self.process = CONTEXT.Process(target=_carry_out, args=given)
            self.process.start()
        atexit.register(self.process.kill)  # a failed test leaves nothing behind

    @property
    def returncode(self) -> int | None:
        """The exit code; negative for a signal; None while it runs."""
        return self.process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, number)

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Return what it said, once it has ended.

        Raises:
            TimeoutExpired: it has not ended in time.
        """
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired("mlspring", timeout or 0)
        return self.output.read_text(), None


def _carry_out(
    words: list[str], script: Path | None, output: Path, environment: dict[str, str], figures: bool
) -> None:
    """Become the command line: what a fork does."""
    os.environ.clear()
    os.environ.update(environment)
    with output.open("w") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    # Python ignores Ctrl-C for ever where a shell began the tests in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not figures:
        drawings.draw_all = lambda *_: ()
    sys.argv = ["mlspring", *words]
    if script is not None:
        runpy.run_path(str(script), run_name="__main__")
    else:
        runpy.run_module("mlspring", run_name="__main__")


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ranks(size: int) -> list[dict[str, str]]:
    """Return what ``torchrun`` adds to the environment of each of ``size`` processes."""
    port = free_port()
    return [
        {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(size),
            "LOCAL_WORLD_SIZE": str(size),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        for rank in range(size)
    ]
