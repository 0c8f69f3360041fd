"""Own recordings, a folder a speaker, become the course's layout whatever their kind."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.source import official
from mlspring.core.speech_features import log_mel40
from mlspring.homeworks.hw04_speakers import data
from tests.homeworks.hw04.tools import recipe

soundfile = pytest.importorskip("soundfile")


def tone(hertz: float, seconds: float = 0.6, rate: int = 16_000) -> NDArray[np.float64]:
    """Return a buzz of twenty harmonics: of 120 Hz they end at 2.4 kHz."""
    t = np.arange(int(seconds * rate)) / rate
    return 0.02 * sum(np.sin(2 * np.pi * hertz * k * t) for k in range(1, 21))


def record(file: Path, hertz: float, rate: int = 16_000, channels: int = 1, **kind: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    sound = np.repeat(tone(hertz, rate=rate)[:, None], channels, 1)
    soundfile.write(file, sound, rate, **kind)


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    for speaker, hertz in (("Ann", 120.0), ("王小明", 220.0)):
        for number in range(2):
            record(tmp_path / "audio" / speaker / f"{number}.wav", hertz + 10 * number)
    record(tmp_path / "audio" / "test" / "who.flac", 225.0)
    return tmp_path / "audio"


def test_a_folder_is_a_speaker_and_test_is_to_be_told(audio: Path, tmp_path: Path) -> None:
    (audio / ".DS_Store").touch()
    said = data.from_audio(audio, tmp_path / "out")
    assert said == "4 recordings of 2 speakers and 1 recording to tell"
    loaded = data.load(official(tmp_path / "out"), recipe())
    assert loaded.speakers == ("Ann", "王小明")
    assert loaded.labels.tolist() == [0, 0, 1, 1]
    expected = [120.0, 130.0, 220.0, 230.0]
    for frames, hertz in zip(loaded.train.each(), expected, strict=True):
        sound = np.rint(tone(hertz) * 32768) / 32768  # 16 bits
        found = log_mel40(sound.astype(np.float32))
        assert np.allclose(frames[:, :20], found[:, :20], atol=0.02), "below 2 kHz, where it sounds"
    assert len(loaded.test.names) == 1
    listed = (tmp_path / "out" / "Dataset" / "recordings.csv").read_text(encoding="utf-8")
    assert f"{loaded.test.names[0]},test/who.flac" in listed.splitlines()


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "suffix"),
    [
        (22_050, 1, "PCM_16", "wav"),
        (44_100, 2, "PCM_24", "wav"),
        (48_000, 2, "FLOAT", "wav"),
        (16_000, 2, "PCM_24", "flac"),
    ],
)
def test_another_rate_width_or_number_of_channels_gives_the_same_frames(
    rate: int, channels: int, subtype: str, suffix: str, audio: Path, tmp_path: Path
) -> None:
    (audio / "Ann" / "0.wav").unlink()
    record(audio / "Ann" / f"0.{suffix}", 120.0, rate, channels, subtype=subtype)
    data.from_audio(audio, tmp_path / "out")
    found = next(data.load(official(tmp_path / "out"), recipe()).train.each())
    expected = log_mel40(tone(120.0).astype(np.float32))
    assert found.shape == expected.shape
    assert np.abs(found[2:-2, :20] - expected[2:-2, :20]).max() < 0.2


def test_without_a_test_folder_there_is_none(audio: Path, tmp_path: Path) -> None:
    (audio / "test" / "who.flac").unlink()
    (audio / "test").rmdir()
    assert data.from_audio(audio, tmp_path / "out").endswith("and none to tell")
    assert not (tmp_path / "out" / "Dataset" / "testdata.json").exists()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("Ann/0.wav", b"ID3\x04" + bytes(500), r"0\.wav: .*expected a wav or flac file"),
        ("Ann/0.wav", b"", r"0\.wav: is empty"),
        ("Ann/2.mp3", b"ID3", r"2\.mp3: is no wav and no flac; expected DIR/<speaker>/"),
        ("Ann/inner/3.wav", b"", r"inner: is no wav and no flac"),
        ("Bo/1.wav", b"RIFF", r"Bo: holds 1 recording\(s\); expected 2 or more"),
    ],
)
def test_what_cannot_be_used_is_told(
    file: str, content: bytes, words: str, audio: Path, tmp_path: Path
) -> None:
    (audio / file).parent.mkdir(exist_ok=True)
    (audio / file).write_bytes(content)
    with pytest.raises(DataError, match=words):
        data.from_audio(audio, tmp_path / "out")


def test_a_recording_too_short_for_a_frame_is_told(audio: Path, tmp_path: Path) -> None:
    soundfile.write(audio / "Ann" / "0.wav", np.zeros(300), 16_000)
    with pytest.raises(DataError, match=r"0\.wav: has 300 samples"):
        data.from_audio(audio, tmp_path / "out")


def test_one_speaker_alone_is_nobody_to_tell_apart(tmp_path: Path) -> None:
    record(tmp_path / "audio" / "Ann" / "0.wav", 120.0)
    with pytest.raises(DataError, match=r"recordings of 1 speaker\(s\); expected 2 or more: DIR"):
        data.from_audio(tmp_path / "audio", tmp_path / "out")
