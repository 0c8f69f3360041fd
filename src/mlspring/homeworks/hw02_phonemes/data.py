"""Frames of speech with their phonemes: the spoken world, or a folder in the course's layout.

``libriphone`` reads and writes the layout. All labelled utterances stand in one array; what trains
and what validates are lists of utterances.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import RecipeError
from mlspring.core.source import Source
from mlspring.homeworks.hw02_phonemes import libriphone
from mlspring.homeworks.hw02_phonemes.listen import listen
from mlspring.homeworks.hw02_phonemes.pictures import picture_rows, runs
from mlspring.homeworks.hw02_phonemes.recipe import DataKnobs, Recipe
from mlspring.homeworks.hw02_phonemes.recordings import from_audio
from mlspring.homeworks.hw02_phonemes.utterances import NUM_CLASSES, Utterances, speaker_of
from mlspring.worlds.speech.phoneme_world import phoneme_world
from mlspring.worlds.speech.phones import CLASS_NAMES
from mlspring.worlds.world import World

__all__ = ["from_audio", "listen"]  # what the house finds here beside what is defined here
SPLIT_SEED = 1337  # the course's own, so that the same utterances validate


@dataclass(frozen=True, kw_only=True)
class Data:
    """All utterances of one source.

    Args:
        labelled: those with a class for each frame.
        train: int64, numbers of the labelled utterances to train on; ``valid`` those held out.
        test: those whose classes are handed in.
        phones: names of the 41 classes; their numbers where nobody says.
    """

    labelled: Utterances
    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    test: Utterances
    phones: tuple[str, ...]

    @property
    def test_ids(self) -> list[str]:
        """The ids that a submission must have, a row a test frame: 0, 1, 2 .."""
        return list(map(str, range(len(self.test.features))))


def world() -> World:
    """Return the built-in data set of the homework."""
    return phoneme_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the utterances of ``source``.

    Raises:
        DataError: a file is missing, damaged, or does not fit another; names file and row.
        RecipeError: the split leaves nothing to train on or to validate on.
    """
    if source.kind == "world":
        return _load_world(source.folder)
    root = libriphone.find(source.folder)
    labelled = libriphone.read_train(root)
    none = np.empty(0, np.int64)  # a folder to predict for
    train, valid = split_utterances(labelled.names, recipe.data) if labelled.names else (none, none)
    test, phones = libriphone.read_test(root), libriphone.read_phones(root)
    return Data(labelled=labelled, train=train, valid=valid, test=test, phones=phones)


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have: 0, 1, 2 .. over all test frames."""
    if source.kind == "world":
        total = int(np.load(source.folder / "test_offsets.npy", allow_pickle=False)[-1])
    else:
        total = int(libriphone.read_test(libriphone.find(source.folder)).offsets[-1])
    return [str(number) for number in range(total)]


def describe(data: Data) -> dict[str, str]:
    """Return the rows of the data card."""
    labelled, labels = data.labelled, data.labelled.labels
    test = f"{len(data.test.names):,} test"
    if labels is None or not len(labels):
        return {"frames": f"{len(data.test_ids):,} test", "utterances": f"{test}; none has labels"}
    shares = np.bincount(labels, minlength=NUM_CLASSES) / len(labels)
    common = np.argsort(-shares, kind="stable")[:8]
    lengths, num_runs = np.diff(labelled.offsets), len(runs(labels, labelled.offsets))
    parts = {"training": data.train, "validation": data.valid}
    speakers = {name: {speaker_of(labelled.names[i]) for i in p} for name, p in parts.items()}
    speakers["test"] = set(map(speaker_of, data.test.names))
    return {
        "frames": ", ".join(f"{lengths[part].sum():,} {name}" for name, part in parts.items())
        + f", {len(data.test_ids):,} test; 39 MFCCs each, one every 10 ms",
        "utterances": ", ".join(f"{len(part):,} {name}" for name, part in parts.items())
        + f", {test}; {lengths.mean() / 100:.1f} s long on average",
        "speakers": ", ".join(f"{len(who)} {name}" for name, who in speakers.items()),
        "classes": f"{NUM_CLASSES}: {' '.join(data.phones)}",
        "length of a phone": f"{len(labels) / num_runs:.1f} frames on average",
        "most frequent": ", ".join(f"{data.phones[i]} {shares[i]:.3f}" for i in common),
        "majority class": f"{shares.max():.3f} of the labelled frames",
    }


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return what phones look like: name -> spectra around some of each, (k, height, width)."""
    return picture_rows(data.labelled, data.phones)


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout under ``to``; the answers stay with the judge."""
    data = _load_world(world_folder / "public")
    libriphone.write(to, data.labelled, data.test, data.phones)


def split_utterances(
    names: tuple[str, ...], knobs: DataKnobs
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of the utterances to train on, and of those to validate on.

    Utterances are shuffled as in the course's notebook: with the same share and the same
    ``train_split.txt`` the same ones are held out. Speakers are shuffled likewise.

    Raises:
        RecipeError: there are too few.
    """
    groups = [speaker_of(name) if knobs.split == "speaker" else name for name in names]
    order = sorted(set(groups)) if knobs.split == "speaker" else list(groups)
    random.Random(SPLIT_SEED).shuffle(order)
    num_trained = int(len(order) * (1 - knobs.held_out) + 1e-9)
    if not 0 < num_trained < len(order):
        what = "speakers" if knobs.split == "speaker" else "utterances"
        message = f"data.held_out = {knobs.held_out} of {len(order)} {what} leaves nothing to "
        message += "train on" if num_trained == 0 else "validate on"
        fix = "use --set data.split=utterance" if len(order) == 1 else "use another data.held_out"
        raise RecipeError(message, fix=fix)
    trained = set(order[:num_trained])
    is_trained = np.array([group in trained for group in groups])
    return np.flatnonzero(is_trained), np.flatnonzero(~is_trained)


def _load_world(folder: Path) -> Data:
    parts = []
    for part in ("train", "valid", "test"):
        features, offsets = (
            np.load(folder / f"{part}_{kind}.npy", allow_pickle=False)
            for kind in ("features", "offsets")
        )
        names = json.loads((folder / f"{part}_names.json").read_text(encoding="utf-8"))
        labels = None if part == "test" else np.load(folder / f"{part}_labels.npy")
        parts.append(
            Utterances(features=features, offsets=offsets, names=tuple(names), labels=labels)
        )
    train, valid, test = parts
    assert train.labels is not None and valid.labels is not None
    labelled = Utterances(
        features=np.concatenate((train.features, valid.features)).astype(np.float32),
        offsets=np.concatenate((train.offsets, train.offsets[-1] + valid.offsets[1:])),
        names=train.names + valid.names,
        labels=np.concatenate((train.labels, valid.labels)),
    )
    numbers = np.arange(len(labelled.names))
    return Data(
        labelled=labelled,
        train=numbers[: len(train.names)],
        valid=numbers[len(train.names) :],
        test=Utterances(
            features=test.features.astype(np.float32), offsets=test.offsets, names=test.names
        ),
        phones=CLASS_NAMES,
    )
