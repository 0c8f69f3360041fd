"""Recordings as the features want them: one channel of float32 at 16 kHz, whatever the file holds.

Wav and flac are read, of any usual rate, width and number of channels, through libsndfile (extra
[speech]). Size and length are bounded, and what a header promises must be there.
"""

import io
import math
import struct
import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.extras import imported
from mlspring.core.files import atomic_path
from mlspring.core.foreign import read_bytes_bounded

SAMPLE_RATE = 16_000
FORMATS = {"WAV": "wav", "WAVEX": "wav", "FLAC": "flac"}  # libsndfile's names
EXPECTED = "a wav or flac file"
MAX_FILE_BYTES = 200_000_000
MAX_VALUES = 100_000_000  # samples times channels
MAX_SECONDS = 1800.0
RATES = (4_000, 192_000)  # Hz
MAX_CHANNELS = 32
TO_WAV = "convert it, e.g. with: ffmpeg -i FILE -ar 16000 -ac 1 NEW.wav"
FULL_SCALE = 32767


def read_audio(path: Path) -> NDArray[np.float32]:
    """Return a recording as float32 (n,) at 16 kHz; channels are averaged.

    Raises:
        DataError: missing, too large or too long, no wav or flac, broken, cut short, empty, of an
            impossible rate, or with values that are not finite.
        MachineError: the extra [speech] is not installed.
    """
    library = imported("soundfile", extra="speech", purpose="recordings are read")
    content = read_bytes_bounded(path, MAX_FILE_BYTES)
    if not content:
        raise DataError("is empty", file=path, expected=EXPECTED)
    if content[:4] in (b"RIFF", b"RIFX"):
        _check_riff(content, path)
    try:
        with library.SoundFile(io.BytesIO(content)) as stream:
            _check_header(stream, path)
            promised = stream.frames
            values = stream.read(dtype="float32", always_2d=True)  # (n, channels)
            rate = int(stream.samplerate)
    except (library.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        reason = getattr(error, "error_string", error)  # the whole one names our stream, not a file
        message = f"cannot be decoded ({reason})"
        raise DataError(message, file=path, expected=EXPECTED, fix=TO_WAV) from error
    if len(values) != promised:
        found = f"holds {len(values):,} samples; its header promises {promised:,}"
        raise DataError(found, file=path, expected="a whole file", fix="copy or record it again")
    mono = values.mean(axis=1, dtype=np.float32)
    if not np.isfinite(mono).all():
        row = int(np.flatnonzero(~np.isfinite(mono))[0])
        expected = "finite numbers, about -1 to 1"
        raise DataError(f"sample {row:,} is {mono[row]}", file=path, expected=expected, fix=TO_WAV)
    return resampled(mono, rate)


def resampled(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Return ``samples`` (n,) of ``rate`` Hz at 16 kHz, without what the new rate cannot hold."""
    if rate == SAMPLE_RATE:
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(rate, SAMPLE_RATE)
    changed = resample_poly(samples, SAMPLE_RATE // common, rate // common)
    return np.asarray(changed, np.float32)


def write_wav(path: Path, samples: NDArray[np.float32]) -> None:
    """Write (n,) samples from -1 to 1 as 16-bit wav at 16 kHz; louder ones are cut off.

    Raises:
        ValueError: not one channel, or values that are not finite.
        MachineError: the file cannot be written.
    """
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise ValueError(f"one channel of finite samples expected, not {samples.shape}")
    whole = np.rint(np.clip(samples, -1, 1) * FULL_SCALE).astype("<i2")
    with (
        atomic_path(path) as partial,
        partial.open("wb") as stream,
        wave.open(stream, "wb") as writer,
    ):
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(whole.tobytes())


def _check_header(stream: Any, path: Path) -> None:
    """Make sure that a file of this format, rate and length can be read."""
    if stream.format not in FORMATS:
        found = f"is {stream.format_info}"
        raise DataError(found, file=path, expected=EXPECTED, fix=TO_WAV)
    if not RATES[0] <= stream.samplerate <= RATES[1]:
        found, expected = f"{stream.samplerate:,} samples a second", "{:,} to {:,}".format(*RATES)
    elif not 1 <= stream.channels <= MAX_CHANNELS:
        found, expected = f"has {stream.channels} channels", f"1 to {MAX_CHANNELS}"
    elif stream.frames < 1:
        found, expected = "holds no samples", "a recording"
    elif stream.frames > MAX_SECONDS * stream.samplerate:
        seconds = stream.frames / stream.samplerate
        found, expected = f"lasts {seconds:,.0f} s", f"at most {MAX_SECONDS:,.0f} s"
    elif stream.frames * stream.channels > MAX_VALUES:
        found = f"holds {stream.frames:,} samples of {stream.channels} channels"
        expected = f"at most {MAX_VALUES:,} values"
    else:
        return
    raise DataError(found, file=path, expected=expected, fix="leave it out, or convert it")


def _check_riff(content: bytes, path: Path) -> None:
    """Make sure that the samples which a wav's header promises are there: libsndfile does not."""
    order, position = "<" if content[:4] == b"RIFF" else ">", 12  # RIFX: the high byte first
    while position + 8 <= len(content):
        name, size = struct.unpack_from(f"{order}4sI", content, position)
        there = len(content) - position - 8
        if (
            name == b"fmt "
            and there >= 4
            and struct.unpack_from(f"{order}H", content, position + 10)[0] == 0
        ):
            raise DataError("has 0 channels", file=path, expected="1 or more", fix=TO_WAV)
        if name == b"data":
            if size > there:
                found = f"promises {size:,} bytes of sound and holds {there:,}"
                fix = f"copy it again, or {TO_WAV}"
                raise DataError(found, file=path, expected="a whole file", fix=fix)
            return
        position += 8 + size + size % 2
    raise DataError("has no part called data", file=path, expected="a wav file", fix=TO_WAV)
