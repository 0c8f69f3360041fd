"""Features of speech as the course computed them: 39 numbers a frame, or 40 log energies.

A frame is 25 ms (``WINDOW`` samples), one every 10 ms (``HOP``), of sound at 16 kHz.

``mfcc39`` gives the numbers of the course's files for homework 2, to 0.0002: Kaldi's thirteen mel
cepstra, their differences, the differences of these; then mean 0 and variance 1 over the utterance.
Whoever made those files took the differences along the wrong axis: from one cepstral coefficient
to the next, and not from one frame to the next (a function that wants (coefficients, time) got
(time, coefficients)). So a frame of theirs knows nothing of its neighbours.
``deltas="coefficients"`` repeats that, and is the default, since a network that learnt from
official files needs features like theirs; ``deltas="time"`` is what the method means, for data that
are all one's own.

``log_mel40`` is the extractor whose two files lie beside the course's data for homework 4
(github.com/yistLin/dvector, data/wav2mel.py), without its removal of silence. It needs no package
beyond NumPy.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlspring.core.audio import SAMPLE_RATE
from mlspring.core.errors import DataError
from mlspring.core.extras import imported

Floats = NDArray[np.float32]
Deltas = Literal["coefficients", "time"]

WINDOW, HOP = 400, 160  # samples: 25 ms, 10 ms
NUM_CEPSTRA, NUM_MFCC, NUM_MELS = 13, 39, 40
REACH = 2  # frames or coefficients to each side of a difference
FEWEST_FRAMES = 2  # one alone has no variance
FLAT = 1e-5  # a deviation below it is rounding: the column is constant
LOWEST_MEL, FLOOR = 50.0, 1e-9  # Hz; power, below which there is only silence
PEAK = 10 ** (-3 / 20)  # -3 dB


def num_frames(num_samples: int) -> int:
    """Return the frames of ``mfcc39``: none reaches beyond the end."""
    return max(0, (num_samples - WINDOW) // HOP + 1)


def mfcc39(samples: Floats, *, deltas: Deltas = "coefficients", file: Path | None = None) -> Floats:
    """Return normalised MFCCs with differences, float32 (t, 39), t = (n - 400) // 160 + 1.

    Args:
        samples: sound at 16 kHz, (n,).
        deltas: along which axis differences are taken; "coefficients" as in the course's files.
        file: where the sound is from, for the message of an error.

    Raises:
        DataError: fewer than two frames, or a value that is not finite.
        MachineError: the extra [speech] is not installed.
    """
    _check(samples, WINDOW + (FEWEST_FRAMES - 1) * HOP, file)
    cepstra = _cepstra(np.asarray(samples, np.float32))
    axis = 1 if deltas == "coefficients" else 0
    first = differences(cepstra, axis)
    features = np.concatenate([cepstra, first, differences(first, axis)], axis=1)
    return normalised(features)


def log_mel40(samples: Floats, *, file: Path | None = None) -> Floats:
    """Return log mel energies, float32 (t, 40), t = n // 160 + 1.

    The loudest sample is set to -3 dB; frame i is centred on sample 160 i (the ends are mirrored);
    power spectrum of 400 samples under a Hann window, 40 triangles from 50 Hz to 8 kHz, natural
    logarithm of the energy plus 1e-9.

    Args:
        samples: sound at 16 kHz, (n,).
        file: where the sound is from, for the message of an error.

    Raises:
        DataError: fewer than 400 samples, or a value that is not finite.
    """
    _check(samples, WINDOW, file)
    loudest = float(np.abs(samples).max())
    scaled = np.asarray(samples, np.float32) * np.float32(PEAK / loudest if loudest > 0 else 1.0)
    mirrored = np.pad(scaled, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(mirrored, WINDOW)[::HOP]
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)  # periodic
    spectrum = np.fft.rfft(frames * window, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    energies: Floats = np.log(power @ _mel_triangles() + FLOOR).astype(np.float32)
    return energies


def flat_features(
    utterances: Sequence[Floats], extract: Callable[[Floats], Floats]
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the features of many utterances as one array, and where each begins.

    Returns:
        Features (T, d) of all frames; offsets (n + 1,): utterance i has rows offsets[i] to
        offsets[i + 1].
    """
    features = [extract(samples) for samples in utterances]
    offsets = np.cumsum([0, *map(len, features)], dtype=np.int64)
    return np.concatenate(features), offsets


def normalised(features: NDArray[np.floating[Any]]) -> Floats:
    """Return ``features`` (t, d) with mean 0 and variance 1 (of t - 1) in every column.

    A column without variance, as of digital silence, becomes 0.
    """
    wide = features.astype(np.float64)
    centred = wide - wide.mean(axis=0)
    deviation = centred.std(axis=0, ddof=1)
    scale = np.where(deviation > FLAT, deviation + 1e-10, np.inf)
    scaled: Floats = (centred / scale).astype(np.float32)
    return scaled


def _check(samples: Floats, fewest: int, file: Path | None) -> None:
    if samples.ndim != 1 or len(samples) < fewest:
        found = f"has {len(samples):,} samples" if samples.ndim == 1 else f"is {samples.shape}"
        expected = f"one channel of at least {fewest} samples ({1000 * fewest // SAMPLE_RATE} ms)"
        raise DataError(found, file=file, expected=expected, fix="leave it out")
    if not np.isfinite(samples).all():
        row = int(np.flatnonzero(~np.isfinite(samples))[0])
        found = f"sample {row:,} is {samples[row]}"
        raise DataError(found, file=file, expected="finite numbers", fix="record it again")


def _cepstra(samples: Floats) -> NDArray[np.float64]:
    """Return Kaldi's mel cepstra, (t, 13)."""
    library = imported("kaldi_native_fbank", extra="speech", purpose="features are computed")
    options = library.MfccOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = True
    options.frame_opts.window_type = "povey"
    options.frame_opts.preemph_coeff = 0.97
    options.mel_opts.num_bins = 23
    options.mel_opts.low_freq = 20.0
    options.num_ceps = NUM_CEPSTRA
    options.use_energy = False
    options.cepstral_lifter = 22.0
    extractor = library.OnlineMfcc(options)
    extractor.accept_waveform(SAMPLE_RATE, samples)
    extractor.input_finished()
    count = extractor.num_frames_ready
    return np.array([extractor.get_frame(row) for row in range(count)], np.float64)


def differences(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return the slope over two neighbours to each side; ends are repeated."""
    padded = np.pad(values, [(REACH, REACH) if side == axis else (0, 0) for side in (0, 1)], "edge")
    size = values.shape[axis]

    def moved(by: int) -> NDArray[np.float64]:
        return np.take(padded, np.arange(REACH + by, REACH + by + size), axis=axis)

    total = sum(by * (moved(by) - moved(-by)) for by in range(1, REACH + 1))
    return np.asarray(total / (2 * sum(by * by for by in range(1, REACH + 1))))


@cache
def _mel_triangles() -> Floats:
    """Return the weight of each frequency in each band, (201, 40); HTK's mel scale."""
    ends = 2595 * np.log10(1 + np.array([LOWEST_MEL, SAMPLE_RATE / 2]) / 700)
    corners = 700 * (10 ** (np.linspace(ends[0], ends[1], NUM_MELS + 2) / 2595) - 1)
    bins = np.linspace(0, SAMPLE_RATE / 2, WINDOW // 2 + 1)[:, None]
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float32)
