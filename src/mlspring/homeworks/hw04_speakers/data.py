"""Utterances of known speakers as log mel frames: the spoken world, or a folder like the course's.

    DIR[/Dataset]/mapping.json     {"speaker2id": {NAME: 0, ..}, "id2speaker": {"0": NAME, ..}}
    DIR[/Dataset]/metadata.json    {"n_mels": 40, "speakers": {NAME: [UTTERANCE, ..], ..}}
    DIR[/Dataset]/testdata.json    {"n_mels": 40, "utterances": [UTTERANCE, ..]}; may be absent
    DIR[/Dataset]/uttr-<hex>.pt    tensor (frames, 40)

An UTTERANCE is {"feature_path": "uttr-<hex>.pt", "mel_len": frames}. What reads and writes such a
folder is ``layout``. All frames of a part lie in one array, so that a segment is a slice of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.audio import SAMPLE_RATE
from mlspring.core.errors import DataError
from mlspring.core.files import read_json
from mlspring.core.source import Source
from mlspring.core.speech_features import HOP, NUM_MELS
from mlspring.homeworks.hw04_speakers import layout, recordings
from mlspring.homeworks.hw04_speakers.layout import Listed
from mlspring.homeworks.hw04_speakers.recipe import Recipe
from mlspring.worlds.speech.speaker_world import speaker_world
from mlspring.worlds.world import World

FEWEST = 2  # utterances of a speaker: one to learn from, one to validate on
NUM_SHOWN, SHOWN_FRAMES = 12, 96  # speakers on the contact sheet, and frames of a picture
FRAMES_A_SECOND = SAMPLE_RATE / HOP


@dataclass(frozen=True, kw_only=True)
class Utterances:
    """Log mel energies of n utterances, one after another.

    Args:
        frames: (T, 40), all frames.
        offsets: (n + 1,); utterance i has the frames offsets[i] to offsets[i + 1].
        names: of their files, which are the ids in a submission.
    """

    frames: NDArray[np.float16]
    offsets: NDArray[np.int64]
    names: list[str]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Frames of each utterance, (n,)."""
        return np.diff(self.offsets)

    def each(self) -> Iterator[NDArray[np.float16]]:
        """Yield the frames (t, 40) of each utterance."""
        for start, end in pairwise(self.offsets.tolist()):
            yield self.frames[start:end]


@dataclass(frozen=True, kw_only=True)
class Data:
    """What is learnt from and what is to be told.

    Args:
        train: the utterances of known speakers, ``labels`` int64 (n,) who spoke each.
        test: utterances of the same speakers; nobody says whose.
        speakers: names; a label is a place among them.
    """

    train: Utterances
    labels: NDArray[np.int64]
    test: Utterances
    speakers: tuple[str, ...]

    @property
    def test_ids(self) -> list[str]:
        """What a submission must name, in order."""
        return self.test.names


def world() -> World:
    """Return the built-in data set of the homework."""
    return speaker_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return all utterances of ``source``.

    Raises:
        DataError: a file is missing, broken or contradicts another, or a speaker has one utterance
            only.
    """
    data = _load_folder(source.folder) if source.kind == "official" else _load_world(source.folder)
    counts = np.bincount(data.labels, minlength=len(data.speakers))
    if counts.min() < FEWEST:
        found = f"{data.speakers[counts.argmin()]} has {counts.min()} utterance(s)"
        expected = f"{FEWEST} or more of each speaker: one is held out to validate on"
        raise DataError(found, file=source.folder, expected=expected)
    return data


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order; reads no frames."""
    if source.kind == "official":
        return [one.name for one in layout.read_test(layout.find(source.folder))]
    return _strings(source.folder / "test_names.json")


def class_names(source: Source) -> list[str]:
    """Return the speakers that a submission may name; reads no frames."""
    if source.kind == "official":
        return layout.read_speakers(layout.find(source.folder))
    return _strings(source.folder / "speakers.json")


def describe(data: Data) -> dict[str, str]:
    """Return the data card: a name and a short sentence for each row."""
    counts = np.bincount(data.labels, minlength=len(data.speakers))
    seconds = data.train.lengths / FRAMES_A_SECOND
    return {
        "utterances": f"{len(data.labels):,} of {len(data.speakers)} speakers to learn from "
        f"({counts.min()} to {counts.max()} each), {len(data.test.names):,} to tell",
        "seconds": f"{seconds.min():.1f} to {seconds.max():.1f} an utterance, "
        f"{seconds.mean():.1f} on average, {seconds.sum() / 60:.0f} minutes in all",
        "a frame": f"{NUM_MELS} log mel energies, {FRAMES_A_SECOND:.0f} frames a second",
    }


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return log mel pictures, a row a speaker: caption to uint8 (n, 40, 96), high bands above."""
    sample = data.train.frames[:: max(len(data.train.frames) // 10_000, 1)].astype(np.float32)
    low, high = np.percentile(sample, (2, 99.5))
    rows = {}
    for speaker in range(min(NUM_SHOWN, len(data.speakers))):
        pictures = []
        for row in np.flatnonzero(data.labels == speaker)[:NUM_SHOWN]:
            frames = data.train.frames[data.train.offsets[row] : data.train.offsets[row + 1]]
            shown = np.full((SHOWN_FRAMES, NUM_MELS), low)
            shown[: len(frames)] = frames[:SHOWN_FRAMES]
            grey = 255 * ((shown - low) / max(high - low, 1e-6)).clip(0, 1)
            pictures.append(grey.T[::-1].astype(np.uint8))
        rows[data.speakers[speaker]] = np.stack(pictures)
    return rows


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout under ``to``/Dataset; answers stay with the judge."""
    data = _load_world(world_folder / "public")
    speakers = [data.speakers[label] for label in data.labels]
    train = zip(data.train.names, speakers, data.train.each(), strict=True)
    test = zip(data.test.names, data.test.each(), strict=True)
    layout.write(to / "Dataset", data.speakers, train, test)


def from_audio(audio: Path, to: Path) -> str:
    """Write own recordings in the course's layout under ``to``; return what was written."""
    return recordings.from_audio(audio, to)


def _load_world(folder: Path) -> Data:
    train, test = (
        Utterances(
            frames=np.load(folder / f"{part}_features.npy", mmap_mode="c", allow_pickle=False),
            offsets=np.load(folder / f"{part}_offsets.npy", allow_pickle=False),
            names=_strings(folder / f"{part}_names.json"),
        )
        for part in ("train", "test")
    )
    labels = np.load(folder / "train_speakers.npy", allow_pickle=False)
    speakers = tuple(_strings(folder / "speakers.json"))
    return Data(train=train, labels=labels, test=test, speakers=speakers)


def _load_folder(folder: Path) -> Data:
    place = layout.find(folder)
    speakers = layout.read_speakers(place)
    train, test = layout.read_train(place, speakers), layout.read_test(place)
    return Data(
        train=_joined(place, train),
        labels=np.array([one.speaker for one in train], np.int64),
        test=_joined(place, test),
        speakers=tuple(speakers),
    )


def _joined(folder: Path, listed: Sequence[Listed]) -> Utterances:
    """Return the utterances of a list, their frames one after another."""
    from mlspring.kit.packed_features import packed_features  # here: the lists need no torch

    lengths, names = [one.length for one in listed], [one.name for one in listed]
    files = [folder.resolve() / name for name in names]
    return Utterances(
        frames=packed_features(files, lengths, NUM_MELS, layout.AGAIN),
        offsets=np.cumsum([0, *lengths], dtype=np.int64),
        names=names,
    )


def _strings(file: Path) -> list[str]:
    return [str(name) for name in read_json(file)]
