"""What many runs share and the first one makes: a teacher, an encoder, synthetic pairs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mlspring.core.files import disk_errors
from mlspring.core.locks import locked
from mlspring.core.progress import say
from mlspring.core.runs import Request, Run


@contextmanager
def kept(folder: Path, request: Request, *, doing: str) -> Iterator[Run]:
    """Give a shared folder as a run of its own, so that a loop logs and resumes there as anywhere.

    Of several processes that ask at once one works and the others wait: each looks inside whether
    the work is done, by a file that is written last. What was stopped goes on where it stood.

    Args:
        folder: below ``home()``; its name is a hash of all that its content depends on.
        request: names the work, and the seed of what is random in it.
        doing: said to those who wait, e.g. "training the teacher".

    Raises:
        MachineError: the folder cannot be written, or the disk is full.
    """
    waiting = f"Another process is {doing}; waiting for it"
    with disk_errors(folder), locked(folder / ".lock", on_wait=lambda: say(waiting)):
        for half_written in folder.rglob("*.part"):  # of a killed process; the lock makes them ours
            half_written.unlink(missing_ok=True)
        with closing(Run(folder, request)) as run:
            yield run
