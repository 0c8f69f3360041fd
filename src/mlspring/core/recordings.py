"""Recordings in a folder, by the name of the utterance: speaker first, as LibriSpeech has them."""

import re
from pathlib import Path

from mlspring.core.audio import TO_WAV
from mlspring.core.errors import DataError
from mlspring.core.files import is_litter

SUFFIXES = (".wav", ".flac")
OTHERS = (".mp3", ".m4a", ".ogg", ".aac", ".opus", ".wma", ".aiff", ".webm")
NOBODY = "speaker"  # who speaks where there is no folder


def recordings(audio: Path) -> dict[str, Path]:
    """Return the recordings below a folder by the name of their utterance, speaker first.

    Raises:
        DataError: there is none, or two would have one name.
    """
    files: dict[str, Path] = {}
    others = []
    for path in sorted(audio.rglob("*")):
        if not path.is_file() or any(map(is_litter, path.relative_to(audio).parts)):
            continue
        if path.suffix.lower() in OTHERS:
            others.append(path)
        if path.suffix.lower() not in SUFFIXES:
            continue
        folder = path.relative_to(audio).parts[:-1]
        speaker = _plain(folder[0]).replace("-", "_") if folder else NOBODY
        name = f"{speaker}-{'-'.join(map(_plain, (*folder[1:], path.stem)))}"
        if name in files:
            found = f"would have the same name as {files[name].name}"
            raise DataError(found, file=path, expected="each recording once", fix="rename one")
        files[name] = path
    if not files:
        fix = TO_WAV if others else None
        found = f"holds no recording{f' but {others[0].name}' if others else ''}"
        raise DataError(found, file=audio, expected="wav or flac files", fix=fix)
    return files


def _plain(name: str) -> str:
    """Return a name as a file of the layout may have it."""
    return re.sub(r"[^\w.+-]", "_", name)
