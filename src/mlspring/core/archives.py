"""Archives unpacked safely: zip, tar, tar.gz and gz, whole or not at all.

Nothing an archive says about itself is believed: bytes are counted as they come out, and only
plain files and folders with plain names inside the target are made.
"""

import gzip
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, Protocol, cast

from mlspring.core.errors import DataError, UserError
from mlspring.core.files import atomic_folder
from mlspring.core.progress import track
from mlspring.core.texts import at_most, size

CHUNK = 1 << 18
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    UnicodeDecodeError,  # of a name
    NotImplementedError,  # a zip of a version that Python does not know
)

Kind = Literal["zip", "tar", "tar.gz", "gz"]


class Readable(Protocol):
    """The part of a stream that unpacking needs."""

    def read(self, num_bytes: int, /) -> bytes:
        """Return at most ``num_bytes``; nothing at the end."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One entry of an archive: its name as packed, what it is, and its content if a file."""

    name: str
    kind: str
    content: Readable | None


class Budget:
    """Bytes that may still come out of one archive."""

    def __init__(self, archive: Path, max_bytes: int, max_ratio: float) -> None:
        self.archive, self.max_bytes, self.max_ratio = archive, max_bytes, max_ratio
        self._packed, self._spent = archive.stat().st_size, 0

    def spend(self, num_bytes: int) -> None:
        """Count bytes that came out.

        Raises:
            DataError: more than the bound, or more than ``max_ratio`` times the archive's size
                (told only past the first megabyte: short texts do pack very well).
        """
        self._spent += num_bytes
        if self._spent > self.max_bytes:
            bound = at_most(self.max_bytes)
            raise DataError("unpacks to too much", file=self.archive, expected=bound)
        if self._spent > max(1_000_000, self.max_ratio * self._packed):
            found = f"{size(self._packed)} unpack to more than {self.max_ratio:g} times as much"
            raise DataError(f"looks like a bomb: {found}", file=self.archive)


class Counted:
    """A stream whose reads are paid from a budget."""

    def __init__(self, stream: Readable, budget: Budget) -> None:
        self._stream, self._budget = stream, budget
        self.tail = b""

    def read(self, num_bytes: int = CHUNK, /) -> bytes:
        """Return the next bytes, at most ``CHUNK``; ``tail`` keeps the last 512."""
        content = self._stream.read(min(num_bytes, CHUNK))
        self._budget.spend(len(content))
        self.tail = (self.tail + content)[-tarfile.BLOCKSIZE :]
        return content


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
            names = _unpack(archive, _members(archive, kind, budget), partial, max_files)
    except DAMAGE as error:
        fix = "fetch or pack it again"
        raise DataError(f"is damaged or cut short ({error})", file=archive, fix=fix) from error
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
        raise DataError(f"is damaged or cut short ({error})", file=archive) from error
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
            raise DataError("holds too many files", file=archive, expected=f"at most {max_files:,}")
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
    return name


def _refusal(archive: Path, name: str, why: str) -> UserError:
    fix = "nothing was unpacked; do not trust this archive"
    return DataError(f"entry {name!r} {why}", file=archive, expected="plain files", fix=fix)


def _members(archive: Path, kind: Kind, budget: Budget) -> Iterator[Member]:
    match kind:
        case "zip":
            return _zip_members(archive, budget)
        case "gz":
            return _gz_members(archive, budget)
        case "tar" | "tar.gz":
            return _tar_members(archive, kind, budget)


def _gz_members(archive: Path, budget: Budget) -> Iterator[Member]:
    name = archive.name[:-3] if archive.name.lower().endswith(".gz") else f"{archive.name}.out"
    with gzip.open(archive) as stream:
        yield Member(name=name, kind="file", content=Counted(stream, budget))


def _zip_members(archive: Path, budget: Budget) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as packed:
        entries = packed.infolist()
        for entry in track(entries, f"unpack {archive.name}", len(entries), unit="files"):
            kind = _zip_kind(entry)
            with ExitStack() as stack:
                content = None
                if kind == "file":
                    content = Counted(stack.enter_context(packed.open(entry)), budget)
                yield Member(name=entry.filename, kind=kind, content=content)


def _zip_kind(entry: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "symbolic link" if kind == stat.S_IFLNK else "device or pipe"
    if entry.flag_bits & 1:
        return "file locked with a password"
    # One read of bzip2, LZMA or zstd may give any amount before we could count it.
    if not entry.is_dir() and entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "file packed in another way than by deflate"
    return "folder" if entry.is_dir() else "file"


def _tar_members(archive: Path, kind: Kind, budget: Budget) -> Iterator[Member]:
    with ExitStack() as stack:
        opener = gzip.open if kind == "tar.gz" else Path.open
        stream = stack.enter_context(opener(archive, "rb"))
        counted = Counted(cast(Readable, stream), budget)
        # A stream is read once, from the front: nothing comes out that was not paid for.
        packed = stack.enter_context(tarfile.open(fileobj=cast(IO[bytes], counted), mode="r|"))
        for entry in packed:
            what = _tar_kind(entry)
            content = packed.extractfile(entry) if what == "file" else None
            yield Member(name=entry.name, kind=what, content=content)
        while counted.read():
            pass  # gzip checks its checksum at the very end
        if counted.tail.strip(b"\0"):
            raise EOFError("the end of the tar is missing")


def _tar_kind(entry: tarfile.TarInfo) -> str:
    if entry.isdir():
        return "folder"
    if entry.issparse():
        return "sparse file"
    if entry.isreg():
        return "file"
    kinds = {tarfile.SYMTYPE: "symbolic link", tarfile.LNKTYPE: "hard link"}
    return kinds.get(entry.type, "device or pipe")
