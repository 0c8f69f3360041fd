"""One utterance: what a voice says, with pauses and noises, and which phone is when."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from mlspring.core.audio import SAMPLE_RATE
from mlspring.worlds.speech.phones import SIL, SPN, Segment, segments
from mlspring.worlds.speech.rooms import Floats, cough, heard, thump
from mlspring.worlds.speech.synthesis import Request, Synthesiser
from mlspring.worlds.speech.voices import Between, Spread, Voice

STEPS = 320  # of the ratio between two sample rates: vocal tracts differ by a third of a percent
BABBLE_LANGUAGES = ("fi", "pl", "tr", "hu", "sw", "eu")  # none of them understood by the listener
BABBLE = ("kolu", "mera", "tizu", "vaino", "pesku", "dorimi", "yhelo", "szano", "gulbar", "otemi")
QUIETEST, LOUDEST = 0.5, 1.2  # of a noise, as a share of the speech's level


@dataclass(frozen=True, kw_only=True)
class Pauses:
    """What lies around and between the words.

    Args:
        before: seconds of silence before the first word.
        after: seconds of silence after the last one.
        noises: share of the utterances with a spoken noise in one of the silences.
    """

    before: Between
    after: Between
    noises: float


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """A recording and its truth."""

    sound: NDArray[np.float32]  # (n,), 16 kHz
    parts: list[Segment]  # in samples of it, without gaps


def utter(
    synthesiser: Synthesiser,
    text: str,
    voice: Voice,
    pauses: Pauses,
    spread: Spread,
    rng: np.random.Generator,
) -> Utterance:
    """Return ``text`` said by ``voice``, heard in a room."""
    sound, parts = spoken(synthesiser, text, voice)
    sound, parts = with_pauses(sound, parts, pauses, rng)
    if rng.random() < pauses.noises:
        noise = _noise(synthesiser, voice, rng) * rng.uniform(QUIETEST, LOUDEST)
        silences = [row for row, part in enumerate(parts) if part.label == SIL]
        row = silences[int(rng.integers(len(silences)))]
        level = np.sqrt(np.mean(sound**2))
        sound, parts = with_noise(sound, parts, noise * level, row)
    return Utterance(sound=heard(sound, spread, rng), parts=parts)


def spoken(synthesiser: Synthesiser, text: str, voice: Voice) -> tuple[Floats, list[Segment]]:
    """Return the sound (n,) at 16 kHz and its phones in samples.

    A longer vocal tract stretches the sound: all resonances fall, and so do pitch and rate.
    """
    request = Request(
        text=text,
        voice=f"{voice.accent}+{voice.variant}",
        rate=round(min(max(voice.rate, 80), 400)),
        pitch=round(min(max(voice.pitch, 0), 99)),
        range=round(min(max(voice.liveliness, 0), 99)),
    )
    speech = synthesiser.say(request)
    up, down = round(STEPS * voice.tract), round(STEPS * synthesiser.sample_rate / SAMPLE_RATE)
    sound = resample_poly(speech.sound / 32768, up, down)
    scale = synthesiser.sample_rate * up / down  # seconds of the synthesiser to samples of ours
    parts = segments(speech.phones, speech.sound, synthesiser.sample_rate, voice.accent)
    moved = [
        Segment(label=part.label, start=part.start * scale, end=part.end * scale) for part in parts
    ]
    return sound, moved


def with_pauses(
    sound: Floats, parts: list[Segment], pauses: Pauses, rng: np.random.Generator
) -> tuple[Floats, list[Segment]]:
    """Return the utterance with silence of random length at both ends, in place of its own."""
    words = [part for part in parts if part.label != SIL]
    first, last = words[0].start, words[-1].end
    before = int(rng.uniform(*pauses.before) * SAMPLE_RATE)
    after = int(rng.uniform(*pauses.after) * SAMPLE_RATE)
    cut = sound[int(first) : int(last)]
    padded = np.concatenate([np.zeros(before), cut, np.zeros(after)])
    shift, end = before - int(first), float(len(padded))
    inner = [
        Segment(label=part.label, start=part.start + shift, end=part.end + shift)
        for part in parts
        if first <= part.start and part.end <= last
    ]
    lead = Segment(label=SIL, start=0.0, end=inner[0].start)
    tail = Segment(label=SIL, start=inner[-1].end, end=end)
    return padded, [lead, *inner, tail]


def with_noise(
    sound: Floats, parts: list[Segment], noise: Floats, row: int
) -> tuple[Floats, list[Segment]]:
    """Return the utterance with ``noise`` put into the middle of the silence ``parts[row]``."""
    pause, count = parts[row], len(noise)
    at = int((pause.start + pause.end) / 2)
    longer = np.concatenate([sound[:at], noise, sound[at:]])
    inserted = [
        Segment(label=SIL, start=pause.start, end=at),
        Segment(label=SPN, start=at, end=at + count),
        Segment(label=SIL, start=at + count, end=pause.end + count),
    ]
    later = [
        Segment(label=part.label, start=part.start + count, end=part.end + count)
        for part in parts[row + 1 :]
    ]
    return longer, [*parts[:row], *inserted, *later]


def _noise(synthesiser: Synthesiser, voice: Voice, rng: np.random.Generator) -> Floats:
    """Return a cough, a thump, or a word of no language that is known here; level about 1."""
    kind = int(rng.integers(3))
    if kind < 2:
        return cough(rng) if kind == 0 else thump(rng)
    language = BABBLE_LANGUAGES[int(rng.integers(len(BABBLE_LANGUAGES)))]
    word = BABBLE[int(rng.integers(len(BABBLE)))] + BABBLE[int(rng.integers(len(BABBLE)))]
    request = Request(
        text=word, voice=f"{language}+{voice.variant}", rate=180, pitch=round(voice.pitch), range=50
    )
    speech = synthesiser.say(request)
    sound = resample_poly(
        speech.sound / 32768, STEPS, round(STEPS * synthesiser.sample_rate / SAMPLE_RATE)
    )
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    cut = sound[loud[0] : loud[-1] + 1] if len(loud) else sound
    return np.asarray(cut / (np.sqrt(np.mean(cut**2)) + 1e-9))
