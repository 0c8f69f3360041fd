"""A recording to see: its log mel spectrum with the phones above."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.audio import SAMPLE_RATE
from mlspring.core.files import atomic_path
from mlspring.core.speech_features import HOP, log_mel40
from mlspring.kit import style

INCHES = 3.4  # of the picture, a second
HALF_FRAME = 0.5 * HOP / SAMPLE_RATE  # s


def save_spectrogram(
    path: Path, sound: NDArray[np.float32], phones: Sequence[tuple[float, float, str]]
) -> None:
    """Write the spectrum of a recording as PNG.

    Args:
        path: of the PNG.
        sound: (n,), 16 kHz.
        phones: start and end in seconds, and name.
    """
    energies = log_mel40(sound)
    num_frames, num_bands = energies.shape
    seconds = len(sound) / SAMPLE_RATE
    with style.house_style():
        figure = style.new_figure(1.2 + INCHES * seconds, 2.6)
        axes = figure.subplots()
        extent = (-HALF_FRAME, (2 * num_frames - 1) * HALF_FRAME, 0.0, float(num_bands))
        axes.imshow(energies.T, origin="lower", aspect="auto", cmap="Greys", extent=extent)
        for start, end, name in phones:
            axes.axvline(start, color=style.COLOURS[1], linewidth=0.6)
            middle = (start + end) / 2
            axes.text(middle, num_bands + 1, name, ha="center", fontsize=7, rotation=90)
        axes.set_xlim(0, seconds)
        axes.grid(visible=False)
        axes.set_xlabel("seconds")
        axes.set_ylabel("mel band")
        with atomic_path(path) as partial:
            figure.savefig(partial, format="png", metadata={"Software": None})
