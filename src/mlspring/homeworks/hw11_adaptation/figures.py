"""The report figures of homework 11, each with the numbers behind it."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from mlspring.core.runs import Run
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.monitors import STAGES, features_path, read_features
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit import charts, style

Points = NDArray[np.float64]
Map = tuple[str, Points, NDArray[np.int64]]  # stage, points (n, 2), classes of the photos

PERPLEXITY = 30
ITERATIONS = 500  # half of the notebook's: with 800 points the picture stands still long before
COLOURS = (*style.COLOURS, "#882255", "#999933", "#000000")  # ten classes
MARKERS = (*style.MARKERS, "*", "<", "x")  # as many, so that they part in grey, too


def q1_classes(run: Run, _recipe: Recipe, data: Data) -> None:
    """Draw the photos' features by class at three stages: do the classes part?"""
    figure, maps = _new_maps(run, "t-SNE of the features of photos, by class (axes have no unit)")
    rows: list[Any] = []
    for axes, (stage, points, labels) in maps:
        photos = points[: len(labels)]
        groups = {name: photos[labels == i] for i, name in enumerate(data.class_names)}
        rows += _draw_map(axes, stage, groups)
    _finish(run, figure, "q1_classes", ("stage", "class", "x", "y"), rows)


def q2_domains(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the same maps by domain: do photos and drawings lie together?"""
    figure, maps = _new_maps(
        run,
        "t-SNE of features, by domain; mixed: points whose nearest neighbour is of the other "
        "domain\n(50%: the domains cannot be told apart)",
    )
    rows: list[Any] = []
    for axes, (stage, points, labels) in maps:
        n = len(labels)
        rows += _draw_map(axes, stage, {"photos": points[:n], "drawings": points[n:]})
        axes.set_title(f"{stage}: {neighbours_of_other_domain(points, n):.0%} mixed")
    _finish(run, figure, "q2_domains", ("stage", "domain", "x", "y"), rows)


def _new_maps(run: Run, title: str) -> tuple[Figure, list[tuple[Axes, Map]]]:
    """Return a figure with a panel a stage, and each panel with its stage, points and labels."""
    maps: list[Map] = []
    for stage in STAGES:
        if (file := features_path(run, stage)).exists():
            points = tsne_of(file, file.stat().st_mtime_ns)
            maps.append((stage, points, read_features(file)[1].numpy()))
    figure = style.new_figure(10.2, 4.2)
    figure.suptitle(title, fontsize=11)
    panels = figure.subplots(1, len(maps), squeeze=False)[0]
    return figure, list(zip(panels, maps, strict=True))


def _draw_map(axes: Axes, stage: str, groups: Mapping[str, Points]) -> list[Any]:
    """Draw the points (n, 2) of each group with a colour and a marker; return their rows."""
    for i, (name, points) in enumerate(groups.items()):
        marker = MARKERS[i % len(MARKERS)]
        width, colour = 1 if marker == "x" else 0, COLOURS[i % len(COLOURS)]
        x, y = points.T
        axes.scatter(x, y, s=14, color=colour, marker=marker, linewidths=width, label=name)
    axes.set_title(stage)
    style.hide_axes(axes)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    return [(stage, name, *np.round(p, 4)) for name, points in groups.items() for p in points]


def _finish(run: Run, figure: Figure, name: str, header: Sequence[str], rows: list[Any]) -> None:
    """Add the legend of the first panel, unless it has too many names, and save."""
    handles, names = figure.axes[0].get_legend_handles_labels()
    if len(names) <= len(COLOURS):
        figure.legend(handles, names, loc="outside lower center", ncols=5, fontsize=9)
    style.save(figure, run.figures, name, header, rows)


@lru_cache(maxsize=3)
def tsne_of(file: Path, _modified: int) -> Points:
    """Return the t-SNE map (n, 2) of a file of features; both questions draw the same."""
    return embed(read_features(file)[0].numpy())


def embed(features: NDArray[np.float32]) -> Points:
    """Return t-SNE's map (n, 2) of features (n, f), each axis scaled to [0, 1].

    Source: van der Maaten & Hinton 2008; settings of the HW11 slides.
    """
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    tsne = TSNE(init="random", random_state=5, perplexity=perplexity, max_iter=ITERATIONS)
    flat = tsne.fit_transform(features)
    low, high = flat.min(0), flat.max(0)
    scaled: Points = (flat - low) / np.maximum(high - low, 1e-12)
    return scaled


def neighbours_of_other_domain(points: Points, num_photos: int) -> float:
    """Return the fraction of points (n, 2) whose nearest other point is of the other domain."""
    distances = ((points[:, None] - points[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    is_photo = np.arange(len(points)) < num_photos
    return float((is_photo[distances.argmin(1)] != is_photo).mean())


def monitors(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw what is known without labels of drawings, against the step, one line a member."""
    shown = {
        "valid/loss": "risk on held-out photos, nats",
        "target/entropy": "entropy of predictions, nats",
        "target/agreement": "agreement under augmentation",
        "target/imbalance": "KL(mean prediction || uniform)",
    }
    if recipe.adapt.method == "dann":
        shown["domain/accuracy"] = "domain classifier's accuracy"
    figure = style.new_figure(10.2, 5.2)
    panels = figure.subplots(2, 3).flat
    log = run.read_log()
    members = sorted({entry["member"] for entry in log})
    for axes, (key, title) in zip(panels, shown.items(), strict=False):
        for i in members:
            mine = [e for e in log if e["member"] == i and math.isfinite(e[key])]
            axes.plot(
                [e["step"] for e in mine],
                [e[key] for e in mine],
                color=style.COLOURS[i % len(style.COLOURS)],
                linestyle=style.LINE_STYLES[i % len(style.LINE_STYLES)],
                marker="." if len(mine) < charts.FEWEST_POINTS else None,
                label=f"member {i}",
            )
        axes.set_title(title, fontsize=9.5)
        axes.set_xlabel("step")
        if key == "domain/accuracy":
            axes.axhline(0.5, color="#444444", linewidth=0.8, linestyle=":", label="chance")
            axes.legend(fontsize=8)
    for axes in figure.axes[len(shown) :]:
        axes.set_visible(False)
    if len(members) > 1:
        figure.axes[0].legend(fontsize=8)
    header = ("member", "step", *shown)
    rows = [[entry.get(key, "") for key in header] for entry in log]
    style.save(figure, run.figures, "monitors", header, rows)


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw loss and accuracy on photos against the epoch, training and held out."""
    charts.loss_and_accuracy(
        run.read_log(), run.figures, items="photos", epoch="epoch of the photos"
    )


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_classes": q1_classes,
    "q2_domains": q2_domains,
    "monitors": monitors,
    "learning_curves": learning_curves,
}
