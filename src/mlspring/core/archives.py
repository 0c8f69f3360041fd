"""Archives unpacked safely: zip, tar, tar.gz and gz, whole or not at all.

Nothing an archive says about itself is believed: bytes are counted as they come out, and only
plain files and folders with plain names inside the target are made.
"""

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mlspring.core.archive_entries import (
    CHUNK,
    DAMAGE,
    OF_THE_CONTENT,
    Budget,
    Kind,
    Member,
    members_of,
    too_many_files,
)
from mlspring.core.errors import DataError, UserError
from mlspring.core.files import atomic_folder
from mlspring.core.foreign_text import shown

LONGEST_NAME, LONGEST_PATH, DEEPEST = 255, 1000, 64
"""Bytes of one name and of a whole path, and folders in one another: what all systems can write."""


def extract(
    archive: Path,
    to: Path,
    *,
    max_bytes: int = 4_000_000_000,
    max_files: int = 200_000,
    max_ratio: float = 100.0,
) -> list[Path]:
    """Unpack ``archive`` into the new folder ``to`` and return the files in the archive's order.

    What an Apple computer adds (``__MACOSX``, ``._name``) is left out.

    Args:
        archive: zip, tar, tar.gz or a single gzipped file, told by content and not by name.
        to: a folder that does not exist yet or is empty; it appears at the end, complete.
        max_bytes: bytes that may come out, a tar's own headers included.
        max_files: entries that the archive may have.
        max_ratio: bytes out for each byte in, at most; more looks like a bomb.

    Raises:
        DataError: no archive, damaged or cut short, locked, too large, a name that leaves the
            folder or stands twice, a link, a device or a pipe.
        MachineError: the disk is full or ``to`` cannot be written.
    """
    kind = archive_kind(archive)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        fix = "choose another folder, or remove it first"
        raise DataError("exists already and is not empty", file=to, fix=fix)
    budget = Budget(archive, max_bytes, max_ratio)
    try:
        with atomic_folder(to) as partial:
            names = _unpack(
                archive, members_of(archive, kind, budget, max_files), partial, max_files
            )
    except DAMAGE as error:
        raise _damaged(archive, error) from error
    except OSError as error:
        if error.errno not in OF_THE_CONTENT:
            raise
        raise _damaged(archive, error) from error
    return [to / name for name in names]


def archive_kind(archive: Path) -> Kind:
    """Return what an archive is, judged by its first bytes.

    Raises:
        DataError: missing, unreadable, empty, or no archive that we know (an HTML page is named).
    """
    fix = "zip, tar, tar.gz and gz can be unpacked"
    try:
        if not archive.is_file():
            found = "is no file" if archive.exists() else "there is no such archive"
            raise DataError(found, file=archive)
        with archive.open("rb") as stream:
            head = stream.read(tarfile.BLOCKSIZE)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(archive) as stream:
                return "tar.gz" if _is_tar(stream.read(tarfile.BLOCKSIZE)) else "gz"
    except DAMAGE as error:
        raise _damaged(archive, error) from error
    except PermissionError as error:
        raise DataError("cannot be read", file=archive, fix=f"chmod u+r {archive}") from error
    if not head:
        raise DataError("is empty (zero bytes)", file=archive)
    if head[:2] == b"PK":
        return "zip"
    if _is_tar(head):
        return "tar"
    if looks_like_html(head):
        fix = "the server answered with a page: open the address in a browser and read it"
        raise DataError("is a web page, no archive", file=archive, fix=fix)
    raise DataError("is no archive", file=archive, fix=fix)


def looks_like_html(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a web page."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<script"))


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _unpack(
    archive: Path, members: Iterator[Member], folder: Path, max_files: int
) -> list[PurePosixPath]:
    """Write every plain member under ``folder`` and return the names of the files."""
    seen: set[PurePosixPath] = set()
    names: list[PurePosixPath] = []
    for number, member in enumerate(members, start=1):
        if number > max_files:
            raise too_many_files(archive, max_files)
        name = _safe_name(archive, member.name)
        if member.kind not in ("file", "folder"):
            raise _refusal(archive, member.name, f"is a {member.kind}")
        if any(part == "__MACOSX" or part.startswith("._") for part in name.parts):
            continue
        if member.kind == "file" and name in seen:
            raise _refusal(archive, member.name, "stands twice in the archive")
        seen.add(name)
        try:
            if member.kind == "folder":
                (folder / name).mkdir(parents=True, exist_ok=True)
                continue
            (folder / name.parent).mkdir(parents=True, exist_ok=True)
            with (folder / name).open("xb") as sink:
                while member.content and (block := member.content.read(CHUNK)):
                    sink.write(block)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise _refusal(archive, member.name, "is both a file and a folder") from error
        except OSError as error:
            if error.errno not in OF_THE_CONTENT or error.filename is None:
                raise
            raise _refusal(archive, member.name, "has a name that cannot be written") from error
        names.append(name)
    if not names:
        raise DataError("holds no files", file=archive)
    return names


def _safe_name(archive: Path, packed: str) -> PurePosixPath:
    """Return the name as a path inside the target; a backslash counts as a slash."""
    name = PurePosixPath(packed.replace("\\", "/"))
    if name.is_absolute() or packed[1:2] == ":":
        raise _refusal(archive, packed, "is an absolute path")
    if ".." in name.parts:
        raise _refusal(archive, packed, "leads out of the folder")
    if "\0" in packed or not packed:
        raise _refusal(archive, packed, "is no name")
    lengths = [len(part.encode(errors="surrogateescape")) for part in name.parts]
    if max(lengths, default=0) > LONGEST_NAME or sum(lengths) + len(lengths) > LONGEST_PATH:
        raise _refusal(archive, packed, "has a name that is too long")
    if len(lengths) > DEEPEST:
        raise _refusal(archive, packed, "lies too deep in folders")
    return name


def _refusal(archive: Path, name: str, why: str) -> UserError:
    fix = "nothing was unpacked; do not trust this archive"
    return DataError(
        f"entry {shown(name, longest=80)!r} {why}", file=archive, expected="plain files", fix=fix
    )


def _damaged(archive: Path, error: Exception) -> DataError:
    found = f"is damaged or cut short ({shown(str(error), longest=200)})"
    return DataError(found, file=archive, fix="fetch or pack it again")
