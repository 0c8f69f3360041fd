"""A folder like libriphone of made-up features: each phone has a mean of its own; no sound."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

NUM_SPEAKERS, PER_SPEAKER, NUM_TEST = 5, 4, 4
PHONES = (0, 4, 12, 19, 24, 30, 31)  # classes that occur


def labels_of(number: int) -> NDArray[np.int64]:
    """Return the classes of utterance ``number``: runs of a few frames, silence at both ends."""
    draw = np.random.default_rng([2, number + 1])
    phones = [0, *draw.choice(PHONES[1:], 6).tolist(), 0]
    return np.repeat(phones, draw.integers(4, 9, len(phones)))


def features_of(number: int) -> NDArray[np.float32]:
    """Return the frames of utterance ``number``, (t, 39)."""
    means = np.random.default_rng(2).normal(0, 1, (41, 39))
    labels = labels_of(number)
    noise = np.random.default_rng([3, number + 1]).normal(0, 1, (len(labels), 39))
    return (means[labels] + noise).astype(np.float32)


def name_of(number: int) -> str:
    """Return a name as LibriSpeech gives them."""
    return f"{100 + number // PER_SPEAKER}-{7000 + number}-{number % PER_SPEAKER:04d}"


def write_libriphone(folder: Path) -> Path:
    """Write training and test part; return the folder to give --data."""
    root, count = folder / "libriphone", NUM_SPEAKERS * PER_SPEAKER
    parts = {"train": range(count), "test": range(count, count + NUM_TEST)}
    for part, numbers in parts.items():
        (root / "feat" / part).mkdir(parents=True)
        for number in numbers:
            features = torch.from_numpy(features_of(number))
            torch.save(features, root / "feat" / part / f"{name_of(number)}.pt")
        names = "".join(f"{name_of(number)}\n" for number in numbers)
        (root / f"{part}_split.txt").write_text(names)
    lines = [f"{name_of(n)} {' '.join(map(str, labels_of(n)))}\n" for n in parts["train"]]
    (root / "train_labels.txt").write_text("".join(lines))
    return folder


def write_answers(path: Path) -> Path:
    """Write the answers of ``write_libriphone``'s test part, every second utterance public."""
    first = NUM_SPEAKERS * PER_SPEAKER
    rows = ["Id,Class,Usage"]
    for number in range(first, first + NUM_TEST):
        usage = ("Public", "Private")[number % 2]
        rows += [f"{len(rows) - 1 + i},{c},{usage}" for i, c in enumerate(labels_of(number))]
    path.write_text("\n".join(rows) + "\n")
    return path


# A few steps of a small network: what a test may spend.
SMALL = (
    "data.held_out=0.2",
    "model.layers=1",
    "model.width=8",
    "train.batch_size=200",
    "train.steps=24",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
)
