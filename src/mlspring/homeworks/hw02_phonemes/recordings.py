"""Own recordings made into the course's layout: ``mlspring data hw02 --from-audio DIR``.

    DIR/<speaker>/NAME.wav or .flac      one folder a speaker; without folders all are of one
    DIR/<speaker>/NAME.TextGrid          or .txt or .lablaut: its phones, see ``core.label_files``

Recordings with phones become the training part, those without the test part. Rate, width and
channels may be any; ``core.audio`` says what it does not take.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.audio import SAMPLE_RATE, read_audio
from mlspring.core.errors import DataError
from mlspring.core.label_files import FORMATS
from mlspring.core.progress import bar
from mlspring.core.recordings import recordings
from mlspring.core.speech_features import flat_features, mfcc39
from mlspring.core.texts import count
from mlspring.homeworks.hw02_phonemes import libriphone
from mlspring.homeworks.hw02_phonemes.utterances import Utterances
from mlspring.worlds.speech.label_names import read_segments
from mlspring.worlds.speech.phones import CLASS_NAMES, frame_labels


def from_audio(audio: Path, to: Path) -> str:
    """Write features and labels of the recordings in ``audio`` under ``to``; return what was done.

    Raises:
        DataError: no recording, one that cannot be read, or a label file that is damaged.
        MachineError: the extra [speech] is not installed.
    """
    files = recordings(audio)
    labelled: list[tuple[str, NDArray[np.float32], NDArray[np.uint8]]] = []
    unlabelled: list[tuple[str, NDArray[np.float32]]] = []
    with bar("read recordings", len(files), unit="files") as progress:
        for name, path in files.items():
            features = mfcc39(read_audio(path), file=path)
            if (labels := _labels_beside(path)) is None:
                unlabelled.append((name, features))
            else:
                segments = read_segments(labels)
                classes = frame_labels(segments, len(features), SAMPLE_RATE)
                labelled.append((name, features, classes))
            progress.advance(1)
    train = _joined([(name, features) for name, features, _ in labelled])
    classes = np.concatenate([np.empty(0, np.uint8), *(labels for *_, labels in labelled)])
    train = Utterances(
        features=train.features, offsets=train.offsets, names=train.names, labels=classes
    )
    test = _joined(unlabelled)
    libriphone.write(to, train, test, CLASS_NAMES)
    return (
        f"{count(len(train.names), 'utterance')} with phones, {len(train.features):,} frames, to "
        f"train on; {len(test.names):,} without, {len(test.features):,} frames, to predict"
    )


def _labels_beside(path: Path) -> Path | None:
    """Return the label file of a recording, None where there is none.

    Raises:
        DataError: there are several.
    """
    there = [path.with_suffix(suffix) for suffix in FORMATS]
    there = [file for file in there if file.is_file()]
    if len(there) > 1:
        found = f"has {' and '.join(file.name for file in there)}"
        raise DataError(found, file=path, expected="one label file")
    return there[0] if there else None


def _joined(utterances: list[tuple[str, NDArray[np.float32]]]) -> Utterances:
    """Return the features of utterances as one array."""
    none = [np.empty((0, 39), np.float32)]
    features, offsets = flat_features([*none, *(f for _, f in utterances)], lambda f: f)
    names = tuple(name for name, _ in utterances)
    return Utterances(features=features, offsets=offsets[1:], names=names)
