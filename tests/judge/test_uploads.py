import os
import stat
import threading
from pathlib import Path

import fake_island
import pytest

from mlspring.core.errors import MachineError, RuleError, SubmissionError
from mlspring.core.files import sha256
from mlspring.core.spec import Spec
from mlspring.judge.uploads import judging_lock, shown_name, store_upload, sweep


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


def test_a_copy_has_the_content_and_the_usual_name(spec: Spec, tmp_path: Path, files: Path) -> None:
    file = fake_island.write_submission(tmp_path / "my best; rm -rf.csv", 4, 4)
    copy = store_upload(file, spec, files)
    assert (files / copy.relative).read_bytes() == file.read_bytes()
    assert (copy.num_bytes, copy.sha256) == (file.stat().st_size, sha256(file))
    assert Path(copy.relative).name == "pred.csv"
    assert store_upload(file, spec, files).relative != copy.relative


def test_what_cannot_be_handed_in(spec: Spec, tmp_path: Path, files: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "huge.csv").write_bytes(b"x" * 10_001)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, message in {
        "none.csv": "there is no such file",
        "empty.csv": "is empty; expected a pred.csv",
        "folder": "is a folder; expected a file",
        "huge.csv": "has more than 10,000 bytes; expected at most that for hw99",
        "pipe": "is a device, pipe or socket; expected a file",
        "loop": "cannot be opened",
        "empty.csv/inside": "cannot be opened",
        "nul\0": "cannot be opened",
    }.items():
        with pytest.raises(SubmissionError) as caught:
            store_upload(tmp_path / name, spec, files)
        assert message in str(caught.value), name
    with pytest.raises(SubmissionError, match="device"):
        store_upload(Path("/dev/zero"), spec, files)
    assert not files.exists() or list(files.rglob("*/*")) == []


def test_the_largest_allowed_file_is_taken(spec: Spec, tmp_path: Path, files: Path) -> None:
    (tmp_path / "large.csv").write_bytes(b"x" * 10_000)
    assert store_upload(tmp_path / "large.csv", spec, files).num_bytes == 10_000


def test_a_link_may_not_lead_elsewhere(spec: Spec, tmp_path: Path, files: Path) -> None:
    (tmp_path / "other").mkdir()
    file = fake_island.write_submission(tmp_path / "real.csv", 1, 1)
    (tmp_path / "latest.csv").symlink_to("real.csv")
    assert store_upload(tmp_path / "latest.csv", spec, files).sha256 == sha256(file)
    (tmp_path / "other" / "link.csv").symlink_to(file)
    with pytest.raises(SubmissionError, match=r"is a link to .*real\.csv"):
        store_upload(tmp_path / "other" / "link.csv", spec, files)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(spec: Spec, tmp_path: Path, files: Path) -> None:
    file = fake_island.write_submission(tmp_path / "closed.csv", 1, 1)
    file.chmod(0)
    with pytest.raises(SubmissionError, match="chmod u\\+r"):
        store_upload(file, spec, files)


def test_a_full_disk_leaves_nothing(
    spec: Spec, tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    file = fake_island.write_submission(tmp_path / "pred.csv", 1, 1)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="the disk is full"):
        store_upload(file, spec, files)
    assert list((files / spec.id).iterdir()) == []


def test_a_copy_is_held_by_one_judge_at_a_time(tmp_path: Path) -> None:
    held = "submission 7 is being judged now"
    copy = "hw99/00ff/pred.csv"
    with (
        judging_lock(tmp_path, copy),
        pytest.raises(RuleError, match=held),
        judging_lock(tmp_path, copy, 7),
    ):
        raise AssertionError("two judges hold one copy")
    with judging_lock(tmp_path, copy, 7), judging_lock(tmp_path, "hw99/11ff/pred.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_upload_waits_for_one_who_sweeps_at_this_moment(tmp_path: Path) -> None:
    held, done = threading.Event(), threading.Event()

    def sweeping() -> None:
        with judging_lock(tmp_path, "hw99/00ff/pred.csv"):
            held.set()
            done.wait(0.2)

    other = threading.Thread(target=sweeping)
    other.start()
    assert held.wait(30)
    with judging_lock(tmp_path, "hw99/00ff/pred.csv", wait=30.0):
        assert not other.is_alive() or other.join(30) is None
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_upload_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    files, busy = tmp_path / "files", tmp_path / "busy"
    names = [f"hw99/{name}/pred.csv" for name in ("dead", "known", "alive")]
    for name in names:
        (files / name).parent.mkdir(parents=True)
        (files / name).write_text("half of it")
    busy.mkdir()
    for name in names[:2]:  # a process that was killed leaves its lock's file
        (busy / f"{name.replace('/', '~')}.lock").touch()
    (busy / "..~..~pred.csv.lock").touch()
    (tmp_path / "pred.csv").touch()
    with judging_lock(busy, names[2]):
        assert sweep(busy, files, is_known=lambda name: name == names[1]) == [names[0]]
    assert sorted(p.relative_to(files).as_posix() for p in files.rglob("*.csv")) == [
        names[2],
        names[1],
    ]
    assert not (files / "hw99" / "dead").exists()
    assert (tmp_path / "pred.csv").exists() and list(busy.iterdir()) == []


def test_only_the_judge_may_read_a_copy(spec: Spec, tmp_path: Path, files: Path) -> None:
    file = fake_island.write_submission(tmp_path / "pred.csv", 1, 1)
    copy = files / store_upload(file, spec, files).relative
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700


def test_a_name_is_shown_without_what_a_terminal_would_obey() -> None:
    assert shown_name(Path("a\x1b[2J\n.csv")) == r"a\x1b[2J\n.csv"
    assert shown_name(Path("a\u202egpj.csv")) == r"a\u202egpj.csv"
    assert shown_name(Path("結果.csv")) == "結果.csv"
    assert len(shown_name(Path("x" * 200))) == 120
    assert len(shown_name(Path("\x1b" * 200))) <= 120
