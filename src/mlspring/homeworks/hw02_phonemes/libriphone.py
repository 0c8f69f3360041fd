"""The course's folder, read and written; its tensors are never unpickled as anything else.

DIR[/libriphone]/train_split.txt        a name a line: speaker-chapter-utterance
DIR[/libriphone]/train_labels.txt       a name, then a class 0 .. 40 for each of its frames
DIR[/libriphone]/test_split.txt         names of the test; there may be none
DIR[/libriphone]/feat/train/<name>.pt   float32 tensor (frames, 39), saved by torch.save
DIR[/libriphone]/feat/test/<name>.pt
DIR[/libriphone]/phones.txt             names of the classes; ours, the course has no such file
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError
from mlspring.core.progress import bar, say
from mlspring.core.texts import count, read_lines, size, write_lines
from mlspring.homeworks.hw02_phonemes.utterances import NUM_CLASSES, NUM_FEATURES, Utterances

FOLDER = "libriphone"
TRAIN, TEST = "train", "test"
NAMES, LABELS, PHONES = "{}_split.txt", "train_labels.txt", "phones.txt"
MAX_BYTES, MAX_LINES = 200_000_000, 200_000
MAX_TENSOR_BYTES = 50_000_000  # half an hour of speech has 28 million
SAFE_NAME = re.compile(r"[\w.+-]*\w[\w.+-]*")
EXPECTED = f"a float32 tensor (frames, {NUM_FEATURES}), saved by torch.save"
FIX = "copy it again, or leave the utterance out of the split"


def find(folder: Path) -> Path:
    """Return the folder that holds ``train_split.txt``: ``folder``, or one up to two levels below.

    Raises:
        DataError: there is none.
    """
    name = NAMES.format(TRAIN)
    for pattern in (name, f"*/{name}", f"*/*/{name}"):
        if places := sorted(folder.glob(pattern)):
            return places[0].parent
    expected = f"{name}, {LABELS} and feat/ in it, as in the course's libriphone.zip"
    fix = "see: mlspring fetch hw02, or mlspring data hw02 --export DIR for an example"
    raise DataError(f"there is no {name}", file=folder, expected=expected, fix=fix)


def read_train(folder: Path) -> Utterances:
    """Return the labelled utterances, in the order of ``train_split.txt``.

    Raises:
        DataError: a file is missing or damaged, or labels and frames do not fit together.
    """
    names = read_names(folder, TRAIN)
    labels = read_labels(folder / LABELS, names)
    lengths = [len(labels[name]) for name in names]
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    features = np.empty((offsets[-1], NUM_FEATURES), np.float32)
    _tell_unlisted(folder / "feat" / TRAIN, names)
    with bar("read training", len(names), unit="utterances") as progress:
        for number, name in enumerate(names):
            path = folder / "feat" / TRAIN / f"{name}.pt"
            tensor = read_features(path)
            if len(tensor) != lengths[number]:
                found = f"has {count(len(tensor), 'frame')}; {LABELS} has "
                found += f"{count(lengths[number], 'label')} for it"
                raise DataError(found, file=path, expected="a label a frame", fix=FIX)
            features[offsets[number] : offsets[number + 1]] = tensor
            progress.advance(1)
    return Utterances(
        features=features,
        offsets=offsets,
        names=tuple(names),
        labels=np.concatenate([labels[name] for name in names]),
    )


def read_test(folder: Path) -> Utterances:
    """Return the test utterances, in the order of ``test_split.txt``; none where there is none.

    Raises:
        DataError: a file is missing or damaged.
    """
    if not (folder / NAMES.format(TEST)).exists():
        say(f"{folder} has no {NAMES.format(TEST)}: it trains and validates, nothing is handed in")
        names: list[str] = []
    else:
        names = read_names(folder, TEST)
        _tell_unlisted(folder / "feat" / TEST, names)
    tensors = [np.empty((0, NUM_FEATURES), np.float32)]
    with bar("read test", len(names), unit="utterances") as progress:
        for name in names:
            tensors.append(read_features(folder / "feat" / TEST / f"{name}.pt"))
            progress.advance(1)
    lengths = [len(tensor) for tensor in tensors]
    return Utterances(
        features=np.concatenate(tensors),
        offsets=np.cumsum(lengths, dtype=np.int64),
        names=tuple(names),
    )


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


def read_features(path: Path) -> NDArray[np.float32]:
    """Return the features of one utterance, float32 (t, 39), t >= 1.

    Raises:
        DataError: missing, cut short, another pickle than a tensor, of another type or shape,
            empty, or with a value that is not finite.
    """
    tensor = _load(path)
    shape = tuple(tensor.shape)
    if str(tensor.dtype) != "torch.float32":
        found = f"holds {str(tensor.dtype).removeprefix('torch.')} numbers"
        raise DataError(found, file=path, expected=EXPECTED, fix="save tensor.float()")
    if len(shape) != 2 or shape[1] != NUM_FEATURES or shape[0] * shape[1] * 4 > MAX_TENSOR_BYTES:
        raise DataError(f"holds a tensor {shape}", file=path, expected=EXPECTED)
    if not shape[0]:
        raise DataError("is an empty utterance: it has no frame", file=path, fix=FIX)
    features: NDArray[np.float32] = tensor.detach().numpy()
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        frame = int(np.argmin(finite))
        value = features[frame][~np.isfinite(features[frame])][0]
        found = f"frame {frame:,} holds {value}"
        raise DataError(found, file=path, expected="finite numbers", fix=FIX)
    return features


def write(folder: Path, train: Utterances, test: Utterances, phones: Sequence[str]) -> None:
    """Write both parts under ``folder``/libriphone."""
    root = folder / FOLDER
    for part, utterances in ((TRAIN, train), (TEST, test)):
        (root / "feat" / part).mkdir(parents=True)
        if len(utterances.names):
            write_lines(root / NAMES.format(part), utterances.names)
        for name, start, end in _bounds(utterances):
            _save(root / "feat" / part / f"{name}.pt", utterances.features[start:end])
    assert train.labels is not None
    lines = [
        " ".join([name, *map(str, train.labels[start:end].tolist())])
        for name, start, end in _bounds(train)
    ]
    write_lines(root / LABELS, lines)
    write_lines(root / PHONES, phones)


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


def _load(path: Path) -> Any:
    """Return the tensor in a file."""
    import torch  # here: listing homeworks does without it

    try:
        num_bytes = path.stat().st_size
        if num_bytes > MAX_TENSOR_BYTES:
            raise DataError(f"has {size(num_bytes)}", file=path, expected=EXPECTED, fix=FIX)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        split = NAMES.format(path.parent.name)
        found = f"is missing; {split} names it"
        raise DataError(found, file=path, fix=f"copy it, or take it out of {split}") from error
    except DataError:
        raise
    except Exception as error:  # what a damaged pickle raises is of many kinds
        reason = str(error).partition("\n")[0][:120]
        found = f"cannot be read as a tensor ({type(error).__name__}: {reason})"
        raise DataError(found, file=path, expected=EXPECTED, fix=FIX) from error
    if not isinstance(loaded, torch.Tensor) or loaded.layout != torch.strided:
        found = f"holds a {type(loaded).__name__}, not a plain tensor"
        raise DataError(found, file=path, expected=EXPECTED)
    return loaded


def _save(path: Path, features: NDArray[np.float32]) -> None:
    import torch

    torch.save(torch.from_numpy(features.copy()), path)  # a copy: a view would save the whole array


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


def _tell_unlisted(folder: Path, names: Sequence[str]) -> None:
    """Say which tensors belong to no utterance of the split: they are left out."""
    others = sorted({path.stem for path in folder.glob("*.pt")} - set(names))
    if others:
        split = NAMES.format(folder.name)
        say(f"{folder}: {_some(others)} stand not in {split} and are left out")


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names):,} utterances, {names[0]} first"


def _bounds(utterances: Utterances) -> list[tuple[str, int, int]]:
    offsets = utterances.offsets.tolist()
    return list(zip(utterances.names, offsets[:-1], offsets[1:], strict=True))
