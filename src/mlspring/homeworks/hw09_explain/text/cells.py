"""What the figures of the text half share: tables of numbers, names of tokens, what is left out."""

from collections.abc import Callable, Sequence
from functools import wraps

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain.data import Data
from mlspring.homeworks.hw09_explain.mosaic import absent
from mlspring.homeworks.hw09_explain.recipe import Recipe, TextMethod
from mlspring.kit import style

MOST = 6  # layers and heads that are drawn; the CSV has them all
Draw = Callable[[Run, Recipe, Data], None]


def of_method(method: TextMethod) -> Callable[[Draw], Draw]:
    """Return a decorator: the figure is drawn where its method is in the recipe."""

    def decorate(draw: Draw) -> Draw:
        @wraps(draw)
        def drawn(run: Run, recipe: Recipe, data: Data) -> None:
            if method in recipe.explain.methods:
                return draw(run, recipe, data)
            return absent(run, draw.__name__)

        return drawn

    return decorate


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
