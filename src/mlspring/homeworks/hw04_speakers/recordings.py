"""Your own voices: a folder of recordings for each speaker, written in the course's layout.

    DIR/<speaker>/<any name>.wav    16 or 24 bit, any usual rate, any number of channels; or .flac
    DIR/test/<any name>.wav         who speaks is to be told; may be absent

What the files become called is listed in ``recordings.csv`` beside the lists.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.audio import TO_WAV, read_audio
from mlspring.core.errors import DataError
from mlspring.core.image_folder import entries, folders
from mlspring.core.progress import track
from mlspring.core.recordings import SUFFIXES
from mlspring.core.speech_features import log_mel40
from mlspring.core.tables import write_table
from mlspring.core.texts import count
from mlspring.homeworks.hw04_speakers import layout

TEST = "test"
FEWEST = 2  # speakers, and recordings of each
EXAMPLE = "DIR/<speaker>/<any name>.wav"


def from_audio(audio: Path, to: Path) -> str:
    """Write the recordings in ``audio`` as ``to``/Dataset; return what was written.

    Raises:
        DataError: fewer than two speakers, or than two recordings of one; a recording that is no
            wav or flac, is damaged, or is too short for a frame.
        MachineError: the extra [speech] is not installed, or the disk is full.
    """
    speakers = [one.name for one in folders(audio, "recordings of each speaker")]
    speakers = [name for name in speakers if name != TEST]
    if len(speakers) < FEWEST:
        found = f"holds recordings of {len(speakers)} speaker(s)"
        raise DataError(found, file=audio, expected=f"{FEWEST} or more: {EXAMPLE}")
    known = [file for name in speakers for file in _recordings(audio / name, FEWEST)]
    tested = _recordings(audio / TEST, 1) if (audio / TEST).is_dir() else []
    frames, target = _frames([*known, *tested]), to / "Dataset"
    train = ((_name(file, audio), file.parent.name, next(frames)) for file in known)
    test = ((_name(file, audio), next(frames)) for file in tested)
    layout.write(target, speakers, train, test)
    rows = [(_name(file, audio), file.relative_to(audio).as_posix()) for file in known + tested]
    write_table(target / "recordings.csv", ("feature_path", "recording"), rows)
    told = f"and {count(len(tested), 'recording')} to tell" if tested else "and none to tell"
    return f"{count(len(known), 'recording')} of {len(speakers)} speakers {told}"


def _recordings(folder: Path, fewest: int) -> list[Path]:
    """Return the sound files in ``folder``.

    Raises:
        DataError: there are fewer, or something else lies there.
    """
    files = entries(folder, "recordings")
    for file in files:
        if file.suffix.lower() not in SUFFIXES:
            fix = f"{TO_WAV}; or take it out"
            raise DataError("is no wav and no flac", file=file, expected=EXAMPLE, fix=fix)
    if len(files) < fewest:
        expected = f"{fewest} or more: one is held out to validate on" if fewest > 1 else EXAMPLE
        raise DataError(f"holds {len(files)} recording(s)", file=folder, expected=expected)
    return files


def _frames(files: Sequence[Path]) -> Iterator[NDArray[np.float32]]:
    """Yield the log mel frames of each recording."""
    for file in track(files, "read recordings", len(files), unit="files"):
        yield log_mel40(read_audio(file), file=file)


def _name(file: Path, folder: Path) -> str:
    """Return a name like the course's, which tells nothing about the speaker."""
    path = file.relative_to(folder).as_posix()
    return f"uttr-{hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()}.pt"
