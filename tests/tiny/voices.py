"""A folder like the course's of four voices, each a spectrum of its own: learnable in a second."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.core.files import write_json

SPEAKERS = ("id00012", "id00464", "id00559", "id09000")
ROOM = 1.5
NUM_TRAIN, NUM_TEST = 6, 2  # utterances of a speaker


def frames(speaker: int, number: int) -> NDArray[np.float32]:
    """Return an utterance (t, 40), 20 to 47 frames long: waves over the bands that tell who.

    Each has a room of its own, so that no network is certain after a few steps.
    """
    draw = np.random.default_rng([speaker + 1, number + 1])
    bands, count = np.arange(40), int(draw.integers(20, 48))
    voice, room = np.cos((speaker + 1) * np.pi * bands / 40), draw.normal(0, ROOM, 40)
    return (2 * voice + room - 6 + draw.normal(0, 0.5, (count, 40))).astype(np.float32)


def name_of(speaker: int, number: int) -> str:
    """Return the name of an utterance's file."""
    digits = hashlib.md5(f"{speaker} {number}".encode(), usedforsecurity=False).hexdigest()
    return f"uttr-{digits}.pt"


def write_voices(folder: Path) -> Path:
    """Write training and test; return the folder to give --data."""
    place = folder / "Dataset"
    place.mkdir(parents=True)

    def listed(speaker: int, number: int) -> dict[str, Any]:
        tensor, name = torch.from_numpy(frames(speaker, number)), name_of(speaker, number)
        torch.save(tensor, place / name)
        return {"feature_path": name, "mel_len": len(tensor)}

    numbers = {name: number for number, name in enumerate(SPEAKERS)}
    backwards = {str(number): name for name, number in numbers.items()}
    by_speaker = {
        name: [listed(number, k) for k in range(NUM_TRAIN)] for name, number in numbers.items()
    }
    test = [listed(speaker, number) for speaker, number in asked()]
    write_json(place / "mapping.json", {"speaker2id": numbers, "id2speaker": backwards})
    write_json(place / "metadata.json", {"n_mels": 40, "speakers": by_speaker})
    write_json(place / "testdata.json", {"n_mels": 40, "utterances": test})
    return folder


def asked() -> list[tuple[int, int]]:
    """Return speaker and number of the test's utterances, in order."""
    return [(s, NUM_TRAIN + k) for k in range(NUM_TEST) for s in (2, 0, 3, 1)]


def write_answers(path: Path) -> Path:
    """Write the answers to the test of ``write_voices``, every second row public."""
    rows = [
        f"{name_of(s, k)},{SPEAKERS[s]},{('Public', 'Private')[row % 2]}"
        for row, (s, k) in enumerate(asked())
    ]
    path.write_text("\n".join(["Id,Category,Usage", *rows]) + "\n")
    return path


# A few steps of a small network: what a test may spend.
SMALL = (
    "data.segment=24",
    "model.width=16",
    "model.heads=2",
    "model.layers=1",
    "model.feed_forward=16",
    "train.batch_size=8",
    "train.steps=24",
    "train.warmup_steps=2",
    "train.learning_rate=0.002",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
)
