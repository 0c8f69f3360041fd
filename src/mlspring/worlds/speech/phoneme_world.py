"""Spoken sentences with the phone of every frame: the world of homework 2.

public/   {train,valid,test}_features.npy   float16 (T, 39), ``mfcc39`` of all utterances in a row
          {train,valid,test}_offsets.npy    int64 (n + 1,), utterance i has rows [i] to [i + 1]
          {train,valid,test}_names.json     speaker-chapter-utterance, as LibriSpeech names them
          {train,valid}_labels.npy          uint8 (T,), indices into ``CLASS_NAMES``
private/  answers.csv                       Id,Class,Usage; a row a frame of the test
          segments.npy                      the true times of all phones, see ``SEGMENT``
          voices.json                       who speaks, by split; texts by utterance

No speaker and no sentence is in two splits, and a quarter of the words of validation and test are
in no sentence of training.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.files import write_json, write_text
from mlspring.core.speech_features import mfcc39
from mlspring.worlds.shards import Shard
from mlspring.worlds.speech.parts import save_parts
from mlspring.worlds.speech.phones import CLASS_NAMES, frame_labels
from mlspring.worlds.speech.sentences import sentences, vocabulary
from mlspring.worlds.speech.synthesis import synthesiser
from mlspring.worlds.speech.utterances import Pauses, Utterance, utter
from mlspring.worlds.speech.voices import Spread, Voice, draw_voice, in_a_mood
from mlspring.worlds.world import World, join, save_array

SPLITS = ("train", "valid", "test")
SPEAKERS = {"train": 96, "valid": 12, "test": 24}
PER_SPEAKER = 10  # utterances
CLAUSES = (1, 2)  # in a sentence: about 2 to 6 seconds
NUM_SHARDS = 24  # each has a synthesiser of its own, so the bytes depend on this number
SPREAD = Spread(
    pitch=(15, 85),  # from a low man's to a high child's voice
    liveliness=(20, 80),
    rate=(120, 215),  # words a minute; readers of LibriSpeech speak about 170
    tract=(0.86, 1.16),  # adults and children
    mood_pitch=6,
    mood_rate=15,
    mood_tract=0.01,
    noise=(8, 30),  # dB: a busy room to a quiet one
    reverb=(0.1, 0.5),  # s: a closet to a large room
    echo=(0.05, 0.5),  # far less than the direct sound to half of it
    tilt=(-0.6, 0.4),  # a dull to a sharp microphone
)
PAUSES = Pauses(before=(0.15, 0.5), after=(0.15, 0.5), noises=0.2)
SEGMENT = np.dtype([("utterance", "<i4"), ("label", "u1"), ("start", "<f4"), ("end", "<f4")])


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An utterance before it is spoken."""

    split: str
    name: str
    voice: Voice
    text: str


def phoneme_world(*, seed: int = 0, size: float = 1.0, num_shards: int = NUM_SHARDS) -> World:
    """Return the world of spoken sentences with their phones.

    Args:
        seed: fixes every sentence, voice and room.
        size: speakers for each of ``SPEAKERS``.
        num_shards: pieces that the work is cut into; the bytes depend on it.
    """
    plan = _plan(seed, size)
    name = "phones" if size == 1.0 else f"phones-x{size:g}"
    counts = [sum(one.split == split for one in plan) for split in SPLITS]
    return World(
        name=name if num_shards == NUM_SHARDS else f"{name}-{num_shards}",
        title="spoken sentences",
        description="{:,} training, {:,} validation and {:,} test utterances of ".format(*counts)
        + f"synthetic English with {len(CLASS_NAMES)} classes of phones, 39 MFCCs a frame",
        version=1,
        seed=seed,
        num_shards=num_shards,
        make=partial(_make, num_shards=num_shards, size=size),
        write=partial(_write, seed=seed, size=size),
        libraries=("espeakng-loader", "kaldi-native-fbank"),
        extra="speech",
    )


def tiny_phoneme_world(*, seed: int = 0) -> World:
    """Return a world of six speakers and 60 utterances: made in seconds."""
    return phoneme_world(seed=seed, size=0.04, num_shards=2)


def spoken(seed: int, shard: int, *, num_shards: int, size: float) -> Iterator[Utterance]:
    """Yield the utterances of one shard, in order; the sound is always the same.

    The synthesiser remembers what it said, so whoever wants to hear one utterance again goes
    through those before it.
    """
    plan = _plan(seed, size)
    with synthesiser() as voice_of:
        for number in np.array_split(np.arange(len(plan)), num_shards)[shard].tolist():
            # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
            rng = np.random.default_rng([seed, 2, number + 1])
            voice = in_a_mood(plan[number].voice, SPREAD, rng)
            yield utter(voice_of, plan[number].text, voice, PAUSES, SPREAD, rng)


@cache
def _plan(seed: int, size: float) -> tuple[Planned, ...]:
    """Return what is said by whom, by split."""
    planned: list[Planned] = []
    seen: set[str] = set()
    speaker = 0
    for number, split in enumerate(SPLITS):
        rng = np.random.default_rng([seed, 1, number + 1])
        known = vocabulary(training=split == "train")
        said = (text for text in sentences(known, CLAUSES, rng) if text not in seen)
        for _ in range(max(2, round(SPEAKERS[split] * size))):
            voice, speaker = draw_voice(SPREAD, rng), speaker + 1
            for index in range(PER_SPEAKER):
                name = f"{speaker:04d}-{rng.integers(100_000, 999_999)}-{index:04d}"
                text = next(said)
                seen.add(text)
                planned.append(Planned(split=split, name=name, voice=voice, text=text))
    return tuple(planned)


def _make(seed: int, shard: int, *, num_shards: int, size: float) -> Shard:
    """Return one shard's features, labels, numbers of frames and segments."""
    first = int(np.array_split(np.arange(len(_plan(seed, size))), num_shards)[shard][0])
    features, labels, counts, parts = [], [], [], []
    for number, one in enumerate(spoken(seed, shard, num_shards=num_shards, size=size), first):
        frames = mfcc39(one.sound)
        features.append(frames.astype(np.float16))
        labels.append(frame_labels(one.parts, len(frames)))
        counts.append(len(frames))
        parts += [(number, part.label, part.start, part.end) for part in one.parts]
    return {
        "features": np.concatenate(features),
        "labels": np.concatenate(labels),
        "counts": np.array(counts, np.int64),
        "segments": np.array(parts, SEGMENT),
    }


def _write(shards: list[Shard], public: Path, private: Path, *, seed: int, size: float) -> None:
    """Write the splits for training, the answers for the judge and the truth for oracles."""
    plan = _plan(seed, size)
    labels = join(shards, "labels")
    for split, rows, offsets in save_parts(shards, plan, SPLITS, public):
        if split == "test":
            usage = np.repeat(_usage(len(offsets) - 1, seed), np.diff(offsets))
            write_text(private / "answers.csv", _answers(labels[rows], usage))
        else:
            save_array(public / f"{split}_labels.npy", labels[rows])
    save_array(private / "segments.npy", join(shards, "segments"))
    write_json(private / "voices.json", [asdict(one) for one in plan])


def _answers(labels: NDArray[np.uint8], usage: NDArray[np.bool_]) -> str:
    """Return the table of the answers; Id counts the frames of all test utterances from 0."""
    words = ("Private", "Public")
    rows = zip(labels.tolist(), usage.tolist(), strict=True)
    table = [f"{row},{label},{words[part]}\n" for row, (label, part) in enumerate(rows)]
    return "Id,Class,Usage\n" + "".join(table)


def _usage(num_utterances: int, seed: int) -> NDArray[np.bool_]:
    """Return which test utterances are scored in public: half of them, whole."""
    public = np.zeros(num_utterances, bool)
    order = np.random.default_rng([seed, 3]).permutation(num_utterances)
    public[order[: num_utterances // 2]] = True
    return public
