"""Sentences by many speakers who are much alike: the world of homework 4.

public/   {train,test}_features.npy   float16 (T, 40), ``log_mel40`` of all utterances in a row
          {train,test}_offsets.npy    int64 (n + 1,), utterance i has rows [i] to [i + 1]
          {train,test}_names.json     uttr-<32 hex digits>.pt, as the course names its files
          train_speakers.npy          int64 (n,), indices into speakers.json
          speakers.json               id and five digits, in ascending order
private/  answers.csv                 Id,Category,Usage; a row an utterance of the test
          voices.json                 how each speaker sounds, in the order of speakers.json
          spoken.json                 the voice of each utterance on its day, and its text

Training and test share the speakers and no sentence. Every utterance has a room of its own, so that
the room tells nothing about the speaker.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from mlspring.core.files import write_json, write_text
from mlspring.core.speech_features import log_mel40
from mlspring.worlds.shards import Shard
from mlspring.worlds.speech.parts import save_parts
from mlspring.worlds.speech.sentences import sentences, vocabulary
from mlspring.worlds.speech.synthesis import synthesiser
from mlspring.worlds.speech.utterances import Pauses, Utterance, utter
from mlspring.worlds.speech.voices import Spread, Voice, draw_voice, in_a_mood
from mlspring.worlds.world import World, save_array

NUM_SPEAKERS = 320
PER_SPEAKER = {"train": 14, "test": 4}  # utterances
CLAUSES = (1, 1)  # in a sentence: about 2 to 4 seconds
NUM_SHARDS = 40  # each has a synthesiser of its own, so the bytes depend on this number
SPREAD = Spread(
    pitch=(30, 60),  # close together, so that pitch alone tells few speakers apart
    liveliness=(35, 65),
    rate=(140, 190),  # words a minute
    tract=(0.94, 1.07),
    mood_pitch=8,  # a quarter of the spread: the same person, another day
    mood_rate=20,
    mood_tract=0.008,
    noise=(8, 25),  # dB: a busy room to a quiet one
    reverb=(0.1, 0.5),  # s: a closet to a large room
    echo=(0.05, 0.5),  # far less than the direct sound to half of it
    tilt=(-0.7, 0.5),  # a dull to a sharp microphone
)
PAUSES = Pauses(before=(0.05, 0.2), after=(0.05, 0.2), noises=0.05)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An utterance before it is spoken."""

    split: str
    name: str
    speaker: int
    voice: Voice  # on its day
    text: str


def speaker_world(
    *, seed: int = 0, num_speakers: int = NUM_SPEAKERS, num_shards: int = NUM_SHARDS
) -> World:
    """Return the world of many speakers.

    Args:
        seed: fixes every sentence, voice and room.
        num_speakers: at least 1.
        num_shards: pieces that the work is cut into; the bytes depend on it.
    """
    name = "speakers" if num_speakers == NUM_SPEAKERS else f"speakers-{num_speakers}"
    counts = [number * num_speakers for number in PER_SPEAKER.values()]
    return World(
        name=name if num_shards == NUM_SHARDS else f"{name}-{num_shards}",
        title="many speakers",
        description="{:,} training and {:,} test utterances ".format(*counts)
        + f"of {num_speakers} synthetic speakers, 40 log mel energies a frame",
        version=1,
        seed=seed,
        num_shards=num_shards,
        make=partial(_make, num_shards=num_shards, num_speakers=num_speakers),
        write=partial(_write, seed=seed, num_speakers=num_speakers),
        libraries=("espeakng-loader",),
        extra="speech",
    )


def tiny_speaker_world(*, seed: int = 0) -> World:
    """Return a world of four speakers and 72 utterances: made in seconds."""
    return speaker_world(seed=seed, num_speakers=4, num_shards=2)


def spoken(seed: int, shard: int, *, num_shards: int, num_speakers: int) -> Iterator[Utterance]:
    """Yield the utterances of one shard, in order; the sound is always the same."""
    plan = _plan(seed, num_speakers)[1]
    with synthesiser() as voice_of:
        for number in np.array_split(np.arange(len(plan)), num_shards)[shard].tolist():
            # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
            rng = np.random.default_rng([seed, 5, number + 1])
            yield utter(voice_of, plan[number].text, plan[number].voice, PAUSES, SPREAD, rng)


@cache
def _plan(seed: int, num_speakers: int) -> tuple[tuple[Voice, ...], tuple[Planned, ...]]:
    """Return the speakers, and what they say: all of training, then the test, both shuffled."""
    rng = np.random.default_rng([seed, 4, 1])
    voices = tuple(draw_voice(SPREAD, rng) for _ in range(num_speakers))
    said = sentences(vocabulary(training=False), CLAUSES, rng)
    planned: list[Planned] = []
    for split, number in PER_SPEAKER.items():
        for speaker in rng.permutation(np.repeat(np.arange(num_speakers), number)).tolist():
            digest = hashlib.md5(f"{seed} {len(planned)}".encode(), usedforsecurity=False)
            planned.append(
                Planned(
                    split=split,
                    name=f"uttr-{digest.hexdigest()}.pt",
                    speaker=speaker,
                    voice=in_a_mood(voices[speaker], SPREAD, rng),
                    text=next(said),
                )
            )
    return voices, tuple(planned)


def _make(seed: int, shard: int, *, num_shards: int, num_speakers: int) -> Shard:
    """Return one shard's features and numbers of frames."""
    features = [
        log_mel40(one.sound).astype(np.float16)
        for one in spoken(seed, shard, num_shards=num_shards, num_speakers=num_speakers)
    ]
    counts = np.array([len(frames) for frames in features], np.int64)
    return {"features": np.concatenate(features), "counts": counts}


def _write(
    shards: list[Shard], public: Path, private: Path, *, seed: int, num_speakers: int
) -> None:
    """Write both parts, the answers for the judge and the truth for oracles."""
    voices, plan = _plan(seed, num_speakers)
    names = _speaker_names(num_speakers, seed)
    save_parts(shards, plan, tuple(PER_SPEAKER), public)
    speakers = [one.speaker for one in plan if one.split == "train"]
    save_array(public / "train_speakers.npy", np.array(speakers, np.int64))
    write_json(public / "speakers.json", names)
    write_text(private / "answers.csv", _answers([p for p in plan if p.split == "test"], names))
    write_json(private / "voices.json", [asdict(voice) for voice in voices])
    write_json(private / "spoken.json", [asdict(one) for one in plan])


def _speaker_names(num_speakers: int, seed: int) -> list[str]:
    """Return ids as VoxCeleb2 has them, ascending."""
    rng = np.random.default_rng([seed, 6])
    numbers = np.sort(rng.choice(np.arange(12, 9273), num_speakers, replace=False))
    return [f"id{number:05d}" for number in numbers.tolist()]


def _answers(test: list[Planned], names: list[str]) -> str:
    """Return the table of the answers; the test is shuffled, so every second row is public."""
    rows = [
        f"{one.name},{names[one.speaker]},{'Private' if row % 2 else 'Public'}\n"
        for row, one in enumerate(test)
    ]
    return "Id,Category,Usage\n" + "".join(rows)
