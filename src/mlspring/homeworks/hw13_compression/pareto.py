"""The figure of what each way of compressing costs and gives, with its frontier."""

import math
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, FixedLocator, NullFormatter

from mlspring.core.runs import Run
from mlspring.core.texts import count
from mlspring.homeworks.hw13_compression.architecture import MAX_PARAMETERS
from mlspring.kit import style

Facts = dict[str, Any]
COSTS: dict[str, Callable[[Facts], float]] = {
    "parameters": itemgetter("parameters"),
    "multiply-adds a picture": itemgetter("macs"),
    "bytes of the file": itemgetter("bytes"),
    "ms for 1 picture": lambda row: row["milliseconds"]["1"],
    "ms for 64 pictures": lambda row: row["milliseconds"]["64"],
}
LINE = {"color": "#555555", "linewidth": 0.9, "zorder": 1, "label": "frontier"}


def pareto(run: Run, facts: Facts) -> None:
    """Draw accuracy against each cost, and the numbers side by side below.

    Up and to the left is better; no single cost tells all. A line joins the frontier: the networks
    that no other beats in accuracy at that cost or less.
    """
    networks = facts["networks"]
    costs = {key: [cost(row) for row in networks] for key, cost in COSTS.items()}
    figure = style.new_figure(12.5, 4.1 + 0.25 * len(networks))
    above, below = figure.subfigures(2, 1, height_ratios=(3.0, 0.8 + 0.25 * len(networks)))
    panels = above.subplots(1, len(costs), sharey=True)
    accuracies = [row["accuracy"] for row in networks]
    for axes, (label, values) in zip(panels, costs.items(), strict=True):
        best = frontier(values, accuracies)
        axes.plot([values[i] for i in best], [accuracies[i] for i in best], **LINE)
        for number, (row, value) in enumerate(zip(networks, values, strict=True)):
            axes.plot(value, row["accuracy"], **_mark(number), label=shown(row["name"]))
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(log_ticks(min(values), max(values))))
        axes.xaxis.set_major_formatter("{x:g}" if max(values) < 1000 else EngFormatter(sep=""))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(0.08)
        axes.set_xlabel(label)
    panels[0].axvline(MAX_PARAMETERS, color="#777777", linewidth=0.8, linestyle=":")
    panels[0].set_ylabel("share of held-out pictures right")
    handles, labels = panels[0].get_legend_handles_labels()
    above.legend(handles, labels, loc="outside lower center", ncols=len(networks) + 1, fontsize=8)
    _numbers(below.subplots(), networks, costs)
    times = f"{count(facts['threads'], 'thread')}, median of {count(facts['repeats'], 'turn')}"
    note = "" if facts["int8"] == "measured" else f"; {facts['int8']}"
    below.suptitle(f"{facts['held_out']:,} held-out pictures; times: {times}{note}", fontsize=8)
    header = ("network", "accuracy", "parameters", "multiply-adds", "bytes", "ms 1", "ms 64")
    header += ("threads", "repeats")
    ends = (facts["threads"], facts["repeats"])
    rows = [
        (row["name"], round(row["accuracy"], 5), *values, *ends)
        for row, *values in zip(networks, *costs.values(), strict=True)
    ]
    style.save(figure, run.figures, "pareto", header, rows)


def frontier(costs: Sequence[float], accuracies: Sequence[float]) -> list[int]:
    """Return which networks no other dominates, cheapest first.

    One dominates another that costs as much or more and is right as often or less, unless both are
    equal.
    """
    points = list(zip(costs, accuracies, strict=True))
    return sorted(
        (
            number
            for number, (cost, accuracy) in enumerate(points)
            if not any(
                other != (cost, accuracy) and other[0] <= cost and other[1] >= accuracy
                for other in points
            )
        ),
        key=points.__getitem__,
    )


def _mark(number: int) -> dict[str, Any]:
    """Return the look of one network; every second mark is hollow and lets another show."""
    colour = style.COLOURS[number % len(style.COLOURS)]
    return {
        "marker": style.MARKERS[number % len(style.MARKERS)],
        "markersize": 7 + number % 2,
        "color": colour,
        "markerfacecolor": "none" if number % 2 else colour,
        "linestyle": "none",
    }


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers from ``low`` to ``high`` that leave each other room on a log axis.

    The coarsest of four scales of digits that gives three of them; ``low`` where none gives one.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    apart = (high / low) ** 0.2
    found: list[float] = []
    for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.2, 1.5, 1.8, 2.2, 3, 4, 5, 6, 8)):
        found = []
        for number in (digit * 10.0**decade for decade in decades for digit in digits):
            if low <= number <= high and (not found or number >= apart * found[-1]):
                found.append(number)
        if len(found) >= 3:
            break
    return found or [low]


def _numbers(axes: Axes, networks: list[Facts], costs: dict[str, list[float]]) -> None:
    """Write the numbers behind the points as a table."""
    style.hide_axes(axes)
    cells = [
        [
            f"{row['accuracy']:.3f}",
            *(f"{v:,}" if isinstance(v, int) else f"{v:.2f}" for v in values),
        ]
        for row, *values in zip(networks, *costs.values(), strict=True)
    ]
    table = axes.table(
        cells,
        rowLabels=[shown(row["name"]) for row in networks],
        colLabels=["accuracy", *costs],
        bbox=(0.12, 0, 0.88, 1),
        cellLoc="right",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    for cell in table.get_celld().values():
        cell.set_edgecolor("#d9d9d9")


def shown(name: str) -> str:
    """Return how figures call a network: ``50 % kept`` for ``pruned-50``."""
    kind, dash, share = name.partition("-")
    return f"{share} % kept" if dash and kind == "pruned" else name
