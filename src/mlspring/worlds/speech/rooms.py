"""Where a voice is heard: channel, room and noise; and what else sounds there."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from mlspring.core.audio import SAMPLE_RATE
from mlspring.worlds.speech.voices import Spread

Floats = NDArray[np.float64]

PREDELAY = 0.002  # s after the direct sound before the room answers: frames keep their phones
LEVEL = 0.06  # root mean square of what is heard


def heard(sound: Floats, spread: Spread, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return ``sound`` (n,) as a microphone in a room hears it, float32 (n,)."""
    return noisy(echoing(coloured(sound, spread, rng), spread, rng), spread, rng)


def coloured(sound: Floats, spread: Spread, rng: np.random.Generator) -> Floats:
    """Return ``sound`` through a channel with a tilt and one broad resonance."""
    tilt = rng.uniform(*spread.tilt)
    centre, radius = rng.uniform(300, 5000), rng.uniform(0.5, 0.85)
    angle = 2 * np.pi * centre / SAMPLE_RATE
    poles = [1, -2 * radius * np.cos(angle), radius**2]
    near = 0.6 * radius  # zeros at the same frequency keep the resonance broad and low
    zeros = [1, -2 * near * np.cos(angle), near**2]
    passed: Floats = lfilter(np.convolve([1, tilt], zeros), poles, sound)
    return passed


def echoing(sound: Floats, spread: Spread, rng: np.random.Generator) -> Floats:
    """Return ``sound`` with the room's decaying answer; the direct sound keeps its time."""
    seconds, echo = rng.uniform(*spread.reverb), rng.uniform(*spread.echo)
    count = int(seconds * SAMPLE_RATE)
    decay = 10.0 ** (-3 * np.arange(count) / count)
    tail = rng.standard_normal(count) * decay
    tail[: int(PREDELAY * SAMPLE_RATE)] = 0
    tail *= np.sqrt(echo / max(float(tail @ tail), 1e-12))
    tail[0] = 1
    answered: Floats = fftconvolve(sound, tail)[: len(sound)]
    return answered


def noisy(sound: Floats, spread: Spread, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return ``sound`` with coloured noise, at a steady level."""
    noise = lfilter([1], [1, -rng.uniform(0, 0.95)], rng.standard_normal(len(sound)))
    loudness = np.sqrt(np.mean(sound**2)) + 1e-9
    ratio = 10 ** (-rng.uniform(*spread.noise) / 20)
    mixed = sound / loudness + ratio * noise / np.sqrt(np.mean(noise**2))
    return np.asarray(LEVEL * mixed, np.float32)


def cough(rng: np.random.Generator) -> Floats:
    """Return one to three bursts of throaty noise, (n,), root mean square about 1."""
    bursts = []
    for _ in range(int(rng.integers(1, 4))):
        count = int(rng.uniform(0.08, 0.25) * SAMPLE_RATE)
        rise = np.minimum(np.arange(count) / (0.01 * SAMPLE_RATE), 1)
        envelope = rise * np.exp(-np.arange(count) / rng.uniform(0.2, 0.5) / count)
        angle = 2 * np.pi * rng.uniform(500, 2500) / SAMPLE_RATE
        radius = rng.uniform(0.85, 0.97)
        throat = [1, -2 * radius * np.cos(angle), radius**2]
        burst = lfilter([1], throat, rng.standard_normal(count)) * envelope
        bursts += [
            burst / np.sqrt(np.mean(burst**2)),
            np.zeros(int(rng.uniform(0, 0.05) * SAMPLE_RATE)),
        ]
    return np.concatenate(bursts)


def thump(rng: np.random.Generator) -> Floats:
    """Return a knock at the microphone, or the rustle of paper, (n,)."""
    count = int(rng.uniform(0.1, 0.4) * SAMPLE_RATE)
    low = rng.random() < 0.5
    noise = lfilter([1], [1, -0.97 if low else 0.6], rng.standard_normal(count))
    envelope = np.exp(-np.arange(count) / rng.uniform(0.15, 0.6) / count)
    burst = noise * envelope
    return np.asarray(burst / np.sqrt(np.mean(burst**2)))
