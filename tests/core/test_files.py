import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlspring.core import files as module
from mlspring.core.errors import DataError, MachineError
from mlspring.core.files import (
    atomic_folder,
    atomic_path,
    disk_errors,
    home,
    read_json,
    sha256,
    write_json,
    write_text,
)


def test_home_is_the_chosen_folder_or_under_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLSPRING_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.setenv("MLSPRING_HOME", "~/elsewhere")
    assert home() == Path.home() / "elsewhere"
    monkeypatch.delenv("MLSPRING_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert home() == tmp_path / "cache" / "mlspring"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert home() == Path.home() / ".cache" / "mlspring"


def test_a_file_appears_whole_with_lf_ends_and_readable(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "a.txt"
    write_text(path, "你好\nline\n")
    assert path.read_bytes() == "你好\nline\n".encode()
    write_text(path, "again")
    assert path.read_text() == "again"
    assert list(path.parent.iterdir()) == [path]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_an_error_or_ctrl_c_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    for kind in (ValueError, KeyboardInterrupt):
        with pytest.raises(kind), atomic_path(path) as partial:
            partial.write_text("half")
            raise kind
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with atomic_path(path) as partial:
        partial.write_text("new but not yet there")
        assert path.read_text() == "old"
    assert path.read_text() == "new but not yet there"


def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    program = (
        "import os, signal, pathlib\n"
        "from mlspring.core.files import atomic_path\n"
        f"with atomic_path(pathlib.Path({str(path)!r})) as partial:\n"
        "    partial.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    source = Path(__file__).resolve().parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(source)}, check=False
    )
    assert done.returncode == -9
    assert path.read_text() == "old"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(*(os, "fsync") if step == "fsync" else (Path, "replace"), full)
    with pytest.raises(MachineError) as caught:
        write_text(tmp_path / "a.txt", "text")
    assert str(caught.value) == (
        f"{tmp_path / 'a.txt'}: the disk is full; nothing was left behind\n"
        "  -> free some space, or choose another disk with --out or MLSPRING_HOME"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_device_that_is_really_full_gives_the_same_sentence() -> None:
    full = Path("/dev/full")
    sentence = pytest.raises(MachineError, match="/dev/full: the disk is full")
    with sentence, disk_errors(full), full.open("w") as stream:
        stream.write("x" * 100_000)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_forbidden_place_says_where_else(tmp_path: Path, number: int) -> None:
    sentence = pytest.raises(MachineError, match=r"a: cannot be written\n  -> choose a folder")
    with sentence, disk_errors(tmp_path / "a"):
        raise OSError(number, os.strerror(number))


def test_an_impossible_place_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    for path in (
        tmp_path / "file" / "a.txt",
        tmp_path / "file" / "deep" / "a.txt",
        tmp_path / "folder",
        tmp_path / ("n" * 300),
    ):
        with pytest.raises(MachineError, match=r"cannot be written \(.+\)\n  -> choose another"):
            write_text(path, "text")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_other_errors_pass_through(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError), disk_errors(tmp_path):
        raise TimeoutError


def test_json_is_written_for_people_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    value = {"score": 0.1, "名": ["x", None, True], "n": -3}
    write_json(path, value)
    assert read_json(path) == value
    assert "名" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not valid JSON"),
        (b"", "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (None, "is missing"),
    ],
)
def test_bad_json_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_json(path)
    assert caught.value.file == path


def test_a_folder_in_place_of_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
        read_json(tmp_path)


def test_the_checksum_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mlspring")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"mlspring").hexdigest()


def test_a_folder_appears_complete_and_readable(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder"
    for _ in range(2):  # where there is nothing, and where there is an empty folder
        with atomic_folder(path) as partial:
            (partial / "a").write_text("x")
            assert not path.exists() or not any(path.iterdir())
        assert [p.name for p in path.iterdir()] == ["a"]
        (path / "a").unlink()
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o777 & ~umask
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_an_error_or_ctrl_c_leaves_no_folder(tmp_path: Path, kind: type[BaseException]) -> None:
    with pytest.raises(kind), atomic_folder(tmp_path / "a") as partial:
        (partial / "b").write_text("half")
        raise kind
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("free", [5000, 10**9])
def test_a_short_write_without_a_number_is_told_as_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    def usage(place: Path) -> SimpleNamespace:
        left = list(tmp_path.glob(".a-*.part"))
        return SimpleNamespace(free=free if left else 10**9)  # cleaning up frees the disk

    monkeypatch.setattr(module.shutil, "disk_usage", usage)
    for atomic in (atomic_path, atomic_folder):
        expected = (MachineError, "the disk is full") if free == 5000 else (OSError, "encoder")
        with pytest.raises(expected[0], match=expected[1]), atomic(tmp_path / "a"):
            raise OSError("encoder error -2 when writing image file")  # as Pillow says it
        assert list(tmp_path.iterdir()) == []
