"""The report figures of homework 13, each with the numbers behind it."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from mlspring.core.files import read_json
from mlspring.core.runs import Run
from mlspring.core.texts import count
from mlspring.homeworks.hw13_compression import compress
from mlspring.homeworks.hw13_compression.architecture import MAX_PARAMETERS
from mlspring.homeworks.hw13_compression.cost import separable_pairs
from mlspring.homeworks.hw13_compression.data import CLASS_NAMES, NUM_CLASSES, Data
from mlspring.homeworks.hw13_compression.pareto import Facts, pareto, shown
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.tasks import held_out_confusion
from mlspring.kit import charts, style

CURVES = {
    "layer": "smallest weights of each layer to zero, no training after",
    "global": "smallest weights of the network to zero, no training after",
    "channels": "weakest channels taken out, no training after",
}


def draw(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw every figure of the spec into ``run.figures``."""
    facts = read_json(compress.path(run))
    with style.house_style():
        q1_parameters(run, recipe, facts)
        q2_temperature(run, facts)
        q3_pruning(run, recipe, facts)
        pareto(run, facts)
        learning_curves(run, recipe)
        confusion(run)


def q1_parameters(run: Run, recipe: Recipe, facts: Facts) -> None:
    """Draw the student layer by layer: parameters, work, and what depthwise convolutions save."""
    layers, pairs = with_norms(facts["layers"]), separable_pairs(recipe.architecture)
    figure = style.new_figure(12.5, 1.8 + 0.22 * max(len(layers), len(pairs)))
    parameters, macs, ways = figure.subplots(1, 3, width_ratios=(3, 3, 4))
    macs.sharey(parameters)
    totals = {key: sum(layer[key] for layer in layers) for key in ("parameters", "macs")}
    places = range(len(layers))
    for axes, key, colour in zip((parameters, macs), totals, style.COLOURS, strict=False):
        axes.barh(places, [layer[key] for layer in layers], color=colour)
    parameters.set_yticks(places, [f"{x['name']} ({x['kind']})" for x in layers], fontsize=7)
    parameters.set_title(f"Parameters: {totals['parameters']:,}")
    parameters.set_xlabel(f"parameters, {MAX_PARAMETERS:,} in all allowed")
    macs.tick_params(labelleft=False)
    macs.set_title(f"Multiply-adds: {totals['macs']:,}")
    macs.set_xlabel("multiply-adds for one picture")
    _both_ways(ways, pairs)
    figure.legend(*ways.get_legend_handles_labels(), fontsize=8, loc="outside lower right", ncols=2)
    for axes in (parameters, macs, ways):
        axes.title.set_fontsize(10)
        axes.margins(x=0.12)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    parameters.invert_yaxis()
    rows = [[x[key] for key in ("name", "kind", "parameters", "macs")] for x in facts["layers"]]
    for step, plain, separable in pairs:
        rows.append([f"{step} as plain convolution", "3x3", plain, ""])
        rows.append([f"{step} as depthwise + pointwise", "3x3 depthwise, 1x1", separable, ""])
    header = ("layer", "kind", "parameters", "multiply-adds")
    style.save(figure, run.figures, "q1_parameters", header, rows)


def _both_ways(axes: Axes, pairs: list[tuple[str, int, int]]) -> None:
    """Draw the weights of each 3 x 3 step as a plain convolution and as depthwise + pointwise."""
    steps, *counts = zip(*pairs, strict=True)
    labels = ("plain: I O k k", "depthwise + pointwise: I k k + I O")
    looks = ({"color": style.COLOURS[2]}, {"color": style.COLOURS[3], "hatch": "//"})
    for number, (numbers, label, look) in enumerate(zip(counts, labels, looks, strict=True)):
        places = [place + 0.4 * number - 0.2 for place in range(len(steps))]
        axes.barh(places, numbers, height=0.4, label=f"{label}, {sum(numbers):,}", **look)
    axes.set_yticks(range(len(steps)), steps, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("weights for the same channels")
    axes.set_title("Its 3 x 3 steps, two ways")


def with_norms(layers: list[Facts]) -> list[Facts]:
    """Return the layers with each batch norm added to the layer before it."""
    joined: list[Facts] = []
    for layer in layers:
        if layer["kind"] == "norm" and joined:
            joined[-1]["parameters"] += layer["parameters"]
        else:
            joined.append({**layer, "name": layer["name"].removesuffix(".conv")})
    return joined


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
        axes.set_title(f"{name.capitalize()}, {curves['pictures']:,} pictures", fontsize=10)
    panels[0].set_ylabel("share of held-out pictures right")
    tuned = _pruned(recipe, facts)
    if tuned:
        panels[-1].plot(
            *zip(*tuned, strict=True),
            "k*",
            markersize=9,
            label=f"taken out, then fine-tuned ({facts['held_out']:,} pictures)",
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
    bars["half zero"] = facts["masked_milliseconds"][batch]
    for row in facts["networks"]:
        if row["name"].startswith("pruned"):
            bars[shown(row["name"])] = row["milliseconds"][batch]
    drawn = axes.bar(range(len(bars)), list(bars.values()), color=style.COLOURS[3])
    axes.bar_label(drawn, fmt="{:.3g}", fontsize=8)
    axes.set_xticks(range(len(bars)), list(bars), rotation=35, ha="right", fontsize=8)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(f"ms a batch of {batch}, {count(facts['threads'], 'thread')}")
    axes.set_title("Student's time", fontsize=10)
    return [("student", name, batch, value) for name, value in bars.items()]


def learning_curves(run: Run, recipe: Recipe) -> None:
    """Draw loss and accuracy of the student against the epoch, training and held out.

    The training loss is what is minimised, which may hold more than the held-out cross-entropy.
    """
    log = [entry for entry in run.read_log() if entry["member"] == 0]
    also = "\n(training: soft labels, too)" if recipe.distill.learns else ""
    charts.loss_and_accuracy(log, run.figures, loss=f"cross entropy, nats{also}")


def confusion(run: Run) -> None:
    """Draw which class is taken for which, on held-out pictures."""
    charts.confusion(held_out_confusion(run), CLASS_NAMES, run.figures)
