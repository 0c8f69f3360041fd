"""A learner's file on its way into the store: checked from outside, copied, never opened here."""

import hashlib
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mlspring.core.errors import RuleError, SubmissionError
from mlspring.core.files import atomic_path
from mlspring.core.locks import Lock, LockedError
from mlspring.core.spec import Spec

CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A stored copy: its path under the store's files, its size and its content's SHA-256."""

    relative: str
    num_bytes: int
    sha256: str


def take_in(file: Path, spec: Spec, files: Path) -> Copy:
    """Return the copy of ``file`` made in a fresh folder under ``files``.

    The copy bears the homework's usual name, never the learner's, and is read at most one byte
    beyond the limit, so a file that grows or never ends cannot fill the disk.

    Raises:
        SubmissionError: missing, a folder, a link that leads elsewhere, no regular file, not
            readable, empty, or larger than the homework allows.
        MachineError: the disk is full or the store cannot be written.
    """
    relative = f"{spec.id}/{uuid.uuid4().hex}/{spec.submission_name}"
    digest, num_bytes = hashlib.sha256(), 0
    with _open(file, spec) as stream:
        try:
            with atomic_path(files / relative) as partial, partial.open("wb") as copy:
                while chunk := stream.read(CHUNK):
                    num_bytes += len(chunk)
                    if num_bytes > spec.limits.max_bytes:
                        raise SubmissionError(
                            f"has more than {spec.limits.max_bytes:,} bytes",
                            file=file,
                            expected=f"at most that for {spec.id}",
                        )
                    digest.update(chunk)
                    copy.write(chunk)
            if num_bytes == 0:
                raise SubmissionError("is empty", file=file, expected=f"a {spec.submission_name}")
        except BaseException:
            with suppress(OSError):
                discard(files / relative)
            raise
    return Copy(relative=relative, num_bytes=num_bytes, sha256=digest.hexdigest())


def discard(copy: Path) -> None:
    """Remove a copy that no submission refers to, with its folder."""
    copy.unlink(missing_ok=True)
    with suppress(OSError):  # Windows keeps a lock file that is held
        _lock_file(copy).unlink(missing_ok=True)
        copy.parent.rmdir()


def _lock_file(copy: Path) -> Path:
    """Return the lock of a copy: a file beside it, because on Windows a lock keeps readers out."""
    return copy.with_name(".judging.lock")


def shown_name(file: Path) -> str:
    """Return the learner's file name with what cannot be shown replaced, at most 120 long."""
    return "".join(c if c.isprintable() else "?" for c in file.name)[:120]


@contextmanager
def working_on(copy: Path, number: int | None = None) -> Iterator[None]:
    """Hold the copy for judging until the block ends or this process dies.

    The system gives the lock back when a process is killed; that is how ``recover`` tells a
    submission that is being judged from one whose judge is gone.

    Raises:
        RuleError: another process is judging it.
    """
    copy.stat()  # raises FileNotFoundError where the copy is gone
    try:
        lock = Lock(_lock_file(copy))
    except LockedError as error:
        raise RuleError(
            f"submission {number} is being judged now", fix="wait until it is done"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _open(file: Path, spec: Spec) -> BinaryIO:
    """Return the opened file; all checks are made on what was opened, not on the name."""
    fix = f"hand in a file like {spec.submission_name}"
    try:
        if file.is_symlink() and file.resolve().parent != file.parent.resolve():
            target = file.resolve()
            raise SubmissionError(
                f"is a link to {target}", file=file, fix="hand in the file itself, not a link"
            )
        # Without O_NONBLOCK, opening a pipe would wait for its other end.
        descriptor = os.open(
            file.resolve(),
            os.O_RDONLY
            | getattr(os, "O_NONBLOCK", 0)
            | getattr(os, "O_NOFOLLOW", 0)
            | getattr(os, "O_BINARY", 0),
        )
    except FileNotFoundError as error:
        raise SubmissionError("there is no such file", file=file, fix=fix) from error
    except PermissionError as error:
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
