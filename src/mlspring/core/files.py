"""Whole files or none: atomic writes, checksums and the folder where mlspring keeps its cache."""

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from mlspring.core.errors import MachineError
from mlspring.core.foreign import read_json_bounded

REPLACE_SECONDS = 2.0  # Windows does not replace a file that somebody reads; most close it soon

LITTER = re.compile(
    r"""__MACOSX | Icon\r | (eh)?thumbs.*\.db | desktop\.ini | \$RECYCLE\.BIN
    | System\ Volume\ Information | .*Zone\.Identifier(:\$DATA)?
    | @eaDir | \#recycle | .*@SynoEAStream | .*@SynoResource | lost\+found | __pycache__ | ~\$.*""",
    re.VERBOSE | re.IGNORECASE,
)


def home() -> Path:
    """Return the folder for worlds, decoded data and the local board.

    ``MLSPRING_HOME`` if set, else ``mlspring`` under the user's cache folder.

    Raises:
        MachineError: this user has no home folder, or the folder's name is no UTF-8 text.
    """
    try:
        if chosen := os.environ.get("MLSPRING_HOME"):
            return checked_name(Path(chosen).expanduser())
        if cache := os.environ.get("XDG_CACHE_HOME"):
            return checked_name(Path(cache) / "mlspring")
        Path.home()  # platformdirs would make a folder called "~" here
        return checked_name(platformdirs.user_cache_path("mlspring", appauthor=False))
    except RuntimeError as error:
        fix = "set MLSPRING_HOME to a folder that you may write"
        raise MachineError("no home folder is known for this user", fix=fix) from error


def checked_name(path: Path) -> Path:
    """Return ``path`` if its name is text that can be written into files and shown.

    Raises:
        MachineError: the name holds bytes that are not UTF-8.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        shown = str(path).encode("utf-8", "replace").decode()
        fix = "rename the folder, or name another one"
        raise MachineError("the name is not UTF-8 text", file=shown, fix=fix) from error
    return path


def demand_writable(folder: Path, why: str) -> None:
    """Make sure, before any work is done, that files can be made in ``folder``.

    Args:
        folder: need not exist; it is not made.
        why: what it is for, e.g. "the local board".

    Raises:
        MachineError: it cannot be written.
    """
    try:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        probe = there / f".{secrets.token_hex(8)}.part"
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        probe.unlink()
    except OSError as error:
        message = f"{why} cannot be written ({error.strerror})"
        fix = "set MLSPRING_HOME to a folder that you may write"
        raise MachineError(message, file=folder, fix=fix) from error


def is_litter(name: str) -> bool:
    """Return whether an entry of a folder or archive is hidden, or left there by a system.

    ``name`` is one part of a path. Windows leaves ``Thumbs.db``, ``desktop.ini`` and
    ``NAME:Zone.Identifier``, macOS ``.DS_Store``, ``._NAME`` and ``__MACOSX``, network disks
    ``@eaDir`` and ``#recycle``, office programs ``~$NAME``.
    """
    return name.startswith(".") or LITTER.fullmatch(name) is not None


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk, or an impossible path, into a sentence that names ``path``.

    Raises:
        MachineError: the disk is full, the quota is used up or ``path`` cannot be written.
    """
    try:
        yield
    except OSError as error:
        # numpy and Pillow lose the error number of a short write: ask the disk itself.
        full = error.errno is None and _free(path) < 2**20
        if full or error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            fix = f"free some space, or {_elsewhere(path, 'another disk')}"
            raise MachineError(
                "the disk is full; nothing was left behind", file=path, fix=fix
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise MachineError("cannot be written", file=path, fix=_elsewhere(path)) from error
        if error.errno is not None and _concerns(error, path):
            message = f"cannot be written ({error.strerror}: {error.filename})"
            raise MachineError(message, file=path, fix=_elsewhere(path)) from error
        raise


def _elsewhere(path: Path, what: str = "a folder that you may write") -> str:
    """Return how to choose another folder for ``path``: our own files follow MLSPRING_HOME."""
    try:
        ours = path.absolute().is_relative_to(home().absolute())
    except MachineError:
        ours = False
    return f"set MLSPRING_HOME to {what}" if ours else f"choose {what}"


def _concerns(error: OSError, path: Path) -> bool:
    """Return whether ``error`` is about ``path``, a folder above it or a file beside it."""
    if not isinstance(error.filename, str):
        return False
    named, wanted = Path(error.filename).absolute(), path.absolute()
    return named == wanted or named in wanted.parents or wanted.parent in named.parents


@contextmanager
def atomic_path(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block ends well.

    A reader sees the old file or the whole new one, never a half; after an error the temporary
    file is gone.

    Args:
        path: the file to make, with the folders above it.
        private: only this user may read it; else it is as readable as any new file of this user.

    Raises:
        MachineError: the disk is full or the folder cannot be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = _beside(path)
        # The system takes the umask from the mode itself: asking for it would change it for a
        # moment, for all threads.
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        os.close(os.open(partial, flags, 0o600 if private else 0o666))
        try:
            with disk_errors(path):  # told before what is cleaned up frees the disk
                yield partial
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
            replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield a hidden folder beside ``path`` that becomes ``path`` when the block ends well.

    ``path`` must not exist or be an empty folder; after an error nothing is left. ``private`` is
    that of ``atomic_path``.

    Raises:
        MachineError: the disk is full or the folder cannot be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = _beside(path)
        partial.mkdir(0o700 if private else 0o777)
        try:
            with disk_errors(path):
                yield partial
            if sys.platform == "win32" and path.is_dir():
                path.rmdir()  # Windows renames to a name that is free; this one must be empty
            partial.rename(path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def replace(file: Path, path: Path) -> None:
    """Give ``file`` the name ``path``, in place of what has it; wait a little for its readers.

    Raises:
        OSError: it cannot be done; on Windows also while another process holds ``path`` open.
    """
    deadline = time.monotonic() + (REPLACE_SECONDS if sys.platform == "win32" else 0.0)
    while True:
        try:
            file.replace(path)
            return
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.05)


def _beside(path: Path) -> Path:
    """Return a hidden name beside ``path`` that nobody else has."""
    return path.with_name(f".{path.name}-{secrets.token_hex(6)}.part")


def write_text(path: Path, text: str) -> None:
    r"""Write ``text`` as UTF-8, whole or not at all; what cannot be UTF-8 becomes ``\udcff``."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the value of a JSON file of a bounded size.

    Raises:
        DataError: the file is missing, cannot be read, is far too large or is not JSON.
    """
    return read_json_bounded(path)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _free(path: Path) -> int:
    """Return the bytes that are free where ``path`` is, or would be."""
    there = next(above for above in (path, *path.absolute().parents) if above.exists())
    return shutil.disk_usage(there).free
