"""The report figures of homework 13, each with the numbers behind it."""

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from mlspring.core.files import read_json
from mlspring.core.runs import Run
from mlspring.core.texts import count
from mlspring.homeworks.hw13_compression import compress
from mlspring.homeworks.hw13_compression.architecture import MAX_PARAMETERS
from mlspring.homeworks.hw13_compression.compress import Measured
from mlspring.homeworks.hw13_compression.data import NUM_CLASSES, Data
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.train import held_out_confusion
from mlspring.kit import charts, style
from mlspring.worlds.food import CLASS_NAMES

CURVES = {
    "layer": "smallest weights of each layer to zero, no training after",
    "channels": "weakest channels taken out, no training after",
}
BATCH = "64"  # pictures, of which q3 shows the time


def q1_parameters(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the student layer by layer: parameters beside multiply-adds."""
    layers = read_json(compress.path(run))["layers"]
    figure = style.new_figure(9.5, 1.8 + 0.22 * len(layers))
    panels = figure.subplots(1, 2, sharey=True)
    units = {
        "parameters": f"parameters, {MAX_PARAMETERS:,} in all allowed",
        "macs": "multiply-adds for one picture",
    }
    for axes, (key, unit), colour in zip(panels, units.items(), style.COLOURS, strict=False):
        axes.barh(range(len(layers)), [layer[key] for layer in layers], color=colour)
        axes.set_title(f"{sum(layer[key] for layer in layers):,}", fontsize=10)
        axes.set_xlabel(unit)
        axes.margins(x=0.12)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    names = [f"{layer['name']} ({layer['kind']})" for layer in layers]
    panels[0].set_yticks(range(len(layers)), names, fontsize=7)
    panels[0].invert_yaxis()
    rows = [[layer[key] for key in ("name", "kind", "parameters", "macs")] for layer in layers]
    header = ("layer", "kind", "parameters", "multiply-adds")
    style.save(figure, run.figures, "q1_parameters", header, rows)


def q2_temperature(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the soft labels at several temperatures: mean probability by rank."""
    measured = read_json(compress.path(run))
    softness: dict[str, list[float]] = measured["softness"]
    figure = style.new_figure(6.4, 3.6)
    axes = figure.subplots()
    ranks = range(1, NUM_CLASSES + 1)
    for number, (temperature, probabilities) in enumerate(softness.items()):
        axes.plot(ranks, probabilities, marker=style.MARKERS[number], label=f"T = {temperature}")
    axes.set_yscale("log")
    axes.set_xticks(ranks)
    axes.set_xlabel("classes from most to least likely")
    axes.set_ylabel("mean probability")
    axes.set_title(f"A higher temperature softens the {measured['softness_of']}'s labels")
    axes.legend()
    rows = [(t, *(f"{p:.6g}" for p in ps)) for t, ps in softness.items()]
    header = ("temperature", *(f"rank {rank}" for rank in ranks))
    style.save(figure, run.figures, "q2_temperature", header, rows)


def q3_pruning(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw accuracy against the share removed, of the teacher where there is one and the student.

    Beside them what fine-tuning wins back, and what each change does to the time of a batch.
    """
    measured = read_json(compress.path(run))
    networks = {"teacher": measured["teacher_pruning"], "student": measured["pruning"]}
    networks = {name: curves for name, curves in networks.items() if curves}
    figure = style.new_figure(4.4 * len(networks) + 3.4, 4.3)
    widths = [*(4.4 for _ in networks), 2.6]
    *panels, times = figure.subplots(1, len(networks) + 1, width_ratios=widths)
    rows: list[tuple[Any, ...]] = []
    for axes, (name, curves) in zip(panels, networks.items(), strict=True):
        for number, (key, label) in enumerate(CURVES.items()):
            shares, accuracies = zip(*curves[key], strict=True)
            axes.plot(shares, accuracies, marker=style.MARKERS[number], markersize=3.5, label=label)
            rows += [(name, key, s, round(a, 5)) for s, a in curves[key]]
        axes.set_xlabel("share removed")
        axes.set_ylim(0, 1)
        axes.set_title(f"{name.capitalize()}, {curves['pictures']:,} pictures", fontsize=10)
    panels[0].set_ylabel("share of held-out pictures right")
    copies = [row for row in measured["networks"] if row["name"].startswith("pruned")]
    removed = [round(1 - share, 4) for share in recipe.compress.keep]
    tuned = [(s, row["accuracy"]) for s, row in zip(removed, copies, strict=True)]
    if tuned:
        label = f"taken out, then fine-tuned ({measured['held_out']:,} pictures)"
        panels[-1].plot(*zip(*tuned, strict=True), "k*", markersize=9, label=label)
        rows += [("student", "channels, fine-tuned", s, round(a, 5)) for s, a in tuned]
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, loc="outside lower center", ncols=2)
    rows += _latency(times, measured)
    header = ("network", "change", "share removed, or batch size", "accuracy, or milliseconds")
    style.save(figure, run.figures, "q3_pruning", header, rows)


def _latency(axes: Axes, measured: Measured) -> list[tuple[Any, ...]]:
    """Draw the milliseconds of a batch of 64: masks save none; fewer channels and int8 do."""
    bars = {"dense": measured["networks"][0]["milliseconds"][BATCH]}
    bars["half zero"] = measured["masked_milliseconds"][BATCH]
    for row in measured["networks"][1:]:
        if not row["name"].startswith("teacher"):
            bars[shown(row["name"])] = row["milliseconds"][BATCH]
    drawn = axes.bar(range(len(bars)), list(bars.values()), color=style.COLOURS[3])
    axes.bar_label(drawn, fmt="{:.3g}", fontsize=8)
    axes.set_xticks(range(len(bars)), list(bars), rotation=35, ha="right", fontsize=8)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(f"ms a batch of {BATCH}, {count(measured['threads'], 'thread')}")
    axes.set_title("Student's time", fontsize=10)
    return [("student", name, BATCH, value) for name, value in bars.items()]


def shown(name: str) -> str:
    """Return how a figure calls a network: ``50 % kept`` for ``pruned-50``, ``int8``."""
    kind, dash, share = name.partition("-")
    return f"{share} % kept" if dash and kind == "pruned" else name.removeprefix("student, ")


def learning_curves(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw loss and accuracy of the student against the epoch, training and held out.

    The training loss is what is minimised, which may hold more than the held-out cross-entropy.
    """
    log = [entry for entry in run.read_log() if entry["member"] == 0]
    also = "\n(training: soft labels, too)" if recipe.distill.weight else ""
    charts.loss_and_accuracy(log, run.figures, loss=f"cross entropy, nats{also}")


def confusion(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw which class is taken for which, on held-out pictures."""
    charts.confusion(held_out_confusion(run), CLASS_NAMES, run.figures)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_parameters": q1_parameters,
    "q2_temperature": q2_temperature,
    "q3_pruning": q3_pruning,
    "learning_curves": learning_curves,
    "confusion": confusion,
}
