"""Stretches of the spectrum and hidden deviations, against sound of which both are known."""

import numpy as np
import pytest

from mlspring.core import cepstra, speech_features
from mlspring.core.cepstra import LIFTER
from mlspring.core.speech_features import mfcc39


def noise(seed: int = 0) -> speech_features.Floats:
    """Return two seconds of noise whose colour and loudness change."""
    draw = np.random.default_rng(seed)
    sound = draw.normal(0, 1, 32_000)
    for start in range(0, 32_000, 1600):
        part = slice(start, start + 1600)
        kernel = draw.normal(0, 1, 8) * draw.uniform(0.01, 0.2)
        sound[part] = np.convolve(sound[part], kernel, "same")
    return sound.astype(np.float32)


def test_deviations_are_found_in_the_differences() -> None:
    pytest.importorskip("kaldi_native_fbank")
    sound = noise()
    true = speech_features._cepstra(sound).std(0)
    for features, tolerance in ((mfcc39(sound), 1e-4), (mfcc39(sound).astype("f2"), 2e-2)):
        found = cepstra.deviations(features.astype(np.float32))
        np.testing.assert_allclose(found, true / true.mean(), rtol=tolerance)


def test_silence_has_some_deviations() -> None:
    assert cepstra.deviations(np.zeros((5, 39), np.float32)).tolist() == [1.0] * 13


def test_no_stretch_changes_nothing() -> None:
    np.testing.assert_allclose(cepstra.stretch(1.0), np.eye(13), atol=1e-12)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_resonance_moves_as_far_as_the_stretch_says(factor: float) -> None:
    low, high = (1127 * np.log1p(f / 700) for f in (20.0, 8000.0))
    step = (high - low) / 24
    bands = 700 * np.expm1((low + step * (np.arange(23) + 1)) / 1127)
    resonance = np.exp(-0.5 * ((np.log(bands) - np.log(1500)) / 0.25) ** 2)  # around 1.5 kHz
    number = np.arange(13)[:, None]
    forth = np.cos(np.pi / 23 * number * (np.arange(23) + 0.5)) * LIFTER[:, None]
    forth[0] /= 2
    moved = (forth @ resonance) @ cepstra.stretch(factor)
    back = np.cos(np.pi / 23 * number * (np.arange(23) + 0.5)) / LIFTER[:, None]
    seen = moved @ back
    middle = (bands * seen.clip(0)).sum() / seen.clip(0).sum()
    still = ((forth @ resonance) @ back).clip(0)
    before = (bands * still).sum() / still.sum()
    assert middle / before == pytest.approx(1 / factor, rel=0.05)


def test_the_spectrum_turns_the_cosine_transform_back() -> None:
    features = np.zeros((1, 39), np.float32)
    features[0, 3] = 2.0
    bands = np.arange(23) + 0.5
    expected = 2.0 / LIFTER[3] * np.sqrt(2 / 23) * np.cos(np.pi * 3 * bands / 23)
    np.testing.assert_allclose(cepstra.spectrum(features)[0], expected, atol=1e-7)
