"""The 41 classes of a frame, and how espeak-ng's phones become them.

What espeak-ng reports is mended in two places, seen on spectrograms: an l after a vowel is reported
where it ends (its sound is the end of the vowel's), and a stop where its burst begins (the closure
before it is counted to the phone before).
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlspring.core.speech_features import HOP, WINDOW
from mlspring.worlds.speech.words import words

CLASS_NAMES: tuple[str, ...] = tuple(
    words(
        """SIL SPN AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH
        T TH UH UW V W Y Z ZH"""
    )
)  # silence, spoken noise, then the 39 phones of the CMU dictionary
SIL, SPN = 0, 1
VOWELS = frozenset(words("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW"))
STOPS = frozenset(words("B CH D G JH K P T"))

MARKS = re.compile(r"[',%=|\-\[]")  # stress, syllable and dental marks in espeak-ng's names
COMMON = {
    "0": "AA", "A:": "AA", "A@": "AA R", "aa": "AE", "a": "AE", "a#": "AH", "@": "AH", "@2": "AH",
    "@L": "AH L", "V": "AH", "O:": "AO", "O2": "AO", "O@": "AO R", "o@": "AO R", "aU": "AW",
    "aI": "AY", "aI2": "AY", "aI3": "AY ER", "aI@": "AY AH", "OI": "OY", "E": "EH", "e@": "EH R",
    "3": "ER", "3:": "ER", "IR": "ER", "VR": "ER", "eI": "EY", "I": "IH", "I2": "IH", "I#": "IH",
    "i": "IY", "i:": "IY", "i@": "IY AH", "i@3": "IH R", "u:": "UW", "U": "UH", "U@": "UH R",
    "oU": "OW", "t2": "T", "t#": "T", "tS": "CH", "dZ": "JH", "S": "SH", "Z": "ZH", "T": "TH",
    "D": "DH", "N": "NG", "j": "Y", ";": "Y", "h": "HH", "w#": "W", "?": "T", "_": "SIL",
    "_:": "SIL", "_!": "SIL", **{letter: letter.upper() for letter in "bdfgklmnprstvwz"},
}  # fmt: skip
# Accents that drop an r before a consonant, and round the vowel of "box".
WITHOUT_R = {
    "0": "AO", "A@": "AA", "aa": "AA", "O@": "AO", "o@": "AO", "e@": "EH", "3": "AH",
    "i@3": "IH AH", "U@": "UH AH", "aI3": "AY AH",
}  # fmt: skip
ACCENTS_WITHOUT_R = frozenset(("en", "en-gb-x-rp"))

L_SHARE = 0.35  # of a vowel and the l after it that sounds like the l
SHORT_L = 0.04  # s; an l after a vowel that is reported shorter lies in the vowel
QUIET = 40  # of 32768: a closure is no louder
LONGEST_CLOSURE = 0.12  # s


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One phone: ``start`` to ``end`` in samples, or in seconds, as the maker says."""

    label: int  # index into CLASS_NAMES
    start: float
    end: float


def segments(
    phones: list[tuple[int, str]], sound: NDArray[np.int16], sample_rate: int, accent: str
) -> list[Segment]:
    """Return the phones of an utterance in seconds, one after the other without gaps.

    Args:
        phones: where each starts, in samples, and espeak-ng's name of it.
        sound: the utterance, int16 (n,).
        sample_rate: of the sound.
        accent: the language of the voice, e.g. "en-us".

    Raises:
        ValueError: espeak-ng used a phone that the table lacks.
    """
    starts = [start for start, _ in phones] + [len(sound)]
    parts: list[tuple[str, float, float]] = [("SIL", 0.0, float(starts[0]))]
    for (start, name), end in zip(phones, starts[1:], strict=True):
        names = arpabet(name, accent)
        bounds = np.linspace(start, end, len(names) + 1).tolist()
        parts += zip(names, bounds[:-1], bounds[1:], strict=True)
    parts = _with_closures(_with_dark_l(parts, sample_rate), sound, sample_rate)
    return [
        Segment(label=CLASS_NAMES.index(name), start=start / sample_rate, end=end / sample_rate)
        for name, start, end in parts
        if end > start
    ]


def arpabet(name: str, accent: str) -> list[str]:
    """Return the classes of one phone of espeak-ng; a diphthong with r has two.

    Raises:
        ValueError: the table lacks it.
    """
    plain = MARKS.sub("", name)
    table = COMMON | WITHOUT_R if accent in ACCENTS_WITHOUT_R else COMMON
    if plain not in table:
        raise ValueError(f"espeak-ng's phone {name!r} ({accent}) has no class")
    return table[plain].split()


def frame_labels(parts: list[Segment], num_frames: int, sample_rate: int = 1) -> NDArray[np.uint8]:
    """Return the class under the centre of each frame: uint8 (num_frames,).

    Args:
        parts: phones in samples at 16 kHz, without gaps; ``sample_rate`` is 16,000 if in seconds.
        num_frames: frames of 25 ms, one every 10 ms.
        sample_rate: samples in the unit of the phones.
    """
    ends = np.array([part.end * sample_rate for part in parts])
    labels = np.array([part.label for part in parts], np.uint8)
    centres = np.arange(num_frames) * HOP + WINDOW / 2
    rows = np.searchsorted(ends, centres, side="right")
    return labels[np.minimum(rows, len(parts) - 1)]


def _with_dark_l(
    parts: list[tuple[str, float, float]], sample_rate: int
) -> list[tuple[str, float, float]]:
    """Return the phones; an l after a vowel takes the vowel's last third, where it sounds."""
    mended = list(parts)
    for row in range(1, len(parts)):
        (before, start, _), (name, middle, end) = mended[row - 1], parts[row]
        if name == "L" and before in VOWELS and end - middle < SHORT_L * sample_rate:
            middle = end - L_SHARE * (end - start)
            mended[row - 1], mended[row] = (before, start, middle), (name, middle, end)
    return mended


def _with_closures(
    parts: list[tuple[str, float, float]], sound: NDArray[np.int16], sample_rate: int
) -> list[tuple[str, float, float]]:
    """Return the phones; the silence just before a burst belongs to the stop."""
    mended = list(parts)
    for row in range(1, len(parts)):
        (before, start, _), (name, burst, end) = mended[row - 1], parts[row]
        if name in STOPS and before != "SIL":
            first = int(max(start, burst - LONGEST_CLOSURE * sample_rate))
            loud = np.flatnonzero(np.abs(sound[first : int(burst)].astype(np.int32)) > QUIET)
            closure = float(first + loud[-1] + 1) if len(loud) else float(first)
            mended[row - 1], mended[row] = (before, start, closure), (name, closure, end)
    return mended
