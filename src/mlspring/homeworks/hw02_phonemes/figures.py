"""The report figures of homework 2, each with the numbers behind it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mlspring.core.runs import Run
from mlspring.homeworks.hw02_phonemes import models
from mlspring.homeworks.hw02_phonemes.data import Data
from mlspring.homeworks.hw02_phonemes.recipe import Recipe
from mlspring.kit import charts, checkpoint, style
from mlspring.kit.checkpoint import weights_path

GROUPS = {
    "silence, noise": ("SIL", "SPN"),
    "vowels": ("IY", "IH", "EH", "AE", "AH", "ER", "AA", "AO", "UH", "UW"),
    "diphthongs": ("EY", "AY", "OY", "AW", "OW"),
    "glides, liquids": ("W", "Y", "R", "L"),
    "nasals": ("M", "N", "NG"),
    "stops": ("P", "B", "T", "D", "K", "G"),
    "fricatives": ("F", "V", "TH", "DH", "S", "Z", "SH", "ZH", "HH", "CH", "JH"),
}
NUM_WORST = 12  # confusions beside the matrix
MEASURED = ("train__accuracy", "valid__accuracy", "train__loss", "valid__loss")
HEADER = ("network", "weights", *(name.replace("__", " ") for name in MEASURED))


def q1_depth(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw the networks of equal size, from deep and narrow to shallow and wide."""
    members = [models.of_member(recipe, number) for number in range(1 + len(recipe.study.layers))]
    names = {f"{knobs.layers} x {knobs.width}": number for number, knobs in enumerate(members)}
    _compare(run, recipe, names, "q1_depth", "hidden layers x units")


def q2_dropout(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw the networks that differ in dropout, the run's own among them."""
    first = 1 + len(recipe.study.layers)
    members = [0, *range(first, recipe.num_members)]
    rates = sorted((models.of_member(recipe, number).dropout, number) for number in members)
    names = {f"{rate:g}": number for rate, number in rates}
    _compare(run, recipe, names, "q2_dropout", "dropout")


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw loss and accuracy against the epoch, training and held out, one line a member."""
    charts.loss_and_accuracy(run.read_log(), run.figures, items="frames")


def confusion(run: Run, _recipe: Recipe, data: Data) -> None:
    """Draw which phone is taken for which, by groups, and the most frequent mistakes."""
    counts = np.array(checkpoint.read_metadata(weights_path(run, 0))["confusion"])
    order, borders = grouped(data.phones)
    names = [data.phones[i] for i in order]
    counts = counts[np.ix_(order, order)]
    shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure = style.new_figure(12.0, 7.6)
    left, right = figure.subplots(1, 2, width_ratios=(3, 1))
    picture = left.imshow(shares, cmap="Greys", vmin=0, vmax=100)
    left.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    left.set_yticks(range(len(names)), names, fontsize=7)
    for border in borders:
        for line in (left.axhline, left.axvline):
            line(border - 0.5, color=style.COLOURS[1], linewidth=1)
    left.grid(visible=False)
    left.set_xlabel("predicted")
    left.set_ylabel("true")
    left.set_title("Held-out frames, % of each true class")
    figure.colorbar(picture, ax=left, shrink=0.7)
    _worst(right, counts, names)
    header = ("true \\ predicted", *names)
    rows = [(name, *row) for name, row in zip(names, counts.tolist(), strict=True)]
    style.save(figure, run.figures, "confusion", header, rows)


def grouped(phones: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the classes in an order by groups, and where groups begin; unnamed ones keep theirs.

    The course's files do not say which number is which phone.
    """
    known = [name for names in GROUPS.values() for name in names]
    if set(known) != set(phones):
        return list(range(len(phones))), []
    sizes = [len(names) for names in GROUPS.values()]
    return [list(phones).index(name) for name in known], np.cumsum(sizes)[:-1].tolist()


def _worst(axes: Axes, counts: NDArray[np.int64], names: Sequence[str]) -> None:
    """Draw the most frequent mistakes as shares of all frames."""
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    places = np.argsort(-wrong, axis=None, kind="stable")[:NUM_WORST]
    pairs = [divmod(int(place), len(counts)) for place in places]
    shares = [100 * wrong[i, j] / max(counts.sum(), 1) for i, j in pairs]
    axes.barh(range(len(pairs)), shares, color=style.COLOURS[0])
    axes.set_yticks(range(len(pairs)), [f"{names[i]} taken for {names[j]}" for i, j in pairs])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("% of all held-out frames")
    axes.set_title("Most frequent mistakes")


def _compare(run: Run, recipe: Recipe, members: Mapping[str, int], name: str, what: str) -> None:
    """Draw curves and final accuracies of some members, and write their table."""
    kept = {m: checkpoint.read_metadata(weights_path(run, n)) for m, n in members.items()}
    for member, number in members.items():
        kept[member]["weights"] = models.num_parameters(models.of_member(recipe, number))
    figure = style.new_figure(8.6, 3.8)
    left, right = figure.subplots(1, 2)
    for (member, number), colour in zip(members.items(), style.COLOURS, strict=False):
        points = [entry for entry in run.read_log() if entry["member"] == number]
        steps = [entry["step"] for entry in points]
        for part, line, label in (("train", "-", member), ("valid", "--", None)):
            values = [entry[f"{part}/accuracy"] for entry in points]
            left.plot(steps, values, color=colour, linestyle=line, label=label)
    left.set_xlabel("step")
    left.set_ylabel("share of frames right")
    left.set_title("While learning: training -, held out - -")
    figure.legend(*left.get_legend_handles_labels(), title=what, loc="outside lower left", ncols=4)
    _bars(right, kept)
    hint = "" if len(members) > 1 else f" (to compare: mlspring run hw02 {name[3:]})"
    right.set_xlabel(f"{what}, number of weights{hint}", fontsize=8)
    rows = [(m, one["weights"], *(one[key] for key in MEASURED)) for m, one in kept.items()]
    style.save(figure, run.figures, name, HEADER, rows)


def _bars(axes: Axes, kept: Mapping[str, dict[str, Any]]) -> None:
    """Draw the accuracies of finished networks, both parts measured without dropout."""
    at = np.arange(len(kept))
    parts = (("train", "training", -0.2, ""), ("valid", "held out", 0.2, "//"))
    for (part, label, shift, hatch), colour in zip(parts, style.COLOURS, strict=False):
        heights = [one[f"{part}__accuracy"] for one in kept.values()]
        bars = axes.bar(at + shift, heights, 0.38, color=colour, hatch=hatch, label=label)
        axes.bar_label(bars, fmt="%.3f", fontsize=8, padding=2)
    names = [f"{name}\n{one['weights']:,}" for name, one in kept.items()]
    axes.set_xticks(at, names, fontsize=8)
    axes.set_ylim(0, 1.05)
    axes.grid(visible=False, axis="x")
    axes.set_title("At the end, without dropout")
    axes.legend(loc="upper center", ncols=2)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_depth": q1_depth,
    "q2_dropout": q2_dropout,
    "learning_curves": learning_curves,
    "confusion": confusion,
}
