"""Speakers: an accent, a voice of espeak-ng, pitch, liveliness, rate and length of vocal tract."""

from dataclasses import dataclass, replace

import numpy as np

from mlspring.worlds.speech.words import words

ACCENTS = ("en-us", "en-us", "en-us", "en-us", "en-gb-scotland", "en", "en-gb-x-rp")
# espeak-ng's variants that sound like a person: no robots, whispers, or Klatt's synthesiser.
VARIANTS: tuple[str, ...] = tuple(
    words(
        """Alex Alicia Andrea Andy Annie AnxiousAndy Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee
    Marco Mario Michael Mike Nguyen RicishayMax RicishayMax2 RicishayMax3 Storm adam anika antonio
    aunty belinda benjamin boris caleb david ed edward edward2 f1 f2 f3 f4 f5 grandma grandpa
    gustave ian iven iven2 iven3 iven4 john kaukovalta linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo max
    michel miguel mike2 norbert pablo paul pedro quincy rob robert sandro shelby steph steph2 steph3
    travis victor zac"""
    )
)
Between = tuple[float, float]  # lowest and highest; drawn evenly


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far speakers, moods and rooms of a world lie apart: what makes it easy or hard.

    Args:
        pitch: of speakers, 0 to 99 as espeak-ng counts.
        liveliness: how much a speaker's pitch moves, 0 to 99.
        rate: words a minute.
        tract: length of the vocal tract; 1 is the synthesiser's own. Moves all resonances.
        mood_pitch: how far a speaker's pitch goes up and down between utterances.
        mood_rate: likewise the rate, in words a minute.
        mood_tract: likewise the tract (a cold, a turned head).
        noise: signal-to-noise ratio, dB.
        reverb: seconds in which a room's sound falls by 60 dB.
        echo: energy of the room's sound for each of the direct sound.
        tilt: first-order emphasis of high (negative) or low frequencies by the channel.
    """

    pitch: Between
    liveliness: Between
    rate: Between
    tract: Between
    mood_pitch: float
    mood_rate: float
    mood_tract: float
    noise: Between
    reverb: Between
    echo: Between
    tilt: Between


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A speaker, or a speaker's voice in one utterance."""

    accent: str
    variant: str
    pitch: float
    liveliness: float
    rate: float
    tract: float


def draw_voice(spread: Spread, rng: np.random.Generator) -> Voice:
    """Return a speaker."""
    return Voice(
        accent=ACCENTS[int(rng.integers(len(ACCENTS)))],
        variant=VARIANTS[int(rng.integers(len(VARIANTS)))],
        pitch=rng.uniform(*spread.pitch),
        liveliness=rng.uniform(*spread.liveliness),
        rate=rng.uniform(*spread.rate),
        tract=rng.uniform(*spread.tract),
    )


def in_a_mood(voice: Voice, spread: Spread, rng: np.random.Generator) -> Voice:
    """Return ``voice`` as it is today."""
    pitch, rate, tract = rng.uniform(-1, 1, 3)
    return replace(
        voice,
        pitch=voice.pitch + spread.mood_pitch * pitch,
        rate=voice.rate + spread.mood_rate * rate,
        tract=voice.tract * (1 + spread.mood_tract * tract),
    )
