"""The report figures of homework 13, each with the numbers behind it."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

from mlspring.core.files import read_json
from mlspring.core.runs import Run
from mlspring.core.texts import count
from mlspring.homeworks.hw13_compression import compress
from mlspring.homeworks.hw13_compression.architecture import MAX_PARAMETERS
from mlspring.homeworks.hw13_compression.cost import separable_saving
from mlspring.homeworks.hw13_compression.data import CLASS_NAMES, NUM_CLASSES, Data
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.tasks import held_out_confusion
from mlspring.kit import charts, style

Facts = dict[str, Any]
CURVES = {
    "layer": "smallest weights of each layer to zero",
    "global": "smallest weights of the network to zero",
    "channels": "weakest channels taken out",
}


def draw(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw every figure of the spec into ``run.figures``."""
    facts = read_json(compress.path(run))
    with style.house_style():
        q1_parameters(run, facts)
        q2_temperature(run, facts)
        q3_pruning(run, recipe, facts)
        pareto(run, facts)
        learning_curves(run)
        confusion(run)


def q1_parameters(run: Run, facts: Facts) -> None:
    """Draw the student layer by layer: where the parameters are, and where the work is."""
    layers = facts["layers"]
    figure = style.new_figure(8.6, 1.6 + 0.17 * len(layers))
    panels = figure.subplots(1, 2, sharey=True)
    totals = [sum(layer[key] for layer in layers) for key in ("parameters", "macs")]
    places = range(len(layers))
    for axes, key, total, colour in zip(
        panels, ("parameters", "macs"), totals, style.COLOURS, strict=False
    ):
        axes.barh(places, [layer[key] for layer in layers], color=colour)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_title(f"{total:,} in all", loc="center")
    panels[0].set_yticks(places, [f"{x['name']} ({x['kind']})" for x in layers], fontsize=7)
    panels[0].invert_yaxis()
    panels[0].set_xlabel(f"parameters (at most {MAX_PARAMETERS:,})")
    panels[1].set_xlabel("multiply-adds for one picture")
    rows = [[x[key] for key in ("name", "kind", "parameters", "macs")] for x in layers]
    plain, separable = separable_saving(64, 64, 3)
    rows.append(["example: 3x3, 64 to 64 channels", "3x3", plain, ""])
    rows.append(["example: depthwise + pointwise", "3x3 depthwise, 1x1", separable, ""])
    header = ("layer", "kind", "parameters", "multiply-adds")
    style.save(figure, run.figures, "q1_parameters", header, rows)


def q2_temperature(run: Run, facts: Facts) -> None:
    """Draw the soft labels at several temperatures: mean probability by rank."""
    figure = style.new_figure(6.4, 3.6)
    axes = figure.subplots()
    ranks = range(1, NUM_CLASSES + 1)
    for number, (temperature, probabilities) in enumerate(facts["softness"].items()):
        axes.plot(ranks, probabilities, marker=style.MARKERS[number], label=f"T = {temperature}")
    axes.set_yscale("log")
    axes.set_xticks(ranks)
    axes.set_xlabel("classes from most to least likely")
    axes.set_ylabel("mean probability")
    axes.set_title(f"A higher temperature softens the {facts['softness_of']}'s labels")
    axes.legend()
    rows = [(t, *(f"{p:.6g}" for p in ps)) for t, ps in facts["softness"].items()]
    header = ("temperature", *(f"rank {rank}" for rank in ranks))
    style.save(figure, run.figures, "q2_temperature", header, rows)


def q3_pruning(run: Run, recipe: Recipe, facts: Facts) -> None:
    """Draw accuracy against the share removed, of the teacher where there is one and the student.

    Beside them what fine-tuning wins back, and what each way does to the time of a batch.
    """
    subjects = {"teacher": facts["teacher_pruning"], "student": facts["pruning"]}
    subjects = {name: curves for name, curves in subjects.items() if curves}
    figure = style.new_figure(4.4 * len(subjects) + 3.4, 4.3)
    *panels, times = figure.subplots(
        1, len(subjects) + 1, width_ratios=[*(4.4 for _ in subjects), 2.4]
    )
    rows: list[tuple[Any, ...]] = []
    for axes, (name, curves) in zip(panels, subjects.items(), strict=True):
        for number, (key, label) in enumerate(CURVES.items()):
            shares, accuracies = zip(*curves[key], strict=True)
            axes.plot(shares, accuracies, marker=style.MARKERS[number], markersize=3.5, label=label)
            rows += [(name, key, s, round(a, 5)) for s, a in curves[key]]
        axes.set_xlabel("share removed")
        axes.set_ylim(0, 1)
        axes.set_title(f"{name.capitalize()}, not trained afterwards", fontsize=10)
    panels[0].set_ylabel("share of held-out pictures right")
    tuned = _pruned(recipe, facts)
    if tuned:
        panels[-1].plot(
            *zip(*tuned, strict=True), "k*", markersize=9, label="taken out, then fine-tuned"
        )
        rows += [("student", "channels, fine-tuned", s, round(a, 5)) for s, a in tuned]
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, loc="outside lower center", ncols=2)
    rows += _latency(times, facts)
    header = ("network", "way", "share removed, or batch size", "accuracy, or milliseconds")
    style.save(figure, run.figures, "q3_pruning", header, rows)


def _pruned(recipe: Recipe, facts: Facts) -> list[tuple[float, float]]:
    """Return share removed and accuracy of the fine-tuned copies."""
    copies = [row for row in facts["networks"] if row["name"].startswith("pruned")]
    removed = (1 - share for share in recipe.compress.keep)
    return [(round(s, 4), row["accuracy"]) for s, row in zip(removed, copies, strict=True)]


def _latency(axes: Axes, facts: Facts) -> list[tuple[Any, ...]]:
    """Draw the milliseconds of a batch of 64: masks save none, smaller networks do."""
    batch = "64"
    bars = {"dense": facts["networks"][0]["milliseconds"][batch]}
    bars["half masked"] = facts["masked_milliseconds"][batch]
    for row in facts["networks"]:
        if row["name"].startswith("pruned"):
            bars[row["name"].replace("pruned-", "kept ") + " %"] = row["milliseconds"][batch]
    axes.bar(range(len(bars)), list(bars.values()), color=style.COLOURS[3])
    axes.set_xticks(range(len(bars)), list(bars), rotation=35, ha="right", fontsize=8)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(f"ms a batch of {batch}, {count(facts['threads'], 'thread')}")
    axes.set_title("Time", loc="center", fontsize=10)
    return [("student", name, batch, value) for name, value in bars.items()]


def pareto(run: Run, facts: Facts) -> None:
    """Draw accuracy against each cost; up and to the left is better, no single cost tells all."""
    costs = {
        "parameters": "parameters",
        "macs": "multiply-adds a picture",
        "bytes": "bytes of the file",
        "1": "ms for 1 picture",
        "64": "ms for 64 pictures",
    }
    networks = facts["networks"]
    figure = style.new_figure(12.5, 3.4)
    panels = figure.subplots(1, len(costs), sharey=True)
    for axes, (key, label) in zip(panels, costs.items(), strict=True):
        for number, row in enumerate(networks):
            cost = row["milliseconds"][key] if key.isdecimal() else row[key]
            axes.plot(
                cost,
                row["accuracy"],
                marker=style.MARKERS[number % len(style.MARKERS)],
                color=style.COLOURS[number % len(style.COLOURS)],
                linestyle="none",
                label=row["name"] if key == "parameters" else None,
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(label)
    panels[0].axvline(MAX_PARAMETERS, color="#999999", linewidth=0.8, linestyle=":")
    panels[0].set_ylabel("share of held-out pictures right")
    figure.legend(loc="outside lower center", ncols=len(networks), fontsize=8)
    header = ("network", "accuracy", "parameters", "multiply-adds", "bytes", "ms 1", "ms 64")
    header += ("threads", "repeats")
    rows = [
        (
            row["name"],
            round(row["accuracy"], 5),
            *(row[key] for key in ("parameters", "macs", "bytes")),
            *(row["milliseconds"][str(n)] for n in compress.LATENCY_BATCHES),
            facts["threads"],
            facts["repeats"],
        )
        for row in networks
    ]
    style.save(figure, run.figures, "pareto", header, rows)


def learning_curves(run: Run) -> None:
    """Draw loss and accuracy of the student against the epoch, training and held out."""
    log = [entry for entry in run.read_log() if entry["member"] == 0]
    charts.loss_and_accuracy(log, run.figures, loss="loss, nats")


def confusion(run: Run) -> None:
    """Draw which class is taken for which, on held-out pictures."""
    charts.confusion(held_out_confusion(run), CLASS_NAMES, run.figures)
