import gzip
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mlspring.core.archives import archive_kind, extract
from mlspring.core.errors import DataError, MachineError
from tests.tiny.archives import special, tarred, zipped

FILES = {"food11/training/0_0.jpg": b"first", "food11/test/0001.jpg": b"second" * 1000}


def gzipped(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


MAKERS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda path, files: tarred(path, files, "w:gz"),
}


def nothing_left(folder: Path, *kept: Path) -> bool:
    return sorted(folder.iterdir()) == sorted(kept)


@pytest.mark.parametrize("kind", MAKERS)
def test_every_file_comes_out_as_it_went_in(tmp_path: Path, kind: str) -> None:
    # The name lies on purpose: the content decides.
    archive = MAKERS[kind](tmp_path / "download.bin", FILES)
    paths = extract(archive, tmp_path / "out")
    assert archive_kind(archive) == kind
    assert paths == [tmp_path / "out" / name for name in FILES]
    assert [path.read_bytes() for path in paths] == list(FILES.values())
    assert nothing_left(tmp_path, archive, tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) & 0o500 == 0o500


def test_a_single_gzipped_file_loses_its_ending(tmp_path: Path) -> None:
    archive = gzipped(tmp_path / "train-images.gz", b"idx")
    assert extract(archive, tmp_path / "out") == [tmp_path / "out" / "train-images"]
    assert (tmp_path / "out" / "train-images").read_bytes() == b"idx"


@pytest.mark.parametrize("kind", MAKERS)
def test_what_an_apple_computer_adds_is_left_out(tmp_path: Path, kind: str) -> None:
    files = {"a/._b.png": b"x", "__MACOSX/a/b.png": b"x", "a/b.png": b"kept"}
    assert extract(MAKERS[kind](tmp_path / "x", files), tmp_path / "out") == [
        tmp_path / "out/a/b.png"
    ]
    assert [p.name for p in (tmp_path / "out").rglob("*")] == ["a", "b.png"]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../x", "leads out of the folder"),
        ("a/../../x", "leads out of the folder"),
        ("..\\x", "leads out of the folder"),
        ("/etc/x", "is an absolute path"),
        ("C:\\x", "is an absolute path"),
        ("._a/../../../x", "leads out of the folder"),
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(
    tmp_path: Path, kind: str, name: str, why: str
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    archive = MAKERS[kind](inside / "evil", {"good.txt": b"1", name: b"2"})
    with pytest.raises(DataError, match=why) as caught:
        extract(archive, inside / "out")
    assert repr(name) in str(caught.value) and str(archive) in str(caught.value)
    assert nothing_left(inside, archive) and nothing_left(tmp_path, inside)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (tarfile.SYMTYPE, "is a symbolic link"),
        (tarfile.LNKTYPE, "is a hard link"),
        (tarfile.CHRTYPE, "is a device or pipe"),
        (tarfile.BLKTYPE, "is a device or pipe"),
        (tarfile.FIFOTYPE, "is a device or pipe"),
        (tarfile.GNUTYPE_SPARSE, "sparse file|damaged"),
    ],
)
def test_links_devices_and_pipes_are_refused(tmp_path: Path, kind: bytes, why: str) -> None:
    archive = special(tmp_path / "evil.tgz", kind, "/etc/passwd")
    with pytest.raises(DataError, match=why):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


@pytest.mark.parametrize(
    ("mode", "why"),
    [(stat.S_IFLNK | 0o777, "is a symbolic link"), (stat.S_IFIFO, "is a device or pipe")],
)
def test_a_link_in_a_zip_is_refused(tmp_path: Path, mode: int, why: str) -> None:
    archive = zipped(tmp_path / "evil.zip", {"link": b"/etc/passwd"}, mode)
    with pytest.raises(DataError, match=why):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "twice.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.csv", "1")
        packed.writestr("./a.csv", "2")
    with pytest.raises(DataError, match="stands twice"):
        extract(archive, tmp_path / "out")


@pytest.mark.parametrize("kind", MAKERS)
def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path, kind: str) -> None:
    archive = MAKERS[kind](tmp_path / "x", {"a": b"1", "a/b": b"2"})
    with pytest.raises(DataError, match="both a file and a folder"):
        extract(archive, tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_of_zeros_is_stopped_early(tmp_path: Path, kind: str) -> None:
    archive = MAKERS[kind](tmp_path / "bomb", {"zeros": bytes(50_000_000)})
    with pytest.raises(DataError, match=r"looks like a bomb: \S+ kB unpack to more than 100 times"):
        extract(archive, tmp_path / "out")
    with pytest.raises(DataError, match=r"unpacks to too much; expected at most 2\.0 MB"):
        extract(archive, tmp_path / "out", max_bytes=2_000_000, max_ratio=1e9)
    assert nothing_left(tmp_path, archive)


def test_a_bomb_is_counted_by_what_comes_out_and_not_by_what_it_declares(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "bomb.zip", {"zeros": bytes(3_000_000)})
    content = archive.read_bytes()
    real, lie = (3_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert content.count(real) == 2  # local header and central directory
    archive.write_bytes(content.replace(real, lie))
    with pytest.raises(DataError, match=r"bomb|damaged"):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


def test_a_gzip_bomb_without_tar_is_stopped(tmp_path: Path) -> None:
    archive = gzipped(tmp_path / "bomb.gz", bytes(30_000_000))
    with pytest.raises(DataError, match="looks like a bomb"):
        extract(archive, tmp_path / "out")


def test_a_tar_whose_header_hides_a_bomb_is_stopped(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("long")
    entry.type, entry.size = tarfile.XHDTYPE, 40_000_000
    content = entry.tobuf() + bytes(40_000_000) + bytes(1024)
    archive = gzipped(tmp_path / "bomb.tgz", content)
    with pytest.raises(DataError, match="looks like a bomb"):
        extract(archive, tmp_path / "out")


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "many.tar", {f"{i}": b"" for i in range(11)})
    with pytest.raises(DataError, match="holds too many files; expected at most 10"):
        extract(archive, tmp_path / "out", max_files=10)
    assert len(extract(archive, tmp_path / "out", max_files=11)) == 11


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("share", [0.0001, 0.3, 0.6, 0.97])
def test_a_truncated_archive_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    files = {f"{i}.jpg": os.urandom(2000) for i in range(5)}
    archive = MAKERS[kind](tmp_path / "cut", files)
    whole = archive.read_bytes().rstrip(b"\0") if kind == "tar" else archive.read_bytes()
    archive.write_bytes(whole[: max(3, int(len(whole) * share))])
    with pytest.raises(DataError, match=r"damaged or cut short|is no archive|is empty"):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


def test_a_tar_cut_exactly_between_two_files_is_refused(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "cut.tar", {"a": b"x" * 512, "b": b"y" * 512})
    archive.write_bytes(archive.read_bytes()[:1024])
    with pytest.raises(DataError, match="the end of the tar is missing"):
        extract(archive, tmp_path / "out")


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    for kind in ("zip", "tar.gz"):
        archive = MAKERS[kind](tmp_path / kind, {"a": os.urandom(5000)})
        content = bytearray(archive.read_bytes())
        content[2500] ^= 16
        archive.write_bytes(content)
        with pytest.raises(DataError, match="damaged or cut short"):
            extract(archive, tmp_path / f"out-{kind}")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93])  # 93: zstd
def test_what_could_not_be_counted_as_it_comes_out_is_refused(tmp_path: Path, method: int) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", 8 if method == 93 else method) as packed:
        packed.writestr("zeros", bytes(10_000_000))
    if method == 93:  # this Python cannot pack it: rename what it packed
        content = bytearray(archive.read_bytes())
        for place in (8, content.index(b"PK\x01\x02") + 10):
            content[place : place + 2] = method.to_bytes(2, "little")
        archive.write_bytes(content)
    with pytest.raises(DataError, match="entry 'zeros' is a file packed in another way than by"):
        extract(archive, tmp_path / "out", max_ratio=1e9)
    assert nothing_left(tmp_path, archive)


def test_a_name_that_is_no_text_is_damage(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "name.zip", {"nöm": b"1"})
    archive.write_bytes(archive.read_bytes().replace("ö".encode(), b"\xff\xff"))
    with pytest.raises(DataError, match="is damaged or cut short"):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


def test_a_locked_zip_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "locked.zip", {"a": b"1"})
    content = bytearray(archive.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(DataError, match="locked with a password"):
        extract(archive, tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>login", "is a web page, no archive"),
        (b"\n <HTML>", "is a web page, no archive"),
        (b"id,value\n1,2\n", "is no archive"),
    ],
)
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    archive = tmp_path / "food11.zip"
    archive.write_bytes(content)
    with pytest.raises(DataError, match=why):
        extract(archive, tmp_path / "out")


def test_a_missing_archive_a_folder_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such archive"):
        extract(tmp_path / "none.zip", tmp_path / "out")
    with pytest.raises(DataError, match="is no file"):
        extract(tmp_path, tmp_path / "out")
    with pytest.raises(DataError, match="holds no files"):
        extract(zipped(tmp_path / "empty.zip", {}), tmp_path / "out")


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", FILES)
    (tmp_path / "out").mkdir()
    assert extract(archive, tmp_path / "out")
    with pytest.raises(DataError, match="exists already and is not empty"):
        extract(archive, tmp_path / "out")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(tmp_path / "a.zip", FILES)

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(MachineError, match="the disk is full; nothing was left behind"):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


def test_the_photos_of_the_course_layout_unpack(tmp_path: Path, real_data: Path) -> None:
    paths = extract(real_data / "hw03" / "grocery11.zip", tmp_path / "out")
    assert all(path.stat().st_size > 0 for path in paths)
    assert {path.relative_to(tmp_path / "out").parts[1] for path in paths} >= {"training"}


def test_an_archive_of_exactly_the_bound_is_taken(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a": os.urandom(3000)})
    assert extract(archive, tmp_path / "out", max_bytes=3000)
    with pytest.raises(DataError, match="unpacks to too much"):
        extract(archive, tmp_path / "other", max_bytes=2999)


def test_a_short_text_may_pack_as_well_as_it_likes(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a": b"0," * 450_000})
    assert archive.stat().st_size < 900_000 / 200
    assert extract(archive, tmp_path / "out", max_ratio=100)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_folders_of_their_own_are_made(tmp_path: Path, kind: str) -> None:
    archive = tmp_path / "folders"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("empty/inner/", "")
            packed.writestr("full/", "")
            packed.writestr("full/a.csv", "1")
    else:
        with tarfile.open(archive, "w") as packed:
            for name in ("empty/inner", "full"):
                entry = tarfile.TarInfo(name)
                entry.type = tarfile.DIRTYPE
                packed.addfile(entry)
            packed.addfile(tarfile.TarInfo("full/a.csv"))
    assert extract(archive, tmp_path / "out") == [tmp_path / "out/full/a.csv"]
    assert (tmp_path / "out/empty/inner").is_dir() and (tmp_path / "out/full").is_dir()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("n" * 256, "has a name that is too long"),
        ("é" * 128, "has a name that is too long"),
        ("a/" * 600 + "x", "has a name that is too long"),
        ("a/" * 64 + "x", "lies too deep in folders"),
    ],
)
def test_a_name_that_some_system_cannot_write_is_refused(
    tmp_path: Path, name: str, why: str
) -> None:
    archive = zipped(tmp_path / "long.zip", {name: b"1"})
    with pytest.raises(DataError, match=why) as caught:
        extract(archive, tmp_path / "out")
    assert len(str(caught.value)) < 300 + len(str(archive))
    assert nothing_left(tmp_path, archive)
    assert extract(
        zipped(tmp_path / "b.zip", {"n" * 255: b"1", "a/" * 63 + "x": b"1"}), tmp_path / "b"
    )
