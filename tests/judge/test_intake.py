import os
from pathlib import Path

import fake_island
import pytest

from mlspring.core.errors import MachineError, RuleError, SubmissionError
from mlspring.core.files import sha256
from mlspring.core.spec import Spec
from mlspring.judge.intake import shown_name, take_in, working_on


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


def test_a_copy_has_the_content_and_the_usual_name(spec: Spec, tmp_path: Path, files: Path) -> None:
    file = fake_island.write_submission(tmp_path / "my best; rm -rf.csv", 4, 4)
    copy = take_in(file, spec, files)
    assert (files / copy.relative).read_bytes() == file.read_bytes()
    assert (copy.num_bytes, copy.sha256) == (file.stat().st_size, sha256(file))
    assert Path(copy.relative).name == "pred.csv"
    assert take_in(file, spec, files).relative != copy.relative


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
            take_in(tmp_path / name, spec, files)
        assert message in str(caught.value), name
    with pytest.raises(SubmissionError, match="device"):
        take_in(Path("/dev/zero"), spec, files)
    assert not files.exists() or list(files.rglob("*/*")) == []


def test_the_largest_allowed_file_is_taken(spec: Spec, tmp_path: Path, files: Path) -> None:
    (tmp_path / "large.csv").write_bytes(b"x" * 10_000)
    assert take_in(tmp_path / "large.csv", spec, files).num_bytes == 10_000


def test_a_link_may_not_lead_elsewhere(spec: Spec, tmp_path: Path, files: Path) -> None:
    (tmp_path / "other").mkdir()
    file = fake_island.write_submission(tmp_path / "real.csv", 1, 1)
    (tmp_path / "latest.csv").symlink_to("real.csv")
    assert take_in(tmp_path / "latest.csv", spec, files).sha256 == sha256(file)
    (tmp_path / "other" / "link.csv").symlink_to(file)
    with pytest.raises(SubmissionError, match=r"is a link to .*real\.csv"):
        take_in(tmp_path / "other" / "link.csv", spec, files)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(spec: Spec, tmp_path: Path, files: Path) -> None:
    file = fake_island.write_submission(tmp_path / "closed.csv", 1, 1)
    file.chmod(0)
    with pytest.raises(SubmissionError, match="chmod u\\+r"):
        take_in(file, spec, files)


def test_a_full_disk_leaves_nothing(
    spec: Spec, tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    file = fake_island.write_submission(tmp_path / "pred.csv", 1, 1)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="the disk is full"):
        take_in(file, spec, files)
    assert list((files / spec.id).iterdir()) == []


def test_a_copy_is_held_by_one_judge_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "copy"
    file.write_text("x")
    held = "submission 7 is being judged now"
    with working_on(file, 7), pytest.raises(RuleError, match=held), working_on(file, 7):
        raise AssertionError("two judges hold one copy")
    with working_on(file, 7):
        pass


def test_a_name_is_shown_without_what_a_terminal_would_obey() -> None:
    assert shown_name(Path("a\x1b[2J\n.csv")) == "a?[2J?.csv"
    assert shown_name(Path("結果.csv")) == "結果.csv"
    assert len(shown_name(Path("x" * 200))) == 120
