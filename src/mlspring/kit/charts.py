"""Charts that homeworks share: how a network learned, and what a classifier confuses."""

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeGuard

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from mlspring.core.files import atomic_path
from mlspring.kit import style

Entries = Sequence[Mapping[str, Any]]

PARTS: tuple[tuple[str, str, str, Literal["-", "--"]], ...] = (
    ("train", "training", style.COLOURS[0], "-"),
    ("valid", "held out", style.COLOURS[1], "--"),  # lighter than the first in grey, too
)
MOST_PANELS = 6
MANY_TIMES = 20  # from the smallest value to the largest: what a scale of factors shows better
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
    for part, label, colour, line in PARTS:
        of_members = _series(entries, f"{part}/{name}", against)
        for number, points in enumerate(of_members):
            axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                color=colour,
                linestyle=line,
                alpha=1 if len(of_members) == 1 else 0.7,
                marker="." if len(points) < FEWEST_POINTS else None,
                label=label if number == 0 else None,
            )


def _series(entries: Entries, key: str, against: str) -> list[list[tuple[float, float]]]:
    """Return the points of a value, a list a member that has any; what is no number is left out."""
    of_members: dict[Any, list[tuple[float, float]]] = {}
    for entry in entries:
        x, y = entry.get(against), entry.get(key)
        if _is_number(x) and _is_number(y):
            of_members.setdefault(entry.get("member", 0), []).append((float(x), float(y)))
    return [of_members[member] for member in sorted(of_members, key=str)]


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and math.isfinite(value)


def overlay(logs: Mapping[str, Entries], path: Path, *, title: str) -> bool:
    """Write the curves of several runs over one another as a PNG; return whether there are any.

    Args:
        logs: label of a run -> its log; at most as many as there are colours.
        path: of the PNG.
        title: of the figure.
    """
    with style.house_style():
        figure = _overlaid(logs, title)
        if figure is not None:
            with atomic_path(path) as partial:
                figure.savefig(partial, format="png", metadata={"Software": None})
    return figure is not None


def from_log(entries: Entries, folder: Path, *, title: str) -> bool:
    """Write ``learning_curves`` of any log, one panel a quantity; return whether it has curves."""
    with style.house_style():
        figure = _overlaid({"": entries}, title)
        if figure is not None:
            header = list(dict.fromkeys(key for entry in entries for key in entry))
            rows = [[entry.get(key, "") for key in header] for entry in entries]
            style.save(figure, folder, "learning_curves", header, rows)
    return figure is not None


def _overlaid(logs: Mapping[str, Entries], title: str) -> Figure | None:
    """Return a figure with one panel a quantity and one colour a run; None without curves."""
    every = [entry for entries in logs.values() for entry in entries]
    against = "epoch" if every and all("epoch" in e for e in every) else "step"
    names = [name for name in _quantities(every) if _has_curve(logs, name, against)]
    if not names:
        return None
    columns = min(len(names), 2)
    rows = math.ceil(len(names) / columns)
    figure = style.new_figure(4.2 * columns + 0.4, 3.0 * rows + 0.8)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes, name in itertools.zip_longest(panels.flat, names):
        if name is None:
            axes.set_axis_off()
            continue
        for entries, colour in zip(logs.values(), style.COLOURS, strict=False):
            for part, _, _, line in PARTS:
                for points in _series(entries, f"{part}/{name}", against):
                    axes.plot(*zip(*points, strict=True), color=colour, linestyle=line, alpha=0.8)
        values = [float(y) for line in axes.get_lines() for y in line.get_ydata()]
        if min(values) > 0 and max(values) > MANY_TIMES * min(values):
            axes.set_yscale("log")
        axes.set_xlabel(against)
        axes.set_title(name.replace("_", " ").capitalize())
    keys = [
        *(Line2D([], [], color=c, label=n) for n, c in zip(logs, style.COLOURS, strict=False) if n),
        *(Line2D([], [], color="#666666", linestyle=ls, label=said) for _, said, _, ls in PARTS),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=min(len(keys), 3))
    figure.suptitle(title)
    return figure


def _quantities(entries: Entries) -> list[str]:
    """Return the names that stand behind ``train/`` and ``valid/``; those of both parts first."""
    by_part = {
        part: dict.fromkeys(
            key.removeprefix(f"{part}/") for e in entries for key in e if key.startswith(f"{part}/")
        )
        for part, *_ in PARTS
    }
    names = list(dict.fromkeys(name for part in ("valid", "train") for name in by_part[part]))
    return sorted(names, key=lambda name: not all(name in part for part in by_part.values()))[
        :MOST_PANELS
    ]


def _has_curve(logs: Mapping[str, Entries], name: str, against: str) -> bool:
    return any(
        len(points) > 1
        for entries in logs.values()
        for part, *_ in PARTS
        for points in _series(entries, f"{part}/{name}", against)
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
    shares = [[100 * n / max(sum(row), 1) for n in row] for row in table]
    side = max(4.6, 1.64 + 0.36 * len(names))  # the title wants room, and each cell its number
    figure = style.new_figure(side + 1.0, side)
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Greys", vmin=0, vmax=100)
    for i, j in itertools.product(range(len(names)), repeat=2):
        if shares[i][j] >= 0.5:
            ink = "white" if shares[i][j] > 50 else "black"
            axes.text(j, i, f"{shares[i][j]:.0f}", ha="center", va="center", color=ink, size=8)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.grid(visible=False)
    axes.set_title(f"Held-out {items}, % of each true class")
    figure.colorbar(picture, ax=axes, shrink=0.7, label="% of the true class")
    header = ("true \\ predicted", *names)
    rows = [(name, *row) for name, row in zip(names, table, strict=True)]
    style.save(figure, folder, "confusion", header, rows)
