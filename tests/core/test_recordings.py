"""Which recordings a folder holds, and what their utterances are called."""

from pathlib import Path

import pytest

from mlspring.core.errors import DataError
from mlspring.core.recordings import recordings


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_a_folder_is_a_speaker(tmp_path: Path) -> None:
    touch(tmp_path, "Ann-Lee/1.wav", "Ann-Lee/day 2/a.FLAC", "bo/1.wav", "c.wav", "bo/1.txt")
    touch(tmp_path, "__MACOSX/bo/._1.wav", ".hidden.wav")
    found = recordings(tmp_path)
    assert {name: path.relative_to(tmp_path).as_posix() for name, path in found.items()} == {
        "Ann_Lee-1": "Ann-Lee/1.wav",
        "Ann_Lee-day_2-a": "Ann-Lee/day 2/a.FLAC",
        "bo-1": "bo/1.wav",
        "speaker-c": "c.wav",
    }


def test_two_of_one_name_are_told(tmp_path: Path) -> None:
    touch(tmp_path, "bo/a b.wav", "bo/a_b.wav")
    with pytest.raises(DataError, match=r"a_b\.wav: would have the same name as a b\.wav"):
        recordings(tmp_path)


def test_no_recording_is_told_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no recording; expected wav or flac files"):
        recordings(touch(tmp_path / "a", "notes.txt"))
    with pytest.raises(DataError, match=r"(?s)holds no recording but song\.mp3;.*ffmpeg"):
        recordings(touch(tmp_path / "b", "song.mp3"))
