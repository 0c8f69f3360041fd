"""Tables of numbers as pictures, and which of many layers, heads and tokens a figure can show."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mlspring.kit import style

MOST = 6  # layers and heads that are drawn; the CSV has them all


def chosen(count: int) -> list[int]:
    """Return up to ``MOST`` of ``count`` numbers, the first and the last with them."""
    return sorted({round(k) for k in np.linspace(0, count - 1, min(count, MOST))})


def table(
    axes: Axes, values: NDArray[np.floating], low: float, high: float, *, near: bool = False
) -> None:
    """Draw numbers in cells; dark is much, or with ``near`` little."""
    axes.imshow(values, cmap="Greys_r" if near else "Greys", vmin=low, vmax=high, aspect="auto")
    axes.grid(visible=False)
    for (row, column), value in np.ndenumerate(values):
        dark = (value - low) / (high - low) > 0.5
        ink = "white" if dark != near else "black"
        shown = f"{value:.2f}" if high < 10 else f"{value:.0f}"
        axes.text(column, row, shown, ha="center", va="center", color=ink, fontsize=6)


def named(tokens: Sequence[str]) -> list[str]:
    """Return tokens as a figure can write them: by their number where there is no font."""
    return list(tokens) if style.cjk_font() else [str(number) for number in range(len(tokens))]
