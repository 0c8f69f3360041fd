"""The course's folder of utterances: three lists in JSON, and a file of frames for each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core import image_folder
from mlspring.core.errors import DataError
from mlspring.core.files import disk_errors, write_json
from mlspring.core.foreign import read_json_bounded
from mlspring.core.progress import say
from mlspring.core.speech_features import NUM_MELS

MAPPING, METADATA, TESTDATA = "mapping.json", "metadata.json", "testdata.json"
EXAMPLE = '{"feature_path": "uttr-<hex>.pt", "mel_len": 435}'
MAX_JSON_BYTES = 200_000_000
MAX_FRAMES = 360_000  # of an utterance: an hour
AGAIN = "see: mlspring fetch hw04, or mlspring data hw04 --export DIR for an example"


@dataclass(frozen=True)
class Listed:
    """An utterance as the lists have it: its file, its frames, the index of its speaker."""

    name: str
    length: int
    speaker: int = -1


def find(folder: Path) -> Path:
    """Return the folder of the lists: ``folder``, or one up to two levels below it.

    Raises:
        DataError: there is none, or more than one.
    """
    found = image_folder.find(folder, METADATA)
    if found is None:
        expected = f"{MAPPING}, {METADATA}, {TESTDATA} and uttr-*.pt, also in folders inside"
        raise DataError(f"has no {METADATA}", file=folder, expected=expected, fix=AGAIN)
    return found.parent


def read_speakers(folder: Path) -> list[str]:
    """Return the speakers' names in the order of their numbers.

    Raises:
        DataError: the mapping is missing, or its two halves do not number the speakers alike.
    """
    file = folder / MAPPING
    table = _table(file)
    numbers = table.get("speaker2id")
    if not isinstance(numbers, dict) or not numbers:
        expected = 'a mapping "speaker2id" from names to numbers'
        raise DataError("numbers no speakers", file=file, expected=expected, fix=AGAIN)
    by_number = {number: name for name, number in numbers.items() if type(number) is int}
    names = [by_number.get(number) for number in range(len(numbers))]
    if None in names:
        found = f"speaker2id has {len(numbers)} speakers and none with number {names.index(None)}"
        raise DataError(found, file=file, expected=f"each of 0 to {len(names) - 1} once")
    backwards = {str(number): name for number, name in enumerate(names)}
    if table.get("id2speaker", backwards) != backwards:
        raise DataError("id2speaker is not speaker2id turned around", file=file, fix=AGAIN)
    return [str(name) for name in names]


def read_train(folder: Path, speakers: Sequence[str]) -> list[Listed]:
    """Return the utterances of known speakers.

    Raises:
        DataError: the list is missing or damaged, or names a speaker that ``speakers`` lacks.
    """
    file = folder / METADATA
    by_speaker = _checked_mels(file).get("speakers")
    if not isinstance(by_speaker, dict):
        raise DataError("lists no speakers", file=file, expected='a mapping "speakers"', fix=AGAIN)
    numbers = {name: number for number, name in enumerate(speakers)}
    listed = []
    for name, utterances in by_speaker.items():
        if name not in numbers:
            found = f"speaker {name!r} is unknown: {MAPPING} does not number them"
            raise DataError(found, file=file, fix=f"make both files together; {AGAIN}")
        if not isinstance(utterances, list):
            raise DataError(f"speaker {name!r} has no list of utterances", file=file)
        listed += [
            _listed(one, file, f"utterance {k} of speaker {name!r}", numbers[name])
            for k, one in enumerate(utterances)
        ]
    return _each_once(listed, file)


def read_test(folder: Path) -> list[Listed]:
    """Return the utterances to tell, in a submission's order; none, said aloud, without a list."""
    file = folder / TESTDATA
    if not file.exists():
        say(f"{folder}: no {TESTDATA}, so nothing can be handed in")
        return []
    utterances = _checked_mels(file).get("utterances")
    if not isinstance(utterances, list):
        raise DataError("lists no utterances", file=file, expected='"utterances": [..]', fix=AGAIN)
    named = (_listed(one, file, f"utterance {k}") for k, one in enumerate(utterances))
    return _each_once(list(named), file)


def write(
    folder: Path,
    speakers: Sequence[str],
    train: Iterable[tuple[str, str, NDArray[Any]]],
    test: Iterable[tuple[str, NDArray[Any]]],
) -> None:
    """Write a folder in this layout; without ``test`` it has no test part.

    ``train`` yields file name, speaker and frames (t, 40) of each utterance, ``test`` no speaker.
    """
    by_speaker: dict[str, list[dict[str, Any]]] = {name: [] for name in speakers}
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, speaker, frames in train:
            by_speaker[speaker].append(_save(folder, name, frames))
        tested = [_save(folder, name, frames) for name, frames in test]
    numbers = {name: number for number, name in enumerate(speakers)}
    backwards = {str(number): name for name, number in numbers.items()}
    write_json(folder / MAPPING, {"speaker2id": numbers, "id2speaker": backwards})
    write_json(folder / METADATA, {"n_mels": NUM_MELS, "speakers": by_speaker})
    if tested:
        write_json(folder / TESTDATA, {"n_mels": NUM_MELS, "utterances": tested})


def _save(folder: Path, name: str, frames: NDArray[Any]) -> dict[str, Any]:
    """Write the frames of an utterance and return its entry in a list."""
    from mlspring.kit.feature_files import save_features  # here: reading the lists needs no torch

    save_features(folder / name, frames.astype(np.float32))
    return {"feature_path": name, "mel_len": len(frames)}


def _table(file: Path) -> dict[str, Any]:
    table = read_json_bounded(file, MAX_JSON_BYTES)
    if not isinstance(table, dict):
        raise DataError("is no JSON object", file=file, expected="a mapping", fix=AGAIN)
    return table


def _checked_mels(file: Path) -> Mapping[str, Any]:
    """Return a list's object, whose frames are of 40 numbers."""
    table = _table(file)
    if table.get("n_mels") != NUM_MELS:
        expected = f"{NUM_MELS}, the numbers of a frame"
        raise DataError(f"n_mels is {table.get('n_mels')!r}", file=file, expected=expected)
    return table


def _listed(value: Any, file: Path, where: str, speaker: int = -1) -> Listed:
    """Return one entry of a list, which must name a file beside it and a number of frames."""
    if not isinstance(value, dict) or not {"feature_path", "mel_len"} <= value.keys():
        raise DataError(f"{where} lacks a key", file=file, expected=EXAMPLE, fix=AGAIN)
    name, length = value["feature_path"], value["mel_len"]
    if not isinstance(name, str) or Path(name).name != name or "\\" in name or "\0" in name:
        expected = "the name of a file beside this one"
        raise DataError(f"{where}: feature_path is {name!r}", file=file, expected=expected)
    if type(length) is not int or not 1 <= length <= MAX_FRAMES:
        found = f"{where} ({name}) is empty" if length == 0 else f"{where}: mel_len is {length!r}"
        fix, expected = "take it out of the list", f"1 to {MAX_FRAMES:,} frames"
        raise DataError(found, file=file, expected=expected, fix=fix)
    return Listed(name, length, speaker)


def _each_once(listed: list[Listed], file: Path) -> list[Listed]:
    name, times = Counter(one.name for one in listed).most_common(1)[0] if listed else ("", 1)
    if times > 1:
        raise DataError(f"lists {name} twice", file=file, expected="each file once")
    return listed
