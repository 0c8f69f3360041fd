"""Recordings: every usual kind is read alike, and what is none is told before anything is made."""

import io
import struct
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring.core import audio
from mlspring.core.audio import read_audio, resampled, write_wav
from mlspring.core.errors import DataError

soundfile = pytest.importorskip("soundfile")


def tone(num_samples: int = 4000, rate: int = 16000, hertz: float = 440.0) -> NDArray[np.float32]:
    time = np.arange(num_samples) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def wav_bytes(samples: NDArray[np.float32], rate: int = 16000, subtype: str = "PCM_16") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, subtype=subtype, format="WAV")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "subtype", "step"),
    [
        ("a.wav", "PCM_U8", 2**-7),
        ("a.wav", "PCM_16", 2**-15),
        ("a.wav", "PCM_24", 2**-23),
        ("a.wav", "PCM_32", 2**-23),
        ("a.wav", "FLOAT", 1e-7),
        ("a.wav", "DOUBLE", 1e-7),
        ("a.flac", "PCM_16", 2**-15),
        ("a.flac", "PCM_24", 2**-23),
    ],
)
def test_every_width_is_read(tmp_path: Path, name: str, subtype: str, step: float) -> None:
    soundfile.write(tmp_path / name, tone(), 16000, subtype=subtype)
    samples = read_audio(tmp_path / name)
    assert samples.dtype == np.float32 and samples.shape == (4000,)
    assert np.abs(samples - tone()).max() <= step


def test_channels_are_averaged(tmp_path: Path) -> None:
    both = np.stack([tone(), np.zeros(4000, np.float32)], axis=1)
    soundfile.write(tmp_path / "stereo.wav", both, 16000, subtype="FLOAT")
    assert np.allclose(read_audio(tmp_path / "stereo.wav"), tone() / 2, atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_other_rates_become_16_khz(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(rate, rate), rate, subtype="FLOAT")
    samples = read_audio(tmp_path / "a.wav")
    assert len(samples) == 16000
    inner = slice(400, -400)  # the filter rings at both ends
    assert np.abs(samples - tone(16000))[inner].max() < 2e-3


def test_what_16_khz_cannot_hold_is_taken_out() -> None:
    high = tone(48000, 48000, hertz=11_000)
    assert np.abs(resampled(high, 48000)[400:-400]).max() < 5e-3


def test_real_recordings_at_22_khz_are_read(real_data: Path) -> None:
    files = sorted((real_data / "hw02" / "emodb" / "wav").glob("*.flac"))[:5]
    if not files:
        pytest.skip("no recordings of homework 2 here")
    for file in files:
        info = soundfile.info(str(file))
        assert info.samplerate == 22050
        samples = read_audio(file)
        assert len(samples) == pytest.approx(info.frames * 16000 / 22050, abs=1)
        assert 0.01 < np.abs(samples).max() < 1.5


# ---- bad input

MP3 = b"\xff\xfb\x90\x00" + bytes(413)  # one silent frame of MPEG-1 layer 3, 128 kbit/s
SOUND = wav_bytes(tone())


def wav_of(channels: int = 1, rate: int = 16000, data: bytes = b"", claim: int = -1) -> bytes:
    """Return a wav whose header says whatever is wanted."""
    size = len(data) if claim < 0 else claim
    form = struct.pack(
        "<HHIIHH", 1, channels, rate & 0xFFFFFFFF, 2 * rate & 0xFFFFFFFF, 2 * channels, 16
    )
    chunks = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def big_endian() -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, tone(), 16000, "PCM_16", endian="BIG", format="WAV")
    return stream.getvalue()


def flac_cut() -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 40_000).astype(np.float32)
    soundfile.write(stream, noise, 16000, format="FLAC")
    return stream.getvalue()[:30_000]


def ogg() -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, tone(), 16000, format="OGG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b"", "is empty; expected a wav or flac file"),
        (lambda: b"no sound at all", r"cannot be decoded \(Format not recognised"),
        (lambda: SOUND[:30], "has no part called data"),
        (lambda: SOUND[:2000], r"promises 8,000 bytes of sound and holds 1,956"),
        (lambda: big_endian()[:2000], r"promises 8,000 bytes of sound and holds 1,956"),
        (lambda: wav_of(data=bytes(800), claim=0xFFFFFFFF), "promises 4,294,967,295 bytes"),
        (wav_of, "holds no samples"),
        (lambda: wav_of(channels=0, data=bytes(800)), "has 0 channels"),
        (lambda: wav_of(rate=1, data=bytes(800)), "1 samples a second; expected 4,000 to 192,000"),
        (lambda: wav_of(rate=2_000_000_000, data=bytes(800)), "2,000,000,000 samples a second"),
        (lambda: wav_of(rate=0, data=bytes(800)), "expected"),
        (lambda: 20 * MP3, "expected a wav or flac file"),
        (ogg, r"is OGG.*; expected a wav or flac file"),
        (flac_cut, "expected a"),
        (lambda: wav_bytes(np.array([0, np.nan], np.float32), subtype="FLOAT"), "sample 1 is nan"),
        (lambda: wav_bytes(np.array([np.inf], np.float32), subtype="FLOAT"), "sample 0 is inf"),
    ],
)
def test_what_is_no_recording_is_told(
    tmp_path: Path, make: Callable[[], bytes], message: str
) -> None:
    path = tmp_path / "one.wav"
    path.write_bytes(make())
    with pytest.raises(DataError, match=message) as caught:
        read_audio(path)
    assert str(path) in str(caught.value)


def test_absent_files_and_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing"):
        read_audio(tmp_path / "none.wav")
    with pytest.raises(DataError, match="is a folder"):
        read_audio(tmp_path)


def test_size_and_length_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(SOUND)
    monkeypatch.setattr(audio, "MAX_SECONDS", 0.1)
    with pytest.raises(DataError, match=r"lasts 0 s; expected at most 0 s"):
        read_audio(path)
    monkeypatch.undo()
    monkeypatch.setattr(audio, "MAX_VALUES", 3999)
    with pytest.raises(DataError, match="holds 4,000 samples of 1 channels"):
        read_audio(path)
    monkeypatch.setattr(audio, "MAX_FILE_BYTES", 1000)
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        read_audio(path)


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_any_cut_of_the_header_is_an_error_of_ours(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(SOUND[:cut])
    with pytest.raises(DataError):
        read_audio(path)


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_noise_in_the_header_never_escapes(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    path, stream = tmp_path / "noise.wav", io.BytesIO()
    soundfile.write(stream, tone(300), 16000, format=kind, subtype="PCM_16")
    told = 0
    for _ in range(200):
        content = bytearray(stream.getvalue())
        for at in rng.integers(0, 44, 3):
            content[at] = int(rng.integers(256))
        path.write_bytes(content)
        try:
            assert np.isfinite(read_audio(path)).all()
        except DataError:
            told += 1
    assert told > 50


# ---- writing


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_wav(tmp_path / "new" / "a.wav", tone())
    assert np.abs(read_audio(tmp_path / "new" / "a.wav") - tone()).max() < 2**-14
    with wave.open(str(tmp_path / "new" / "a.wav")) as stream:
        assert (stream.getnchannels(), stream.getframerate()) == (1, 16000)


def test_louder_samples_are_cut_off(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.array([3.0, -3.0, 0.0], np.float32))
    assert np.allclose(read_audio(tmp_path / "a.wav"), [1, -1, 0], atol=1e-4)


@pytest.mark.parametrize("bad", [np.zeros((3, 2)), np.array([0, np.nan])])
def test_what_cannot_be_heard_is_not_written(tmp_path: Path, bad: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="one channel of finite samples"):
        write_wav(tmp_path / "a.wav", bad)
    assert list(tmp_path.iterdir()) == []
