"""The entries of zip, tar, tar.gz and gz archives, one after the other, paid for as they come out.

Nothing an archive says about itself is believed: bytes are counted, not declared.
"""

import errno
import gzip
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Protocol, cast

from mlspring.core.errors import DataError
from mlspring.core.progress import track
from mlspring.core.texts import at_most, size

CHUNK = 1 << 18
BYTES_PER_ENTRY = 200  # of a zip's directory; names of photos take some 100
ENTRY = b"PK\x01\x02"  # begins every entry of that directory

DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    struct.error,
    NotImplementedError,  # a zip of a version that Python does not know
    ValueError,  # of a name that is no text, of a number that is none
    IndexError,
    OverflowError,
    RecursionError,
)
"""What Python's readers raise where the bytes of a file are not what its format promises."""

OF_THE_CONTENT = (errno.EINVAL, errno.ENAMETOOLONG, errno.EILSEQ, errno.EOVERFLOW)
"""What the system says to offsets and names that a damaged file asks it for."""

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


def members_of(archive: Path, kind: Kind, budget: Budget, max_files: int) -> Iterator[Member]:
    """Return the entries of an archive in its order; each is read before the next is asked for.

    Raises:
        DataError: more than ``max_files`` of them, or more bytes than the budget has.
    """
    match kind:
        case "zip":
            return _zip_members(archive, budget, max_files)
        case "gz":
            return _gz_members(archive, budget)
        case "tar" | "tar.gz":
            return _tar_members(archive, kind, budget)


def _gz_members(archive: Path, budget: Budget) -> Iterator[Member]:
    name = archive.name[:-3] if archive.name.lower().endswith(".gz") else f"{archive.name}.out"
    with gzip.open(archive) as stream:
        yield Member(name=name, kind="file", content=Counted(stream, budget))


class Directory:
    """A zip's stream, bounded while zipfile reads the directory: whole, and as long as it says.

    An archive of a few megabytes could otherwise become gigabytes of entries before one is seen.
    """

    def __init__(self, stream: IO[bytes], archive: Path, max_files: int) -> None:
        self._stream, self._archive, self._max_files = stream, archive, max_files
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable
        self.is_open = True

    def read(self, num_bytes: int = -1, /) -> bytes:
        """Return at most ``num_bytes``, or the rest.

        Raises:
            DataError: the directory has more than ``max_files`` entries.
        """
        if not self.is_open:
            return self._stream.read(num_bytes)
        most = BYTES_PER_ENTRY * self._max_files + 2 * zipfile.ZIP_MAX_COMMENT
        content = self._stream.read(most + 1 if num_bytes < 0 else min(num_bytes, most + 1))
        if len(content) > most or content.count(ENTRY) > self._max_files:
            raise too_many_files(self._archive, self._max_files)
        return content


def too_many_files(archive: Path, max_files: int) -> DataError:
    """Return the error for an archive with more entries than ``max_files``."""
    return DataError("holds too many files", file=archive, expected=f"at most {max_files:,}")


def _zip_members(archive: Path, budget: Budget, max_files: int) -> Iterator[Member]:
    with archive.open("rb") as stream:
        directory = Directory(stream, archive, max_files)
        with zipfile.ZipFile(cast(IO[bytes], directory)) as packed:
            directory.is_open = False
            entries = packed.infolist()
            for entry in track(entries, f"unpack {archive.name}", len(entries), unit="files"):
                kind = _zip_kind(entry) if entry.filename else "file"
                with ExitStack() as stack:
                    content = None
                    if kind == "file" and entry.filename:
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
