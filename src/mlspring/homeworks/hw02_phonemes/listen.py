"""Utterances of the world to hear and to see: ``mlspring data hw02 --listen N``."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.audio import SAMPLE_RATE, write_wav
from mlspring.core.speech_features import HOP, log_mel40
from mlspring.core.texts import count, write_lines
from mlspring.kit import style
from mlspring.worlds.speech.phoneme_world import NUM_SHARDS, spoken
from mlspring.worlds.speech.phones import CLASS_NAMES, Segment
from mlspring.worlds.speech.utterances import Utterance

INCHES = 3.4  # of a spectrogram, a second


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
        loudest = float(np.abs(one.sound).max())
        write_wav(path, (0.9 / loudest * one.sound).astype(np.float32))
        write_lines(path.with_suffix(".txt"), map(track, one.parts))
        draw(one.sound.astype(np.float32), one.parts, path)
    return f"{count(number, 'utterance')} as wav, phones as txt, spectrograms as png"


def utterances(number: int) -> Iterator[Utterance]:
    """Yield the first utterances of the world, which are of its training part."""
    shards = (spoken(0, shard, num_shards=NUM_SHARDS, size=1.0) for shard in range(NUM_SHARDS))
    yield from islice(chain.from_iterable(shards), number)


def track(part: Segment) -> str:
    """Return a phone as a row of a label track: start, end, name."""
    start, end = part.start / SAMPLE_RATE, part.end / SAMPLE_RATE
    return f"{start:.4f}\t{end:.4f}\t{CLASS_NAMES[part.label]}"


def draw(sound: NDArray[np.float32], parts: list[Segment], path: Path) -> None:
    """Draw the log mel spectrum of a recording, its phones above, as ``path`` with .png."""
    energies = log_mel40(sound)
    with style.house_style():
        seconds = len(sound) / SAMPLE_RATE
        figure = style.new_figure(1.2 + INCHES * seconds, 2.6)
        axes = figure.subplots()
        right = (len(energies) - 0.5) * HOP / SAMPLE_RATE
        extent = (-0.5 * HOP / SAMPLE_RATE, right, 0.0, float(energies.shape[1]))
        axes.imshow(energies.T, origin="lower", aspect="auto", cmap="Greys", extent=extent)
        for part in parts:
            start, end = part.start / SAMPLE_RATE, part.end / SAMPLE_RATE
            axes.axvline(start, color=style.COLOURS[1], linewidth=0.6)
            middle, top = (start + end) / 2, energies.shape[1] + 1
            axes.text(middle, top, CLASS_NAMES[part.label], ha="center", fontsize=7, rotation=90)
        axes.set_xlim(0, seconds)
        axes.grid(visible=False)
        axes.set_xlabel("seconds")
        axes.set_ylabel("mel band")
        figure.savefig(path.with_suffix(".png"), metadata={"Software": None})
