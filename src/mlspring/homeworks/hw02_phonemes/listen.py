"""Utterances of the world to hear and to see: ``mlspring data hw02 --listen N``."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np

from mlspring.core.audio import SAMPLE_RATE, write_wav
from mlspring.core.texts import count, write_lines
from mlspring.kit.spectrogram import save_spectrogram
from mlspring.worlds.speech.phoneme_world import NUM_SHARDS, spoken
from mlspring.worlds.speech.phones import CLASS_NAMES
from mlspring.worlds.speech.utterances import Utterance


def listen(number: int, to: Path) -> str:
    """Write the first training utterances under ``to``; return what was written.

    Each as wav, as the label track that Audacity shows beside it (and ``--from-audio`` reads), and
    as spectrogram with the phones above.

    Raises:
        MachineError: the extra [speech] is not installed.
    """
    to.mkdir(parents=True, exist_ok=True)
    digits = len(str(number))
    for place, one in enumerate(utterances(number), 1):
        path = to / f"{place:0{digits}d}.wav"
        sound = (0.9 / float(np.abs(one.sound).max()) * one.sound).astype(np.float32)
        phones = [
            (part.start / SAMPLE_RATE, part.end / SAMPLE_RATE, CLASS_NAMES[part.label])
            for part in one.parts
        ]
        write_wav(path, sound)
        write_lines(path.with_suffix(".txt"), ["{:.4f}\t{:.4f}\t{}".format(*p) for p in phones])
        save_spectrogram(path.with_suffix(".png"), sound, phones)
    return f"{count(number, 'utterance')} as wav, phones as txt, spectrograms as png"


def utterances(number: int) -> Iterator[Utterance]:
    """Yield the first utterances of the world, which are of its training part."""
    shards = (spoken(0, shard, num_shards=NUM_SHARDS, size=1.0) for shard in range(NUM_SHARDS))
    yield from islice(chain.from_iterable(shards), number)
