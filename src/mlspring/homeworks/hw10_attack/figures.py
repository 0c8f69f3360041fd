"""The report figures of homework 10, each with the numbers behind it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mlspring.core.files import read_json
from mlspring.core.runs import Run
from mlspring.homeworks.hw10_attack import study
from mlspring.homeworks.hw10_attack.data import Data
from mlspring.homeworks.hw10_attack.predict import predict
from mlspring.homeworks.hw10_attack.recipe import Recipe
from mlspring.kit import style

GAIN = 16  # of the noise, to be seen


def q1_networks(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the accuracy of every network on benign and on attacked pictures."""
    measured = read_json(study.path(run))
    names = [*measured["proxies"], *measured["held_out"]]
    benign, attacked = zip(*(measured["accuracies"][name] for name in names), strict=True)
    figure = style.new_figure(6.8, 1.6 + 0.34 * len(names))
    axes = figure.subplots()
    places = np.arange(len(names))
    axes.barh(places - 0.2, benign, 0.38, color=style.COLOURS[1], label="benign")
    bars = axes.barh(places + 0.2, attacked, 0.38, color=style.COLOURS[0], label="attacked")
    axes.bar_label(bars, fmt="{:.2f}", fontsize=8, padding=2)
    axes.axhline(len(measured["proxies"]) - 0.5, color="black", linewidth=0.8)
    axes.set_yticks(places, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08)
    axes.set_xlabel("share of pictures right")
    axes.grid(visible=False, axis="y")
    axes.set_title("Above the line: proxies. Below: networks that gave no gradient")
    figure.legend(loc="outside lower center", ncols=2)
    rows = list(zip(names, benign, attacked, strict=True))
    style.save(figure, run.figures, "q1_networks", ("network", "benign", "attacked"), rows)


def q2_jpeg(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw one picture benign, attacked by FGSM, and compressed; beside it accuracy by quality."""
    measured = read_json(study.path(run))["jpeg"]
    figure = style.new_figure(9.6, 3.4)
    *panels, curve = figure.subplots(1, 4, width_ratios=[1, 1, 1, 1.5])
    captions = ("benign", "FGSM on the first proxy", f"then JPEG, quality {measured['quality']}")
    rows: list[tuple[Any, ...]] = []
    for axes, (kind, told), caption in zip(panels, measured["one"].items(), captions, strict=True):
        side = int((len(told["pixels"]) // 3) ** 0.5)
        axes.imshow(np.array(told["pixels"], np.uint8).reshape(side, side, 3))
        axes.set_title(f"{caption}\n{told['class']} {told['probability']:.0%}", fontsize=9)
        style.hide_axes(axes)
        rows.append((measured["id"], kind, told["class"], told["probability"]))
    qualities = [int(q) for q in measured["curve"]]
    for number, name in enumerate(("benign", "attacked")):
        values = [pair[number] for pair in measured["curve"].values()]
        colour, mark = style.COLOURS[1 - number], style.MARKERS[number]
        curve.plot(qualities, values, marker=mark, color=colour, label=name)
        rows += [
            ("all", f"{name}, quality {q}", "", v) for q, v in zip(qualities, values, strict=True)
        ]
    curve.set_xlabel("quality of JPEG")
    curve.set_ylabel("share of all pictures right")
    curve.set_ylim(0, 1.02)
    curve.legend()
    header = ("picture", "seen as", "class", "probability, or share right")
    style.save(figure, run.figures, "q2_jpeg", header, rows)


def pictures(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw the first picture of each class: benign, the noise times 16 around grey, attacked."""
    final = predict(recipe, data, run)
    firsts = [int((data.labels == c).argmax()) for c in range(len(data.class_names))]
    noise = final.astype(int) - data.test_images
    grey = np.clip(128 + GAIN * noise, 0, 255).astype(np.uint8)
    shown = {"benign": data.test_images, f"noise x {GAIN}": grey, "attacked": final}
    figure = style.new_figure(9.6, 3.4)
    panels = figure.subplots(3, len(firsts))
    for line, (name, kind) in zip(panels, shown.items(), strict=True):
        for axes, number in zip(line, firsts, strict=True):
            axes.imshow(kind[number])
            style.hide_axes(axes)
        line[0].set_ylabel(name)
    for axes, name in zip(panels[0], data.class_names, strict=True):
        axes.set_title(name, fontsize=8)
    change = np.abs(noise).reshape(len(noise), -1)
    rows = [
        (name, int(worst), round(float(mean), 3))
        for name, worst, mean in zip(data.test_ids, change.max(1), change.mean(1), strict=True)
    ]
    style.save(figure, run.figures, "pictures", ("picture", "largest change", "mean change"), rows)


def transfer(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the accuracy of each network on pictures attacked through each single one."""
    table = read_json(study.path(run))["transfer"]
    names = list(table)
    shares = [[table[source][target] for target in names] for source in names]
    side = 2.6 + 0.5 * len(names)
    figure = style.new_figure(side + 0.6, side)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=1)
    for i, line in enumerate(shares):
        for j, share in enumerate(line):
            ink = "white" if share > 0.5 else "black"
            axes.text(j, i, f"{share:.2f}", ha="center", va="center", color=ink, size=8)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel("judged by")
    axes.set_ylabel("attacked through")
    axes.set_title("Share of pictures still right")
    axes.grid(visible=False)
    rows = [(source, *line) for source, line in zip(names, shares, strict=True)]
    style.save(figure, run.figures, "transfer", ("attacked through", *names), rows)


def curves(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw accuracy against the iteration, and against epsilon by the scaled perturbation."""
    log = [entry for entry in run.read_log() if entry.get("member") == 0]
    figure = style.new_figure(8.4, 3.6)
    left, right = figure.subplots(1, 2, sharey=True)
    rows: list[tuple[Any, ...]] = []
    steps = [entry["step"] for entry in log]
    for number, (key, name) in enumerate((("train", "proxies"), ("valid", "held out"))):
        values = [entry[f"{key}/accuracy"] for entry in log]
        _line(left, steps, values, number, name)
        rows += [("step", name, s, v) for s, v in zip(steps, values, strict=True)]
    left.set_xlabel("iterations")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_ylabel("share of pictures right")
    left.set_ylim(0, 1.02)
    left.set_title("Proxies: as each step sees them", fontsize=10)
    by_budget = read_json(study.path(run))["by_budget"]
    budgets = [float(key) for key in by_budget]
    for number, part in enumerate(("proxies", "held out")):
        values = [pair[number] for pair in by_budget.values()]
        _line(right, budgets, values, number, part)
        rows += [("epsilon", part, b, v) for b, v in zip(budgets, values, strict=True)]
    right.set_xlabel("epsilon, grey levels")
    right.set_title(f"The noise of epsilon {recipe.attack.epsilon:g}, made smaller", fontsize=10)
    right.legend()
    style.save(figure, run.figures, "curves", ("against", "networks", "at", "share right"), rows)


def _line(axes: Axes, x: Sequence[float], values: Sequence[float], number: int, name: str) -> None:
    axes.plot(x, values, marker=style.MARKERS[number], color=style.COLOURS[number], label=name)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_networks": q1_networks,
    "q2_jpeg": q2_jpeg,
    "pictures": pictures,
    "transfer": transfer,
    "curves": curves,
}
