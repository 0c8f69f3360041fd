"""Whole files or none: atomic writes, checksums and the folder where mlspring keeps its cache."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlspring.core.errors import DataError, MachineError


def home() -> Path:
    """Return the folder for worlds, decoded data and the local board.

    ``MLSPRING_HOME`` if set, else ``mlspring`` under the user's cache folder.
    """
    if chosen := os.environ.get("MLSPRING_HOME"):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "mlspring"


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk, or an impossible place, into a sentence that names ``path``.

    Raises:
        MachineError: the disk is full, the quota is used up or ``path`` cannot be written.
    """
    try:
        yield
    except OSError as error:
        # numpy and Pillow lose the error number of a short write: ask the disk itself.
        full = error.errno is None and _free(path) < 2**20
        if full or error.errno in (errno.ENOSPC, errno.EDQUOT):
            fix = "free some space, or choose another disk with --out or MLSPRING_HOME"
            raise MachineError(
                "the disk is full; nothing was left behind", file=path, fix=fix
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            fix = "choose a folder that you may write with --out or MLSPRING_HOME"
            raise MachineError("cannot be written", file=path, fix=fix) from error
        if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG):
            found = f"cannot be written ({error.strerror}: {error.filename})"
            raise MachineError(found, file=path, fix="choose another place") from error
        raise


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block ends well.

    A reader sees the old file or the whole new one, never a half; after an error the temporary
    file is gone.

    Raises:
        MachineError: the disk is full or the folder cannot be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
        os.close(handle)
        partial = Path(name)
        try:
            with disk_errors(path):  # told before what is cleaned up frees the disk
                yield partial
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
            umask = os.umask(0)
            os.umask(umask)
            partial.chmod(0o666 & ~umask)  # mkstemp makes private files; ours are to be read
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a hidden folder beside ``path`` that becomes ``path`` when the block ends well.

    ``path`` must not exist or be an empty folder; after an error nothing is left.

    Raises:
        MachineError: the disk is full or the folder cannot be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part"))
        try:
            with disk_errors(path):
                yield partial
            umask = os.umask(0)
            os.umask(umask)
            partial.chmod(0o777 & ~umask)  # mkdtemp makes private folders; ours are to be read
            partial.rename(path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the value of a JSON file.

    Raises:
        DataError: the file is missing, cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError("is missing", file=path) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error
    except (ValueError, RecursionError) as error:  # nested a thousand deep
        raise DataError(f"is not valid JSON ({error})", file=path) from error


LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r"})


def is_litter(name: str) -> bool:
    """Return whether an entry of a folder or archive is hidden, or left there by a system.

    Windows leaves ``Thumbs.db``, ``desktop.ini`` and ``NAME:Zone.Identifier``, macOS ``.DS_Store``,
    ``._NAME`` and ``__MACOSX``, network disks ``@eaDir``.
    """
    return name.startswith(".") or name.lower() in LITTER or name.endswith(":Zone.Identifier")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _free(path: Path) -> int:
    """Return the bytes that are free where ``path`` is, or would be."""
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free
