import errno
import gc
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
    demand_writable,
    disk_errors,
    home,
    is_litter,
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


MODES = """
import os, sys
from pathlib import Path
from mlspring.core.files import atomic_folder, atomic_path, write_text
os.umask(int(sys.argv[1], 8))
write_text(Path("file"), "x")
with atomic_folder(Path("folder")):
    pass
with atomic_path(Path("own"), private=True), atomic_folder(Path("own_folder"), private=True):
    pass
Path("after").touch()
names = ("file", "folder", "own", "own_folder", "after")
print(*(oct(os.stat(name).st_mode & 0o777) for name in names))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize(
    ("umask", "modes"),
    [
        ("022", "0o644 0o755 0o600 0o700 0o644"),
        ("027", "0o640 0o750 0o600 0o700 0o640"),
        ("077", "0o600 0o700 0o600 0o700 0o600"),
    ],
)
def test_files_have_the_mode_of_any_new_file_and_private_ones_are_closed(
    tmp_path: Path, umask: str, modes: str
) -> None:
    command = [sys.executable, "-c", MODES, umask]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == modes.split()


def test_the_umask_of_the_process_is_never_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def touched(mask: int) -> int:
        raise AssertionError("another thread's new file would be open to all for a moment")

    monkeypatch.setattr(os, "umask", touched)
    write_text(tmp_path / "a", "x")
    with atomic_folder(tmp_path / "b"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left open is closed at any time, by this at once
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(50):
        write_text(tmp_path / "a.txt", str(number))
        read_json(tmp_path / "a.txt")
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 25, "one each would be 50 more"


def test_files_and_folders_may_lie_deep_in_folders_that_are_not_there_yet(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "a" / "b" / "c") as partial:
        (partial / "x").touch()
    write_text(tmp_path / "d" / "e" / "f", "y")
    assert (tmp_path / "a" / "b" / "c" / "x").exists()
    assert (tmp_path / "d" / "e" / "f").read_text() == "y"


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
        "import os, pathlib\n"
        "from mlspring.core.files import atomic_path\n"
        f"with atomic_path(pathlib.Path({str(path)!r})) as partial:\n"
        "    partial.write_text('half')\n"
        "    os._exit(9)\n"  # as a kill: nothing is cleaned up
    )
    source = Path(__file__).resolve().parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(source)}, check=False
    )
    assert done.returncode == 9
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
        "  -> free some space, or choose another disk"
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


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_what_lies_in_our_own_folder_can_be_moved_with_it(isolated_home: Path, number: int) -> None:
    sentence = pytest.raises(MachineError, match="set MLSPRING_HOME to a")
    with sentence, disk_errors(isolated_home / "worlds" / "a"):
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
        with pytest.raises(MachineError, match=r"cannot be written \(.+\)\n  -> choose a folder"):
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
    with pytest.raises(DataError, match=r"is a folder|cannot be read"):
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


def test_without_a_home_the_error_names_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("MLSPRING_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", unknown)
    with pytest.raises(MachineError, match=r"no home folder.*\n  -> set MLSPRING_HOME"):
        home()


def test_a_home_whose_name_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSPRING_HOME", "/tmp/\udcb8")
    with pytest.raises(MachineError, match=r"^/tmp/\?: the name is not UTF-8 text"):
        home()


def test_a_folder_is_tried_before_the_work_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demand_writable(tmp_path / "not" / "yet", "the board")
    assert list(tmp_path.iterdir()) == []

    def refuse(*arguments: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    expected = r"yet: the board cannot be written \(Permission denied\)\n  -> set MLSPRING_HOME"
    with pytest.raises(MachineError, match=expected):
        demand_writable(tmp_path / "not" / "yet", "the board")


def test_a_folder_that_was_never_there_is_a_sentence() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    for atomic in (atomic_path, atomic_folder):
        with pytest.raises(MachineError, match="cannot be written"), atomic(Path("/proc/x/y")):
            pass


def test_another_file_that_is_missing_is_not_told_as_ours(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "out" / "a"):
        (tmp_path / "in" / "b").read_text()


@pytest.mark.parametrize("wait", [0.0, 5.0])
def test_on_windows_a_file_that_somebody_reads_is_replaced_a_little_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait: float
) -> None:
    refusals, original = [1, 1, 1], Path.replace

    def busy(self: Path, target: Path) -> Path:
        if refusals:
            refusals.pop()
            raise PermissionError(errno.EACCES, "it is being used by another process", str(target))
        return original(self, target)

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(module.sys, "platform", "win32")
    monkeypatch.setattr(module, "REPLACE_SECONDS", wait)
    if wait:
        write_text(tmp_path / "a", "new")
    else:
        with pytest.raises(MachineError, match="cannot be written"):
            write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == ("new" if wait else "old")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_names_that_are_no_utf8_are_kept_in_json(tmp_path: Path) -> None:
    value = {"run": "runs/\udcb8\udcea", "名": "名"}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store",
        "__MACOSX",
        "._cat.jpg",
        "Thumbs.db",
        "thumbs.DB",
        "desktop.ini",
        "cat.jpg:Zone.Identifier",
        "cat.jpgZone.Identifier",
        "@eaDir",
        "#recycle",
        "$RECYCLE.BIN",
        ".ipynb_checkpoints",
        "~$table.xlsx",
        ".~lock.table.csv#",
    ],
)
def test_what_systems_leave_is_litter(name: str) -> None:
    assert is_litter(name)


@pytest.mark.parametrize(
    "name",
    [
        "0_1.jpg",
        "data.csv",
        "_cat.jpg",
        "MACOSX",
        "Thumbs.db.jpg",
        "my desktop.ini.png",
        "ZoneX",
        "",
    ],
)
def test_data_is_no_litter(name: str) -> None:
    assert not is_litter(name)
