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
from mlspring.core.label_files import labels_beside
from mlspring.core.progress import bar
from mlspring.core.recordings import recordings
from mlspring.core.speech_features import mfcc39
from mlspring.core.texts import count
from mlspring.homeworks.hw02_phonemes import libriphone
from mlspring.homeworks.hw02_phonemes.utterances import joined
from mlspring.worlds.speech.label_names import read_segments
from mlspring.worlds.speech.phones import CLASS_NAMES, frame_labels


def from_audio(audio: Path, to: Path) -> str:
    """Write features and labels of the recordings in ``audio`` under ``to``; return what was done.

    Raises:
        DataError: no recording, one that cannot be read, or a label file that is damaged.
        MachineError: the extra [speech] is not installed.
    """
    files = recordings(audio)
    features: dict[str, NDArray[np.float32]] = {}
    classes: dict[str, NDArray[np.uint8]] = {}
    with bar("read recordings", len(files), unit="files") as progress:
        for name, path in files.items():
            features[name] = mfcc39(read_audio(path), file=path)
            if labels := labels_beside(path):
                segments, num_frames = read_segments(labels), len(features[name])
                classes[name] = frame_labels(segments, num_frames, SAMPLE_RATE)
            progress.advance(1)
    without = [name for name in files if name not in classes]
    train = joined(list(classes), [features[name] for name in classes], list(classes.values()))
    test = joined(without, [features[name] for name in without])
    libriphone.write(to, train, test, CLASS_NAMES)
    return (
        f"{count(len(train.names), 'utterance')} with phones, {len(train.features):,} frames, to "
        f"train on; {len(test.names):,} without, {len(test.features):,} frames, to predict"
    )
