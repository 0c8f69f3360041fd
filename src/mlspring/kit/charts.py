"""Charts that homeworks share: how a network learned, and what a classifier confuses."""

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from torch import Tensor

from mlspring.kit import style

Entries = Sequence[Mapping[str, Any]]

PARTS = (
    ("train", "training", style.COLOURS[0], "-"),
    ("valid", "held out", style.COLOURS[4], "--"),
)
FEWEST_POINTS = 3  # of a line that shows without marks


def curves(axes: Axes, entries: Entries, name: str, *, against: str = "epoch") -> None:
    """Draw a value on training and held-out items, one line a member, into ``axes``.

    What is not logged at a moment, or not finite, leaves no point.

    Args:
        axes: where to draw.
        entries: of the run's log.
        name: of the value: ``loss`` for ``train/loss`` and ``valid/loss``.
        against: key of the horizontal axis, ``epoch`` or ``step``.
    """
    members = sorted({entry["member"] for entry in entries})
    for part, label, colour, line in PARTS:
        key = f"{part}/{name}"
        for member in members:
            mine = [e for e in entries if e["member"] == member and key in e]
            points = [(e[against], e[key]) for e in mine if math.isfinite(e[key])]
            axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                color=colour,
                linestyle=line,
                alpha=1 if len(members) == 1 else 0.7,
                marker="." if len(points) < FEWEST_POINTS else None,
                label=label if member == members[0] else None,
            )


def loss_and_accuracy(
    entries: Entries,
    folder: Path,
    *,
    loss: str = "cross entropy, nats",
    items: str = "pictures",
    epoch: str = "epoch",
) -> None:
    """Write ``learning_curves``: loss and accuracy side by side against the epoch.

    Args:
        entries: of the run's log.
        folder: of the run's figures.
        loss: what the loss is, with its unit.
        items: what is classified.
        epoch: what the horizontal axis counts.
    """
    figure = style.new_figure(7.2, 3.5)
    panels = figure.subplots(1, 2)
    units = {"loss": loss, "accuracy": f"share of {items} right"}
    for axes, (name, unit) in zip(panels, units.items(), strict=True):
        curves(axes, entries, name)
        axes.set_xlabel(epoch)
        axes.set_ylabel(unit)
        axes.set_title(name.capitalize())
    names = panels[1].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=len(PARTS))  # where it covers no line
    header = ("member", "epoch", "train/loss", "valid/loss", "train/accuracy", "valid/accuracy")
    rows = [[entry.get(key, "") for key in header] for entry in entries]
    style.save(figure, folder, "learning_curves", header, rows)


def confusion(
    counts: Tensor, names: Sequence[str], folder: Path, *, items: str = "pictures"
) -> None:
    """Write ``confusion``: which class is taken for which, each row in % of its true class.

    Args:
        counts: how often class i was taken for class j, (num_classes, num_classes).
        names: of the classes.
        folder: of the run's figures.
        items: what is classified.
    """
    table = counts.tolist()
    shares = [[n / max(sum(row), 1) for n in row] for row in table]
    side = max(4.6, 1.64 + 0.36 * len(names))  # the title wants room, and each cell its number
    figure = style.new_figure(side + 1.0, side)
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Greys", vmin=0, vmax=1)
    for i, j in itertools.product(range(len(names)), repeat=2):
        if shares[i][j] >= 0.005:
            ink = "white" if shares[i][j] > 0.5 else "black"
            text = f"{100 * shares[i][j]:.0f}"
            axes.text(j, i, text, ha="center", va="center", color=ink, size=8)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.grid(visible=False)
    axes.set_title(f"Held-out {items}, % of each true class")
    figure.colorbar(picture, ax=axes, shrink=0.7, label="share of the true class")
    header = ("true \\ predicted", *names)
    rows = [(name, *row) for name, row in zip(names, table, strict=True)]
    style.save(figure, folder, "confusion", header, rows)
