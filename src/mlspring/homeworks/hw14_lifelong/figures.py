"""The report figures of homework 14, each with the numbers behind it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from mlspring.core.runs import Run
from mlspring.homeworks.hw14_lifelong import metrics
from mlspring.homeworks.hw14_lifelong.data import SIDE, Data
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.homeworks.hw14_lifelong.outcomes import outcome
from mlspring.kit import style

Outcomes = Sequence[dict[str, Any]]


def draw(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw every figure of the spec into ``run.figures``."""
    outcomes = [outcome(run, number) for number in range(recipe.num_members)]
    with style.house_style():
        learning_curves(run, outcomes)
        task_matrix(run, outcomes)
        importance_maps(run, outcomes)
        methods(run, outcomes)


def learning_curves(run: Run, outcomes: Outcomes) -> None:
    """Draw the course's metric against the steps, one line a method, one panel a scenario."""
    log = run.read_log()
    names = list(dict.fromkeys(found["scenario"] for found in outcomes))
    figure = style.new_figure(max(7.6, 4.6 * len(names)), 4.6)
    panels = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
    for axes, scenario in zip(panels, names, strict=True):
        mine = [(n, f) for n, f in enumerate(outcomes) if f["scenario"] == scenario]
        for index, (number, found) in enumerate(mine):
            points = [(e["step"], e["valid/accuracy"]) for e in log if e["member"] == number]
            axes.plot(
                *zip(*points, strict=True), label=METHODS[found["method"]].title, **_look(index)
            )
        entries = [e for e in log if e["member"] == mine[0][0]]
        _mark_tasks(axes, entries, mine[0][1]["tasks"])
        axes.set_xlim(left=0)
        axes.set_xlabel("updates of the weights")
        title = "Mean accuracy over the tasks seen so far"
        axes.set_title(title if len(names) == 1 else f"Scenario {scenario}")
    panels[0].set_ylabel("% of test images")
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low - 0.06 * (high - low), high)  # room for the tasks' names
    lines = panels[0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside right center", fontsize=8, handlelength=4)
    header = ("scenario", "method", "step", "task", "valid/accuracy", "valid/loss", "train/loss")
    rows = [[entry.get(key, "") for key in header] for entry in log]
    style.save(figure, run.figures, "learning_curves", header, rows)


def _look(index: int) -> dict[str, Any]:
    """Return colour, line and marker of the n-th method: told apart in grey, too."""
    count = len(style.COLOURS)
    return {
        "color": style.COLOURS[index % count],
        "linestyle": style.LINE_STYLES[(index + index // count) % len(style.LINE_STYLES)],
        "marker": style.MARKERS[(index + 3 * (index // count)) % len(style.MARKERS)],
        "markersize": 3.5,
        "linewidth": 1.4,
    }


def _mark_tasks(axes: Axes, entries: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """Draw where each task ends, with the task's name above its stretch."""
    begin = 0
    for number, name in enumerate(names, start=1):
        end = max((e["step"] for e in entries if e["task"] == number), default=begin)
        if number < len(names):
            axes.axvline(end, color="#999999", linewidth=0.8, zorder=0)
        place = axes.get_xaxis_transform()
        middle = (begin + end) / 2
        axes.text(middle, 0.01, name, ha="center", va="bottom", fontsize=7.5, transform=place)
        begin = end


def task_matrix(run: Run, outcomes: Outcomes) -> None:
    """Draw the accuracy on every task after every task, which the metric's mean hides."""
    columns = min(4, len(outcomes))
    rows = -(-len(outcomes) // columns)
    figure = style.new_figure(2.3 * columns + 0.9, 2.35 * rows + 0.5)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    picture = None
    for axes in panels:
        style.hide_axes(axes)
    for axes, found in zip(panels, outcomes, strict=False):
        matrix = np.array(found["matrix"])[1:]
        picture = axes.imshow(matrix, cmap="Greys", vmin=0, vmax=100)
        for (i, j), value in np.ndenumerate(matrix):
            ink = "white" if value > 55 else "black"
            axes.text(j, i, f"{value:.0f}", ha="center", va="center", color=ink, fontsize=7)
        axes.set_title(_name(found, outcomes), fontsize=9)
        axes.set_xticks(range(len(matrix)), found["tasks"], fontsize=6, rotation=45)
        axes.set_yticks(range(len(matrix)), range(1, len(matrix) + 1), fontsize=6)
    if picture is not None:
        figure.colorbar(picture, ax=figure.axes, shrink=0.6, label="% of test images")
    figure.suptitle("Accuracy on each task (column) after each task learnt (row)", fontsize=11)
    header = ("scenario", "method", "tasks learnt", "task", "accuracy")
    table = [
        (found["scenario"], found["method"], k, found["tasks"][j], round(value, 3))
        for found in outcomes
        for k, values in enumerate(found["matrix"])
        for j, value in enumerate(values)
    ]
    style.save(figure, run.figures, "task_matrix", header, table)


def importance_maps(run: Run, outcomes: Outcomes) -> None:
    """Draw how much the weights of each pixel are guarded, each map on its own scale.

    Importances of different methods differ by orders, so only their shapes can be compared.
    """
    guarding = [found for found in outcomes if "pixels" in found]
    rows = len({found["scenario"] for found in guarding}) or 1
    columns = max(-(-len(guarding) // rows), 1)
    figure = style.new_figure(2.1 * max(columns, 2) + 0.4, 2.7 * rows + 0.4)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels:
        style.hide_axes(axes)
    for axes, found in zip(panels, guarding, strict=False):
        axes.imshow(np.array(found["pixels"]).reshape(SIDE, SIDE), cmap="Greys", vmin=0)
        axes.set_title(_name(found, outcomes), fontsize=9, loc="center")
        axes.set_xlabel(f"sum over all weights\n{_short(found['importance'])}", fontsize=7.5)
    if not guarding:
        words = "no method of this run guards weights:\ntry ewc, mas, si, rwalk, scp or all"
        panels[0].text(0.5, 0.5, words, ha="center", va="center", transform=panels[0].transAxes)
    title = "Importance of the first layer's weights, by pixel"
    scale = "" if not guarding else "\n(black: the most, each map on its own scale)"
    figure.suptitle(title + scale, fontsize=11)
    header = ("scenario", "method", "row", "column", "importance")
    table = [
        (found["scenario"], found["method"], *divmod(index, SIDE), value)
        for found in guarding
        for index, value in enumerate(found["pixels"])
    ]
    style.save(figure, run.figures, "importance_maps", header, table)


def _short(value: float) -> str:
    """Return a number with three digits, whole from a thousand on: 0.0314, 44.6, 4,120."""
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 1000 else f"{value:.3g}"


TABLE = ("scenario", "method", "ACC", "BWT", "FWT", "forgetting", "plasticity", "seconds", "kept")
HATCHES = ("", "//", "..")  # of the scenarios: told apart in grey, too


def methods(run: Run, outcomes: Outcomes) -> None:
    """Draw each method's final accuracy by scenario; the CSV is the run's table of methods."""
    kinds = list(dict.fromkeys(found["scenario"] for found in outcomes))
    names = list(dict.fromkeys(found["method"] for found in outcomes))
    figure = style.new_figure(7.4, 0.34 * len(names) * max(1, 0.6 * len(kinds)) + 1.5)
    axes = figure.subplots()
    height = 0.8 / len(kinds)
    rows = table(run, outcomes)
    final = {(row[0], row[1]): row[2] for row in rows}
    for index, kind in enumerate(kinds):
        places = [n + (index - (len(kinds) - 1) / 2) * height for n in range(len(names))]
        values = [final[kind, name] for name in names]
        axes.barh(
            places,
            values,
            height,
            color=style.COLOURS[index],
            hatch=HATCHES[index],
            edgecolor="white",
            label=f"scenario {kind}",
        )
        for place, value in zip(places, values, strict=True):
            axes.text(value + 0.6, place, f"{value:.1f}", va="center", fontsize=7.5)
    axes.set_yticks(range(len(names)), [METHODS[name].title for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 108)
    axes.set_xlabel("% of test images, mean over all tasks after the last one")
    axes.set_title("What is left after the last task")
    if len(kinds) > 1:
        figure.legend(loc="outside lower center", ncols=len(kinds), fontsize=8)
    style.save(figure, run.figures, "methods", TABLE, rows)


def table(run: Run, outcomes: Outcomes) -> list[tuple[Any, ...]]:
    """Return a row of ``TABLE`` for each network, in the order of training; ``kept`` in MiB."""
    log = run.read_log()
    rows = []
    for number, found in enumerate(outcomes):
        matrix = found["matrix"]
        numbers = [
            measured(matrix)
            for measured in (
                metrics.final_accuracy,
                metrics.backward_transfer,
                metrics.forward_transfer,
                metrics.forgetting,
                metrics.plasticity,
            )
        ]
        seconds = max((e["seconds"] for e in log if e["member"] == number), default=0.0)
        costs = round(seconds, 1), round(found["kept"] / 2**20, 2)
        rows.append((found["scenario"], found["method"], *(round(n, 2) for n in numbers), *costs))
    return rows


def _name(found: dict[str, Any], outcomes: Outcomes) -> str:
    """Return a network's name, with its scenario where the run has several."""
    title = METHODS[found["method"]].title
    several = len({other["scenario"] for other in outcomes}) > 1
    return f"{title}, {found['scenario']}" if several else title
