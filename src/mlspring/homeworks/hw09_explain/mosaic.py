"""Rows of pictures in one image, and what maps look like in them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain.explain import Numbers
from mlspring.kit import style

SHORT = ("bread", "dairy", "dessert", "egg", "fried", "meat", "noodles", "rice", "seafood", "soup")
FADED = 0.25  # of a picture's contrast is left where a map says nothing
Floats = NDArray[np.float32]


def dark(shares: Floats) -> Floats:
    """Return maps (n, s, s) in 0 .. 1 as grey pictures (n, s, s, 3), dark where they are high."""
    return np.repeat(1 - shares[..., None], 3, axis=-1)


def lit(images: Floats, strengths: Floats) -> Floats:
    """Return pictures (n, s, s, 3) in their colours where ``strengths`` are 1, pale where 0."""
    share = FADED + (1 - FADED) * strengths.clip(0, 1)[..., None]
    return np.asarray(1 - share * (1 - images), np.float32)


def enlarged(maps: Floats, size: int) -> Floats:
    """Return maps (n, h, w) in squares, ``size`` pixels wide and high."""
    places = np.arange(size) * maps.shape[1] // size
    return maps[:, places][:, :, places]


def mosaic(rows: Mapping[str, Floats], above: Sequence[str], below: Sequence[str] = ()) -> Figure:
    """Return a figure of rows of pictures (n, s, s, 3): one image, so that drawing is quick."""
    count, size = len(next(iter(rows.values()))), next(iter(rows.values())).shape[1]
    step = size + max(2, size // 16)
    whole = np.ones((len(rows) * step, count * step, 3), np.float32)
    for row, pictures in enumerate(rows.values()):
        for column, picture in enumerate(pictures):
            top, left = row * step, column * step
            whole[top : top + size, left : left + size] = picture
    figure = style.new_figure(0.95 * count + 0.9, 0.95 * len(rows) + 0.9)
    axes = figure.subplots()
    axes.imshow(whole, interpolation="nearest")
    style.hide_axes(axes)
    middles = [size / 2 + step * i for i in range(max(count, len(rows)))]
    axes.set_yticks(middles[: len(rows)], list(rows), fontsize=8)
    axes.set_xticks(middles[: len(below)], below, fontsize=8)
    for x, caption in zip(middles, above[:count], strict=False):
        axes.text(x, -0.06 * size, caption, fontsize=8, ha="center", va="bottom")
    axes.tick_params(length=0)
    return figure


def captions(numbers: Numbers) -> list[str]:
    """Return each picture's class, and in brackets what the network calls it, if wrong."""
    answers = numbers["pictures"]
    return [
        _short(label) + ("" if answer == label else f"\n({_short(answer)})")
        for label, answer in zip(answers["label"], answers["answer"], strict=True)
    ]


def _short(label: int) -> str:
    return SHORT[label] if label < len(SHORT) else "vegetable"


def absent(run: Run, name: str) -> None:
    """Draw a sentence in place of a figure whose method is not in the run's recipe."""
    figure = style.new_figure(5.2, 1.2)
    axes = figure.subplots()
    style.hide_axes(axes)
    words = "this run has no such method: explain.methods in recipe.toml\nall: mlspring run hw09"
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes)
    style.save(figure, run.figures, name, ("explain.methods",), [])
