"""Features of speech: the course's own files, and plain definitions written out once more."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mlspring.core.audio import read_audio
from mlspring.core.errors import DataError
from mlspring.core.speech_features import (
    Deltas,
    flat_features,
    log_mel40,
    mfcc39,
    normalised,
    num_frames,
)

pytest.importorskip("kaldi_native_fbank")
Floats = NDArray[np.float32]


def sound(num_samples: int = 8000, seed: int = 0) -> Floats:
    """Return a rising tone in noise, at the level of a recording."""
    time = np.arange(num_samples) / 16000
    tone = np.sin(2 * np.pi * (300 + 900 * time) * time)
    noise = np.random.default_rng(seed).standard_normal(num_samples)
    return (0.2 * tone + 0.02 * noise).astype(np.float32)


# ---- MFCC


def kaldi_cepstra(samples: Floats) -> NDArray[np.float64]:
    """Return thirteen cepstra a frame, written out from Kaldi's definition."""

    def mel(hertz: float) -> float:
        return 1127 * math.log(1 + hertz / 700)

    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    corners = np.linspace(mel(20), mel(8000), 25)
    bands = np.zeros((23, 257))
    for band in range(23):
        left, centre, right = corners[band : band + 3]
        for k in range(256):
            at = mel(k * 16000 / 512)
            if left < at < right:
                rising = at <= centre
                bands[band, k] = (
                    (at - left) / (centre - left) if rising else (right - at) / (right - centre)
                )
    rows = []
    for start in range(0, len(samples) - 400 + 1, 160):
        frame = samples[start : start + 400].astype(np.float64)
        frame = frame - frame.mean()
        frame = np.concatenate([[frame[0] * 0.03], frame[1:] - 0.97 * frame[:-1]])
        power = np.abs(np.fft.rfft(frame * window, 512)) ** 2
        energies = np.log(np.maximum(bands @ power, np.finfo(np.float32).eps))
        row = []
        for n in range(13):
            scale = math.sqrt((1 if n == 0 else 2) / 23)
            basis = np.cos(math.pi * n * (np.arange(23) + 0.5) / 23)
            row.append(scale * basis @ energies * (1 + 11 * math.sin(math.pi * n / 22)))
        rows.append(row)
    return np.array(rows)


def slopes_along(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return differences over two neighbours to each side; an end is its own neighbour."""
    if axis == 1:
        return slopes_along(values.T, 0).T
    last = len(values) - 1
    slopes = np.zeros_like(values)
    for i in range(len(values)):
        for j in (1, 2):
            slopes[i] += j * (values[min(i + j, last)] - values[max(i - j, 0)]) / 10
    return slopes


@pytest.mark.parametrize(("deltas", "axis"), [("coefficients", 1), ("time", 0)])
def test_mfcc_is_what_the_definition_says(deltas: Deltas, axis: int) -> None:
    samples = sound()
    cepstra = kaldi_cepstra(samples)
    first = slopes_along(cepstra, axis)
    raw = np.concatenate([cepstra, first, slopes_along(first, axis)], axis=1)
    expected = (raw - raw.mean(0)) / raw.std(0, ddof=1)
    features = mfcc39(samples, deltas=deltas)
    assert features.shape == (48, 39) and features.dtype == np.float32
    assert np.abs(features - expected).max() < 1e-3


def test_mfcc_is_that_of_the_courses_files(real_data: Path) -> None:
    """51 utterances of which both the recording and the course's file are here."""
    pytest.importorskip("soundfile")
    folder = real_data / "hw02" / "librispeech_audio"
    pairs = []
    for recording in sorted(folder.glob("*.flac")):
        for part in ("train", "test"):
            file = real_data / "hw02" / "libriphone" / "feat" / part / f"{recording.stem}.pt"
            if file.exists():
                pairs.append((recording, file))
    if not pairs:
        pytest.skip("no recordings of homework 2 here")
    for recording, file in pairs:
        official = torch.load(file, map_location="cpu", weights_only=True).numpy()
        features = mfcc39(read_audio(recording), file=recording)
        assert features.shape == official.shape
        assert np.abs(features - official).max() < 5e-4, recording.name
        for column in range(39):
            assert np.corrcoef(features[:, column], official[:, column])[0, 1] > 0.9999


def test_differences_along_time_tell_of_neighbours_and_those_of_the_course_do_not() -> None:
    samples = sound()
    changed = samples.copy()
    changed[3200:] = sound(8000, seed=1)[3200:]
    before = slice(0, 10)  # frames that end before sample 3200, far from it

    def slopes(deltas: Deltas, of: Floats) -> Floats:
        return mfcc39(of, deltas=deltas)[:, 13:]

    one, other = slopes("time", samples), slopes("time", samples[::-1].copy())[::-1]
    rising = [np.corrcoef(one[5:-5, k], other[5:-5, k])[0, 1] for k in range(1, 13)]
    assert np.mean(rising) < -0.3, "played backwards, what rose falls"
    one, other = (
        slopes("coefficients", samples),
        slopes("coefficients", samples[::-1].copy())[::-1],
    )
    same = [np.corrcoef(one[5:-5, k], other[5:-5, k])[0, 1] for k in range(1, 13)]
    assert np.mean(same) > 0.3, "a frame of the course's does not know which way time runs"
    assert mfcc39(changed)[before].shape == (10, 39)


def test_loudness_does_not_matter() -> None:
    samples = sound()
    assert np.abs(mfcc39(samples) - mfcc39(samples * np.float32(0.25))).max() < 1e-2


def test_features_of_an_utterance_have_mean_0_and_variance_1() -> None:
    features = mfcc39(sound()).astype(np.float64)
    assert np.abs(features.mean(0)).max() < 1e-5
    assert np.abs(features.var(0, ddof=1) - 1).max() < 1e-4


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_constant_signal_gives_zeros_and_no_nan(value: float) -> None:
    features = mfcc39(np.full(4000, value, np.float32))
    assert features.shape == (23, 39)
    assert np.abs(features).max() == 0


def test_a_constant_column_stays_beside_others() -> None:
    column = np.arange(5.0)
    table = np.stack([column, np.full(5, 3.3)], axis=1)
    expected = (column - 2) / math.sqrt(2.5)
    assert np.allclose(normalised(table), np.stack([expected, np.zeros(5)], axis=1), atol=1e-6)


# ---- log mel


def course_log_mel(samples: Floats) -> NDArray[np.float64]:
    """Return what torchaudio's MelSpectrogram and the course's logarithm give, by torch.stft."""
    wave = torch.from_numpy(samples.astype(np.float64))
    wave = wave * (10 ** (-3 / 20) / wave.abs().max())
    window = torch.hann_window(400, dtype=torch.float64)
    spectrum = torch.stft(wave, 400, 160, window=window, return_complex=True, pad_mode="reflect")
    power = spectrum.abs().square().numpy().T  # (t, 201)

    def mel(hertz: float) -> float:
        return 2595 * math.log10(1 + hertz / 700)

    corners = [
        700 * (10 ** (m / 2595) - 1) for m in np.linspace(mel(50), mel(8000), 42)
    ]  # fmt: skip
    energies = np.zeros((len(power), 40))
    for band in range(40):
        left, centre, right = corners[band : band + 3]
        for k in range(201):
            at = k * 40.0
            weight = min((at - left) / (centre - left), (right - at) / (right - centre))
            energies[:, band] += max(0.0, weight) * power[:, k]
    return np.log(energies + 1e-9)


@pytest.mark.parametrize("num_samples", [400, 8000, 8079, 8080])
def test_log_mel_is_what_the_courses_extractor_computes(num_samples: int) -> None:
    samples = sound(num_samples)
    features = log_mel40(samples)
    assert features.shape == (num_samples // 160 + 1, 40) and features.dtype == np.float32
    assert np.abs(features - course_log_mel(samples)).max() < 2e-3


def test_silence_is_the_floor() -> None:
    features = log_mel40(np.zeros(1600, np.float32))
    assert np.allclose(features, math.log(1e-9))


# ---- bad input, many utterances


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(0, np.float32), "has 0 samples; expected one channel of at least"),
        (np.zeros(399, np.float32), "has 399 samples; expected one channel of at least"),
        (np.zeros((8000, 2), np.float32), r"is \(8000, 2\); expected one channel"),
        (np.where(np.arange(8000) == 7, np.nan, 0).astype(np.float32), "sample 7 is nan"),
        (np.where(np.arange(8000) == 9, -np.inf, 0).astype(np.float32), "sample 9 is -inf"),
    ],
)
def test_what_is_no_recording_is_told(samples: Floats, message: str) -> None:
    for extract in (mfcc39, log_mel40):
        with pytest.raises(DataError, match=message) as caught:
            extract(samples, file=Path("one.wav"))
        assert str(caught.value).startswith("one.wav: ")


def test_one_frame_has_no_variance() -> None:
    with pytest.raises(DataError, match=r"at least 560 samples \(35 ms\)"):
        mfcc39(sound(559))
    assert mfcc39(sound(560)).shape == (2, 39)


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2)])
def test_no_frame_reaches_beyond_the_end(samples: int, frames: int) -> None:
    assert num_frames(samples) == frames


def test_many_utterances_are_one_array_with_offsets() -> None:
    utterances = [sound(600), sound(1000, seed=1), sound(8000, seed=2)]
    features, offsets = flat_features(utterances, mfcc39)
    assert offsets.tolist() == [0, 2, 6, 54] and offsets.dtype == np.int64
    for start, end, samples in zip(offsets[:-1], offsets[1:], utterances, strict=True):
        assert np.array_equal(features[start:end], mfcc39(samples))
