"""File locks: one process at a time, and the system gives the lock back when the process dies.

The lock is a file of its own, which stays. It is opened without being truncated, and a link in its
place is refused: whatever somebody put there keeps its content.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mlspring.core.files import disk_errors


class LockedError(Exception):
    """Another process, or another part of this one, holds the lock."""


class Lock:
    """A lock that is held from its making until ``release`` or the end of the process.

    Args:
        path: the lock file; made where it is missing, with the folders above it.

    Raises:
        LockedError: it is held already.
        MachineError: the file cannot be written, or is a link.
    """

    def __init__(self, path: Path) -> None:
        self._lock = _taken(path, wait=False)

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        self._lock.release()


@contextmanager
def locked(path: Path, *, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock at ``path`` during the block.

    Args:
        path: the lock file; made where it is missing, with the folders above it.
        on_wait: called once before waiting for the one who holds it; None: do not wait.

    Raises:
        LockedError: it is held already, and ``on_wait`` is None.
        MachineError: the file cannot be written, or is a link.
    """
    try:
        lock = _taken(path, wait=False)
    except LockedError:
        if on_wait is None:
            raise
        on_wait()
        lock = _taken(path, wait=True)
    try:
        yield
    finally:
        lock.release()


def _taken(path: Path, *, wait: bool) -> FileLock:
    lock = FileLock(path, thread_local=False)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=wait)
        except Timeout as error:
            raise LockedError(str(path)) from error
    return lock
