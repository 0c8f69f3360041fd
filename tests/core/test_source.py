import os
from pathlib import Path

import pytest

from mlspring.core.errors import DataError
from mlspring.core.source import official


def test_a_folder_of_the_user_is_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    source = official(Path("data"))
    assert (source.kind, source.folder) == ("official", tmp_path / "data")


def test_a_missing_folder_and_a_file_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no such folder\n  -> give --data"):
        official(tmp_path / "none")
    (tmp_path / "food11.zip").write_text("x")
    with pytest.raises(DataError, match=r"is a file; expected a folder\n  -> unpack an archive"):
        official(tmp_path / "food11.zip")


def test_an_unreadable_folder_says_how_to_allow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secret"
    folder.mkdir()
    folder.chmod(0)
    if os.geteuid() == 0:  # an administrator may read everything

        def refuse(self: Path) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match=r"cannot be read\n  -> allow reading it, e.g. chmod -R"):
        official(folder)
    folder.chmod(0o700)


def test_a_folder_that_can_be_listed_and_not_entered_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    assert official(folder).folder == folder  # an empty folder can be read
    (folder / "covid.train.csv").write_text("id")
    original = Path.lstat

    def refuse(self: Path) -> os.stat_result:  # as the system does for r without x
        if self.parent == folder:
            raise PermissionError(13, "Permission denied")
        return original(self)

    monkeypatch.setattr(Path, "lstat", refuse)
    with pytest.raises(
        DataError, match=r"closed: the folder cannot be read\n  -> allow reading it"
    ):
        official(folder)
