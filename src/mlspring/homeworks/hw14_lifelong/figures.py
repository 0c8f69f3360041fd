"""The report figures of homework 14, each with the numbers behind it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlspring.core.runs import Run
from mlspring.homeworks.hw14_lifelong import metrics
from mlspring.homeworks.hw14_lifelong.data import SIDE, Data
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.homeworks.hw14_lifelong.train import outcome
from mlspring.kit import style

MEASURES = {
    "ACC": metrics.final_accuracy,
    "BWT": metrics.backward_transfer,
    "FWT": metrics.forward_transfer,
    "forgetting": metrics.forgetting,
    "plasticity": metrics.plasticity,
}


def learning_curves(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw the course's metric against the steps, one line a method, one panel a scenario."""
    log, outcomes = run.read_log(), _outcomes(run, recipe)
    scenarios = recipe.data.scenarios
    figure = style.new_figure(max(7.6, 4.6 * len(scenarios)), 4.6)
    panels = figure.subplots(1, len(scenarios), squeeze=False, sharey=True)[0]
    for axes, scenario in zip(panels, scenarios, strict=True):
        numbers = [n for n, (other, _) in enumerate(recipe.members) if other == scenario]
        for index, number in enumerate(numbers):
            points = [(e["step"], e["valid/accuracy"]) for e in log if e["member"] == number]
            title = METHODS[outcomes[number]["method"]].title
            turn = (index + index // 7) % 7  # the eighth has the first's colour, but not its line
            look = {"linestyle": style.LINE_STYLES[turn], "marker": style.MARKERS[turn]}
            axes.plot(*zip(*points, strict=True), label=title, markersize=3.5, **look)
        _mark_tasks(axes, recipe.train.steps_per_task, outcomes[numbers[0]]["tasks"])
        axes.set_xlabel("updates of the weights")
        title = "Mean accuracy over the tasks seen so far"
        axes.set_title(title if len(scenarios) == 1 else f"Scenario {scenario}")
    panels[0].set_ylabel("% of test images")
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low - 0.06 * (high - low), high)  # room for the tasks' names
    lines = panels[0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside right center", fontsize=8, handlelength=4)
    header = ("scenario", "method", "step", "task", "valid/accuracy", "valid/loss", "train/loss")
    rows = [[entry.get(key, "") for key in header] for entry in log]
    style.save(figure, run.figures, "learning_curves", header, rows)


def task_matrix(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw the accuracy on every task after every task, which the metric's mean hides."""
    outcomes = _outcomes(run, recipe)
    size = 0.46 * recipe.data.num_tasks  # room for two digits in a cell
    figure, panels = _panels(len(outcomes), min(4, len(outcomes)), (size, size + 0.4))
    for axes, network in zip(panels, outcomes, strict=False):
        matrix = np.array(network["matrix"])[1:]
        picture = axes.imshow(matrix, cmap="Greys", vmin=0, vmax=100)
        for (i, j), value in np.ndenumerate(matrix):
            ink = "white" if value > 55 else "black"
            axes.text(j, i, f"{value:.0f}", ha="center", va="center", color=ink, fontsize=7)
        axes.set_title(_name(network, recipe), fontsize=9, loc="center")
        axes.set_xticks(range(len(matrix)), network["tasks"], fontsize=6, rotation=45)
        axes.set_yticks(range(len(matrix)), [str(k + 1) for k in range(len(matrix))], fontsize=6)
    figure.colorbar(picture, ax=figure.axes, shrink=0.6, label="% of test images")
    figure.suptitle("Accuracy on each task (column) after each task learnt (row)", fontsize=11)
    rows = [
        (network["scenario"], network["method"], k, network["tasks"][j], round(value, 3))
        for network in outcomes
        for k, values in enumerate(network["matrix"])
        for j, value in enumerate(values)
    ]
    header = ("scenario", "method", "tasks learnt", "task", "accuracy")
    style.save(figure, run.figures, "task_matrix", header, rows)


def importance_maps(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw how important the weights of each pixel are, each map on its own scale.

    Importances of different methods differ by orders, so only their shapes can be compared.
    """
    measured = [network for network in _outcomes(run, recipe) if "pixels" in network]
    columns = len(measured) // len(recipe.data.scenarios) or 1
    figure, panels = _panels(len(measured) or 1, columns, (2.1, 3.0))
    for axes, network in zip(panels, measured, strict=False):
        axes.imshow(np.array(network["pixels"]).reshape(SIDE, SIDE), cmap="Greys", vmin=0)
        axes.set_title(_name(network, recipe), fontsize=9, loc="center")
        total = network["importance"]  # three digits, whole from a thousand on: 0.0314, 44.6, 4,120
        shown = f"{float(f'{total:.3g}'):,.0f}" if total >= 1000 else f"{total:.3g}"
        axes.set_xlabel(f"sum over all weights {shown}", fontsize=7.5)
    if not measured:
        words = "no method of this run measures importance:\ntry ewc, mas, si, rwalk, scp or all"
        panels[0].text(0.5, 0.5, words, ha="center", va="center", transform=panels[0].transAxes)
    title = "Importance of the first layer's weights, by pixel\n(black: the most in each map)"
    figure.suptitle(title, fontsize=11)
    header = ("scenario", "method", "row", "column", "importance")
    table = [
        (network["scenario"], network["method"], *divmod(index, SIDE), value)
        for network in measured
        for index, value in enumerate(network["pixels"])
    ]
    style.save(figure, run.figures, "importance_maps", header, table)


def methods(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw each method's final accuracy by scenario; the CSV is the run's table of methods."""
    scenarios, names = recipe.data.scenarios, recipe.method.names
    log, rows = run.read_log(), []
    for number, network in enumerate(_outcomes(run, recipe)):
        measured = [round(measure(network["matrix"]), 2) for measure in MEASURES.values()]
        seconds = max((e["seconds"] for e in log if e["member"] == number), default=0.0)
        measured += [round(seconds, 1), round(network["kept"] / 2**20, 2)]
        rows.append((network["scenario"], network["method"], *measured))
    figure = style.new_figure(7.4, 0.34 * len(names) * max(1, 0.6 * len(scenarios)) + 1.5)
    axes, height = figure.subplots(), 0.8 / len(scenarios)
    for index, scenario in enumerate(scenarios):
        ys = [n + (index - (len(scenarios) - 1) / 2) * height for n in range(len(names))]
        values = [row[2] for row in rows if row[0] == scenario]
        hatch = ("", "//", "..")[index]  # told apart in grey, too
        look = {"color": style.COLOURS[index], "hatch": hatch, "edgecolor": "white"}
        axes.barh(ys, values, height, label=f"scenario {scenario}", **look)  # type: ignore[arg-type]
        for y, value in zip(ys, values, strict=True):
            axes.text(value + 0.6, y, f"{value:.1f}", va="center", fontsize=7.5)
    axes.set_yticks(range(len(names)), [METHODS[name].title for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 108)
    axes.set_xlabel("% of test images, mean over all tasks after the last one")
    axes.set_title("What is left after the last task")
    if len(scenarios) > 1:
        figure.legend(loc="outside lower center", ncols=len(scenarios), fontsize=8)
    header = ("scenario", "method", *MEASURES, "seconds", "kept")
    style.save(figure, run.figures, "methods", header, rows)


def _outcomes(run: Run, recipe: Recipe) -> list[dict[str, Any]]:
    return [outcome(run, number) for number in range(len(recipe.members))]


def _panels(count: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``count`` panels or a few more, all empty, each of ``size`` inches."""
    rows = -(-count // columns)
    figure = style.new_figure(max(size[0] * columns + 0.9, 4.6), size[1] * rows + 1)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels:
        style.hide_axes(axes)
    return figure, panels


def _name(network: dict[str, Any], recipe: Recipe) -> str:
    """Return a network's name, with its scenario in a second line where the run has several."""
    title = METHODS[network["method"]].title
    return f"{title}\n{network['scenario']}" if len(recipe.data.scenarios) > 1 else title


def _mark_tasks(axes: Axes, steps: int, names: Sequence[str]) -> None:
    """Draw where each task of ``steps`` updates ends, with the task's name above its stretch."""
    transform = axes.get_xaxis_transform()
    for number, name in enumerate(names):
        if number:
            axes.axvline(number * steps, color="#999999", linewidth=0.8, zorder=0)
        text = axes.text((number + 0.5) * steps, 0.01, name, transform=transform, fontsize=7.5)
        text.set(ha="center", va="bottom")
    axes.set_xlim(left=0)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "learning_curves": learning_curves,
    "task_matrix": task_matrix,
    "importance_maps": importance_maps,
    "methods": methods,
}
