"""A learner's file on its way into the store: checked from outside, copied, never opened here.

From before its first byte until its verdict a submission has a lock in ``busy/``. The system gives
the lock back when a process is killed, so what lies there with a free lock is left over: of a
submission that was judged (`Store.recover`) or of a copy that no submission knows (`sweep`).
"""

import hashlib
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mlspring.core.errors import RuleError, SubmissionError
from mlspring.core.files import disk_errors
from mlspring.core.foreign_text import shown
from mlspring.core.locks import Lock, LockedError
from mlspring.core.spec import Spec

CHUNK = 1 << 20
LONGEST_FILENAME = 120
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # nobody but the judge's own account


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A stored copy: its path under the store's files, its size and its content's SHA-256."""

    relative: str
    num_bytes: int
    sha256: str


def new_location(spec: Spec) -> str:
    """Return where a new copy will lie, relative to the store's files.

    It bears the homework's usual name, never the learner's, in a folder that nothing else uses.
    """
    return f"{spec.id}/{uuid.uuid4().hex}/{spec.submission_name}"


def store_upload(file: Path, spec: Spec, files: Path, relative: str | None = None) -> Copy:
    """Return the copy of ``file`` made at ``relative`` under ``files``, by default a new location.

    The file is read at most one byte beyond the limit, so one that grows or never ends cannot fill
    the disk.

    Raises:
        SubmissionError: missing, a folder, a link that leads elsewhere, no regular file, not
            readable, empty, or larger than the homework allows.
        MachineError: the disk is full or the store cannot be written.
    """
    relative = relative or new_location(spec)
    digest, num_bytes = hashlib.sha256(), 0
    copy = files / relative
    with _open(file, spec) as stream:
        try:
            with disk_errors(copy):
                copy.parent.mkdir(mode=PRIVATE_FOLDER, parents=True)
                descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
                with os.fdopen(descriptor, "wb") as sink:
                    while chunk := stream.read(CHUNK):
                        num_bytes += len(chunk)
                        if num_bytes > spec.limits.max_bytes:
                            raise SubmissionError(
                                f"has more than {spec.limits.max_bytes:,} bytes",
                                file=file,
                                expected=f"at most that for {spec.id}",
                            )
                        digest.update(chunk)
                        sink.write(chunk)
                    sink.flush()
                    os.fsync(sink.fileno())
            if num_bytes == 0:
                raise SubmissionError("is empty", file=file, expected=f"a {spec.submission_name}")
        except BaseException:
            discard(copy)
            raise
    return Copy(relative=relative, num_bytes=num_bytes, sha256=digest.hexdigest())


def discard(copy: Path) -> None:
    """Remove a copy that no submission refers to, with its folder, as far as that is possible."""
    with suppress(OSError):
        copy.unlink(missing_ok=True)
        copy.parent.rmdir()


def shown_name(file: Path) -> str:
    """Return the learner's file name as it can be shown, at most `LONGEST_FILENAME` long."""
    return shown(file.name, longest=LONGEST_FILENAME)


@contextmanager
def judging_lock(
    busy: Path, relative: str, number: int | None = None, *, wait: float = 0.0
) -> Iterator[None]:
    """Hold the submission whose copy lies at ``relative`` until the block or this process ends.

    The lock is a file in the folder ``busy``, gone at the end. Another process that sweeps may hold
    it for a moment, so whoever must have it waits for ``wait`` seconds.

    Raises:
        RuleError: another process is judging it.
    """
    path, deadline = _lock_path(busy, relative), time.monotonic() + wait
    while True:
        try:
            lock = Lock(path)
            break
        except LockedError as error:
            if time.monotonic() >= deadline:
                found = f"submission {number} is being judged now"
                raise RuleError(found, fix="wait until it is done") from error
            time.sleep(0.01)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps a file that is open
            path.unlink()  # held: whoever waits for it notices and tries again
        lock.release()


def sweep(busy: Path, files: Path, is_known: Callable[[str], bool]) -> list[str]:
    """Remove copies of uploads that were killed before a submission knew of them; return them.

    Args:
        busy: the folder of locks; what lives is left alone.
        files: the store's files.
        is_known: whether a submission refers to a copy.
    """
    removed = []
    for path in sorted(busy.glob("*.lock")):
        parts = path.stem.split("~")
        relative = "/".join(parts)
        with suppress(RuleError, OSError), judging_lock(busy, relative):
            if len(parts) == 3 and not {"", ".", ".."} & {*parts} and not is_known(relative):
                discard(files / relative)
                removed.append(relative)
    return removed


def _lock_path(busy: Path, relative: str) -> Path:
    """Return the lock of a copy; its name says which, for whoever finds it left over."""
    return busy / f"{relative.replace('/', '~')}.lock"


def _open(file: Path, spec: Spec) -> BinaryIO:
    """Return the opened file; all checks are made on what was opened, not on the name."""
    fix = f"hand in a file like {spec.submission_name}"
    # Without O_NONBLOCK, opening a pipe would wait for its other end; Windows has neither flag.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        if file.is_symlink() and file.resolve().parent != file.parent.resolve():
            target = file.resolve()
            raise SubmissionError(
                f"is a link to {target}", file=file, fix="hand in the file itself, not a link"
            )
        descriptor = os.open(file.resolve(), flags)
    except FileNotFoundError as error:
        raise SubmissionError("there is no such file", file=file, fix=fix) from error
    except PermissionError as error:
        if file.is_dir():  # Windows opens no folders
            raise SubmissionError("is a folder", file=file, expected="a file", fix=fix) from error
        raise SubmissionError(
            "cannot be read", file=file, fix=f"allow it: chmod u+r {file}"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
        raise SubmissionError(f"cannot be opened ({error})", file=file, fix=fix) from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    kind = "is a folder" if stat.S_ISDIR(mode) else "is a device, pipe or socket"
    raise SubmissionError(kind, file=file, expected="a file", fix=fix)
