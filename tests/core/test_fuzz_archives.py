"""Any bytes at all: an archive gives its files, or one sentence; never a trace."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlspring.core import archive_entries
from mlspring.core.archives import archive_kind, extract
from mlspring.core.errors import DataError

MANY = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MAX_BYTES, MAX_FILES = 200_000, 20


def a_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("folder/", b"")
        packed.writestr("folder/a.csv", b"id,value\n" * 30)
        packed.writestr(zipfile.ZipInfo("b.bin"), bytes(range(256)))
        packed.comment = b"a comment"
    return stream.getvalue()


def a_tar(kind: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=kind) as packed:
        for name, content in (("folder/" + "n" * 120, b"1" * 700), ("b", b"")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mtime = 1.5  # PAX keeps it in a header of its own
            packed.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


WHOLE = {
    "zip": a_zip(),
    "pax": a_tar(),
    "gnu": a_tar(tarfile.GNU_FORMAT),
    "tar.gz": gzip.compress(a_tar(), mtime=0),
    "gz": gzip.compress(b"id,value\n" * 50, mtime=0),
}


def unpack(folder: Path, content: bytes) -> int:
    """Return the number of files that came out, or -1 where one sentence did."""
    archive, out = folder / "archive", folder / "out"
    archive.write_bytes(content)
    try:
        archive_kind(archive)
        files = extract(archive, out, max_bytes=MAX_BYTES, max_files=MAX_FILES)
    except DataError as error:
        assert not out.exists()
        assert len(str(error)) < 1000
        return -1
    assert all(out in file.parents for file in files)
    assert sum(file.stat().st_size for file in files) <= MAX_BYTES
    for path in sorted(out.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    out.rmdir()
    return len(files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that a test unpacks in, which holds nothing else afterwards."""
    inside = tmp_path / "inside"
    inside.mkdir()
    return inside


@MANY
@given(content=st.binary(max_size=2000))
@pytest.mark.parametrize("head", [b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08"])
def test_any_bytes(folder: Path, head: bytes, content: bytes) -> None:
    unpack(folder, head + content)
    assert not set(folder.parent.iterdir()) - {folder}


@MANY
@given(data=st.data())
@pytest.mark.parametrize("kind", WHOLE)
def test_whole_archives_with_a_few_bytes_changed(
    folder: Path, kind: str, data: st.DataObject
) -> None:
    content = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        new = data.draw(st.one_of(st.binary(min_size=1, max_size=8), st.just(b"\xff" * 8)))
        if data.draw(st.booleans()):
            content[place : place + len(new)] = new
        else:
            content[place : place + data.draw(st.integers(0, 40))] = new
    if kind in ("pax", "gnu") and data.draw(st.booleans()):
        mend_checksums(content)
    unpack(folder, bytes(content))
    assert not set(folder.parent.iterdir()) - {folder}


def mend_checksums(content: bytearray) -> None:
    """Make every header of a tar valid again, so that what it says is believed."""
    for start in range(0, len(content) - 511, 512):
        header = content[start : start + 512]
        if any(header) and header[257:262] == b"ustar":
            header[148:156] = b" " * 8
            content[start + 148 : start + 156] = b"%06o\0 " % sum(header)


@pytest.mark.parametrize("kind", WHOLE)
def test_the_archives_that_are_changed_above_are_whole(folder: Path, kind: str) -> None:
    assert unpack(folder, WHOLE[kind]) > 0


# ---- what once broke something, as small as it can be


def entry_of(name: bytes, *, offset: int = 0, extra: bytes = b"") -> bytes:
    """Return a zip of one empty stored file, its directory saying what the caller wants."""
    local = b"PK\x03\x04" + bytes([20, 0]) + bytes(20) + len(name).to_bytes(2, "little")
    local += bytes(2) + name
    entry = b"PK\x01\x02" + bytes([20, 0, 20, 0]) + bytes(20)
    entry += len(name).to_bytes(2, "little") + len(extra).to_bytes(2, "little") + bytes(10)
    entry += offset.to_bytes(4, "little") + name + extra
    end = b"PK\x05\x06" + bytes(4) + b"\x01\0\x01\0" + len(entry).to_bytes(4, "little")
    return local + entry + end + len(local).to_bytes(4, "little") + bytes(2)


def zip64(offset: int) -> bytes:
    return b"\x01\0\x08\0" + offset.to_bytes(8, "little")


BROKE = {
    "no name": entry_of(b""),
    "a name of 300 bytes": entry_of(b"n" * 300),
    "a path of 60,000 bytes": entry_of(b"n/" * 30_000),
    "2,000 folders deep": entry_of(b"d/" * 2000 + b"x"),
    "an offset of 2**63": entry_of(b"x", offset=0xFFFFFFFF, extra=zip64(2**63)),
    "an offset of 2**64 - 1": entry_of(b"x", offset=0xFFFFFFFF, extra=zip64(2**64 - 1)),
    "an offset behind the end": entry_of(b"x", offset=0xFFFF),
    "a directory before the start": WHOLE["zip"][:-15] + b"\xff\xff\xff\x00" + WHOLE["zip"][-11:],
    "an escape code": entry_of(b"\x1b[2J/../x"),
    "a chain of headers": b"".join(
        tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT).replace(b"0000000000 ", b"0000000000 ", 1)
        for _ in range(3)
    ),
}


@pytest.mark.parametrize("content", BROKE.values(), ids=BROKE)
def test_what_once_broke_is_one_short_sentence(folder: Path, content: bytes) -> None:
    (folder / "archive").write_bytes(content)
    with pytest.raises(DataError) as caught:
        extract(folder / "archive", folder / "out", max_files=MAX_FILES)
        assert content is BROKE["a chain of headers"]
        raise DataError("these three headers are a whole tar")
    assert len(str(caught.value)) < 600 + len(str(folder))
    assert "\x1b" not in str(caught.value)
    assert not (folder / "out").exists() or content is BROKE["a chain of headers"]


def test_a_chain_of_tar_headers_ends_in_a_sentence(folder: Path) -> None:
    long_name = tarfile.TarInfo("././@LongLink")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 2
    link = long_name.tobuf(tarfile.GNU_FORMAT) + b"x\0" + bytes(510)
    (folder / "archive").write_bytes(link * 3000 + bytes(1024))
    with pytest.raises(DataError, match="is damaged or cut short"):
        extract(folder / "archive", folder / "out")


def test_a_directory_of_very_many_entries_takes_no_memory(folder: Path) -> None:
    name = b"x"
    entry = b"PK\x01\x02" + bytes(24) + len(name).to_bytes(2, "little") + bytes(16) + name
    many = entry * 100_000
    end = b"PK\x05\x06" + bytes(8) + len(many).to_bytes(4, "little") + bytes(6)
    (folder / "archive").write_bytes(b"PK\x03\x04" + many + end)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="holds too many files; expected at most 20"):
            extract(folder / "archive", folder / "out", max_files=MAX_FILES)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000  # the file itself has 4.7 MB


def test_no_read_takes_more_than_a_chunk(folder: Path) -> None:
    asked = []

    class Stream:
        def read(self, num_bytes: int, /) -> bytes:
            asked.append(num_bytes)
            return b""

    (folder / "archive").write_bytes(b"x")
    budget = archive_entries.Budget(folder / "archive", 10, 1.0)
    archive_entries.Counted(Stream(), budget).read(10**12)
    assert asked == [archive_entries.CHUNK]
