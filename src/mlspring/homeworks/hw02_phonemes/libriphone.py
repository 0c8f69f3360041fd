"""The course's folder, read and written; its tensors are never unpickled as anything else.

DIR[/libriphone]/train_split.txt        a name a line: speaker-chapter-utterance
DIR[/libriphone]/train_labels.txt       a name, then a class 0 .. 40 for each of its frames
DIR[/libriphone]/test_split.txt         names of the test; there may be none
DIR[/libriphone]/feat/train/<name>.pt   float32 tensor (frames, 39), saved by torch.save
DIR[/libriphone]/feat/test/<name>.pt
DIR[/libriphone]/phones.txt             names of the classes; ours, the course has no such file
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.progress import bar, say
from mlspring.core.texts import count, read_lines, write_lines
from mlspring.homeworks.hw02_phonemes.utterances import (
    NUM_CLASSES,
    NUM_FEATURES,
    Utterances,
    joined,
)
from mlspring.kit.feature_files import read_features, save_features

FOLDER = "libriphone"
TRAIN, TEST = "train", "test"
NAMES, LABELS, PHONES = "{}_split.txt", "train_labels.txt", "phones.txt"
MAX_BYTES, MAX_LINES = 200_000_000, 200_000
SAFE_NAME = re.compile(r"[\w.+-]*\w[\w.+-]*")
FIX = "copy it again, or take the utterance out of the split"


def find(folder: Path) -> Path:
    """Return the folder that holds the split: ``folder``, or one up to two levels below.

    One that has a test part alone will do, to predict for.

    Raises:
        DataError: there is none.
    """
    for name in (NAMES.format(TRAIN), NAMES.format(TEST)):
        for pattern in (name, f"*/{name}", f"*/*/{name}"):
            if files := sorted(folder.glob(pattern)):
                return files[0].parent
    name = NAMES.format(TRAIN)
    expected = f"{name}, {LABELS} and feat/ in it, as in the course's libriphone.zip"
    fix = "see: mlspring fetch hw02, or mlspring data hw02 --export DIR for an example"
    raise DataError(f"there is no {name}", file=folder, expected=expected, fix=fix)


def read_train(folder: Path) -> Utterances:
    """Return the labelled utterances, in the order of ``train_split.txt``; none where it is absent.

    Raises:
        DataError: a file is missing or damaged, or labels and frames do not fit together.
    """
    names = read_names(folder, TRAIN) if (folder / NAMES.format(TRAIN)).exists() else []
    labels = read_labels(folder / LABELS, names) if names else {}
    lengths = [len(labels[name]) for name in names]
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    features = np.empty((offsets[-1], NUM_FEATURES), np.float32)
    tensors = _tensors(folder / "feat" / TRAIN, names)
    for (path, tensor), length, start in zip(tensors, lengths, offsets[:-1], strict=True):
        if len(tensor) != length:
            found = f"has {count(len(tensor), 'frame')}; {LABELS} has {count(length, 'label')}"
            raise DataError(f"{found} for it", file=path, expected="a label a frame", fix=FIX)
        features[start : start + length] = tensor
    return Utterances(
        features=features,
        offsets=offsets,
        names=tuple(names),
        labels=np.concatenate([np.empty(0, np.uint8), *(labels[name] for name in names)]),
    )


def read_test(folder: Path) -> Utterances:
    """Return the test utterances, in the order of ``test_split.txt``; none where there is none.

    Raises:
        DataError: a file is missing or damaged.
    """
    there = (folder / NAMES.format(TEST)).exists()
    if not there:
        say(f"{folder} has no {NAMES.format(TEST)}: it trains and validates, nothing is handed in")
    names = read_names(folder, TEST) if there else []
    return joined(names, [tensor for _, tensor in _tensors(folder / "feat" / TEST, names)])


def read_names(folder: Path, part: str) -> list[str]:
    """Return the names in a split file.

    Raises:
        DataError: the file is missing or empty, or a name is no file name or stands twice.
    """
    path = folder / NAMES.format(part)
    seen: dict[str, int] = {}
    for row, line in enumerate(read_lines(path, max_bytes=MAX_BYTES, max_lines=MAX_LINES), 1):
        name = line.strip()
        if not name:
            continue
        if not SAFE_NAME.fullmatch(name):
            expected = "a name such as 2007-149877-0023"
            raise DataError(f"is {name!r}", file=path, row=row, expected=expected)
        if name in seen:
            found = f"{name} stands in row {seen[name]} already"
            raise DataError(found, file=path, row=row, expected="each utterance once")
        seen[name] = row
    return list(seen)


def read_labels(path: Path, names: Sequence[str]) -> dict[str, NDArray[np.uint8]]:
    """Return the classes of every frame of the utterances ``names``.

    Raises:
        DataError: the file is missing, an utterance has none or twice, or a value is no class.
    """
    labels: dict[str, NDArray[np.uint8]] = {}
    wanted, others = set(names), []
    for row, line in enumerate(read_lines(path, max_bytes=MAX_BYTES, max_lines=MAX_LINES), 1):
        name, _, text = line.strip().partition(" ")
        if name not in wanted:
            others += [name] if name else []
            continue
        if name in labels:
            found = f"{name} has labels already"
            raise DataError(found, file=path, row=row, expected="each utterance once")
        labels[name] = _classes(text, name, path, row)
    if missing := [name for name in names if name not in labels]:
        found = f"has no labels of {_some(missing)}, which {NAMES.format(TRAIN)} names"
        expected = f"a line for each utterance of {NAMES.format(TRAIN)}"
        fix = "add them, or take the names out of the split"
        raise DataError(found, file=path, expected=expected, fix=fix)
    if others:
        say(f"{path}: {_some(others)} stand not in {NAMES.format(TRAIN)} and are left out")
    return labels


def write(folder: Path, train: Utterances, test: Utterances, phones: Sequence[str]) -> None:
    """Write both parts under ``folder``/libriphone."""
    root = folder / FOLDER
    for part, utterances in ((TRAIN, train), (TEST, test)):
        (root / "feat" / part).mkdir(parents=True)
        if len(utterances.names):
            write_lines(root / NAMES.format(part), utterances.names)
        for name, start, end in _bounds(utterances):
            save_features(root / "feat" / part / f"{name}.pt", utterances.features[start:end])
    write_lines(root / PHONES, phones)
    if train.labels is not None and len(train.names):
        lines = [
            " ".join([name, *map(str, train.labels[start:end].tolist())])
            for name, start, end in _bounds(train)
        ]
        write_lines(root / LABELS, lines)


def read_phones(folder: Path) -> tuple[str, ...]:
    """Return the names of the classes: those of ``phones.txt``, else their numbers.

    Raises:
        DataError: the file does not hold 41 names.
    """
    path = folder / PHONES
    if not path.exists():
        return tuple(map(str, range(NUM_CLASSES)))
    lines = [line.strip() for line in read_lines(path, max_bytes=10_000, max_lines=1_000)]
    names = tuple(line for line in lines if line)
    if len(set(names)) != NUM_CLASSES:
        found = f"holds {count(len(set(names)), 'name')}"
        raise DataError(found, file=path, expected=f"{NUM_CLASSES} names, one a line")
    return names


def _classes(text: str, name: str, path: Path, row: int) -> NDArray[np.uint8]:
    """Return the classes in the rest of a line."""
    expected = f"whole numbers from 0 to {NUM_CLASSES - 1}, a space between two"
    words = text.split()
    if not words:
        found = f"{name} is an empty utterance: it has no label"
        raise DataError(found, file=path, row=row, expected=expected, fix=FIX)
    wrong = next((w for w in words if not (w.isascii() and w.isdecimal() and len(w) < 4)), None)
    values = np.array([] if wrong else words, np.int64)
    if wrong is None and values.max() >= NUM_CLASSES:
        wrong = words[int(values.argmax())]
    if wrong is not None:
        found = f"label {words.index(wrong) + 1:,} of {name} is {wrong!r}"
        raise DataError(found, file=path, row=row, expected=expected)
    return values.astype(np.uint8)


def _tensors(folder: Path, names: Sequence[str]) -> Iterator[tuple[Path, NDArray[np.float32]]]:
    """Yield file and features of each utterance; say which files belong to none of them."""
    if others := sorted({path.stem for path in folder.glob("*.pt")} - set(names)):
        split = NAMES.format(folder.name)
        say(f"{folder}: {_some(others)} stand not in {split} and are left out")
    with bar(f"read {folder.name}", len(names), unit="utterances") as progress:
        for path in (folder / f"{name}.pt" for name in names):
            yield path, read_features(path, NUM_FEATURES)
            progress.advance(1)


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names):,} utterances, {names[0]} first"


def _bounds(utterances: Utterances) -> list[tuple[str, int, int]]:
    offsets = utterances.offsets.tolist()
    return list(zip(utterances.names, offsets[:-1], offsets[1:], strict=True))
