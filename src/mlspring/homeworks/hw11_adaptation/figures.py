"""The report figures of homework 11, each with the numbers behind it."""

import math

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from mlspring.core.runs import Run
from mlspring.homeworks.hw11_adaptation import snapshots
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit import charts, style

Points = NDArray[np.float64]

PERPLEXITY = 30
ITERATIONS = 500  # half of the notebook's: with 800 points the picture stands still long before
INKS = (*style.COLOURS, "#882255", "#999933", "#000000")  # ten classes
MARKS = (*style.MARKERS, "*", "<", "x")  # as many, so that they part in grey, too


def draw(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw every figure of the spec into ``run.figures``."""
    kept = snapshots.read(run)
    maps = {stage: embed(snapshot.features.numpy()) for stage, snapshot in kept.items()}
    with style.house_style():
        q1_classes(run, maps, kept, data)
        q2_domains(run, maps, kept)
        monitor_curves(run, recipe)
        learning_curves(run)


def embed(features: NDArray[np.float32]) -> Points:
    """Return t-SNE's map (n, 2) of features (n, f), each axis scaled to [0, 1].

    Source: van der Maaten & Hinton 2008; settings of the HW11 slides.
    """
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    flat = TSNE(
        n_components=2, init="random", random_state=5, perplexity=perplexity, max_iter=ITERATIONS
    ).fit_transform(features)
    low, high = flat.min(0), flat.max(0)
    return (flat - low) / np.maximum(high - low, 1e-12)


def q1_classes(
    run: Run, maps: dict[str, Points], kept: dict[str, snapshots.Snapshot], data: Data
) -> None:
    """Draw the photos' features by class at three stages: do the classes part?"""
    figure = style.new_figure(10.2, 3.8)
    panels = figure.subplots(1, len(maps), squeeze=False)[0]
    rows = []
    for axes, (stage, points) in zip(panels, maps.items(), strict=True):
        labels = kept[stage].labels.numpy()
        photos = points[: len(labels)]
        for label, name in enumerate(data.class_names):
            mine = photos[labels == label]
            axes.scatter(
                *mine.T,
                s=16,
                color=INKS[label % len(INKS)],
                marker=MARKS[label % len(MARKS)],
                linewidths=1 if MARKS[label % len(MARKS)] == "x" else 0,
                label=name,
            )
            rows += [(stage, name, *np.round(point, 4).tolist()) for point in mine]
        _finish(axes, stage)
    if data.num_classes <= len(INKS):
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=5, fontsize=8)
    figure.suptitle("t-SNE of the features of photos, by class (axes have no unit)", fontsize=11)
    style.save(figure, run.figures, "q1_classes", ("stage", "class", "x", "y"), rows)


def q2_domains(run: Run, maps: dict[str, Points], kept: dict[str, snapshots.Snapshot]) -> None:
    """Draw the same maps by domain: do photos and drawings lie together?"""
    figure = style.new_figure(10.2, 3.8)
    panels = figure.subplots(1, len(maps), squeeze=False)[0]
    rows = []
    for axes, (stage, points) in zip(panels, maps.items(), strict=True):
        num_photos = len(kept[stage].labels)
        parts = {"photos": points[:num_photos], "drawings": points[num_photos:]}
        for (name, mine), ink, mark in zip(parts.items(), style.COLOURS, "o^", strict=False):
            axes.scatter(*mine.T, s=12, color=ink, marker=mark, linewidths=0, alpha=0.8, label=name)
            rows += [(stage, name, *np.round(point, 4).tolist()) for point in mine]
        _finish(axes, f"{stage}: {strangers(points, num_photos):.0%} strangers")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, fontsize=8)
    figure.suptitle(
        "t-SNE of features, by domain; strangers: points whose nearest is of the other domain "
        "(half where they mix)",
        fontsize=11,
    )
    style.save(figure, run.figures, "q2_domains", ("stage", "domain", "x", "y"), rows)


def strangers(points: Points, num_photos: int) -> float:
    """Return the share of points (n, 2) whose nearest other point is of the other domain."""
    distances = ((points[:, None] - points[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    is_photo = np.arange(len(points)) < num_photos
    return float((is_photo[distances.argmin(1)] != is_photo).mean())


def _finish(axes: Axes, title: str) -> None:
    """Give a map the same frame in every figure, so that the eye can go from one to the other."""
    axes.set_title(title)
    style.hide_axes(axes)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")


def monitor_curves(run: Run, recipe: Recipe) -> None:
    """Draw what is known without labels of drawings, against the step, one line a member."""
    shown = {
        "valid/loss": "risk on held-out photos, nats",
        "target/entropy": "entropy of predictions, nats",
        "target/agreement": "agreement under augmentation",
        "target/imbalance": "KL(mean prediction || shares)",
    }
    if recipe.adapt.method == "dann":
        shown["domain/accuracy"] = "domain classifier's accuracy (dotted: chance)"
    figure = style.new_figure(10.2, 5.2)
    panels = figure.subplots(2, 3).flat
    log = run.read_log()
    members = sorted({entry["member"] for entry in log})
    for axes, (key, title) in zip(panels, shown.items(), strict=False):
        for member in members:
            points = [(e["step"], e[key]) for e in log if e["member"] == member]
            _curve(axes, points, member)
        axes.set_title(title, fontsize=9.5)
        axes.set_xlabel("step")
    panels = list(figure.axes)
    if "domain/accuracy" in shown:
        panels[len(shown) - 1].axhline(0.5, color="#444444", linewidth=0.8, linestyle=":")
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    if len(members) > 1:
        panels[0].legend(fontsize=8)
    header = ("member", "step", *shown)
    rows = [[entry.get(key, "") for key in header] for entry in log]
    style.save(figure, run.figures, "monitors", header, rows)


def learning_curves(run: Run) -> None:
    """Draw loss and accuracy on photos against the epoch, training and held out."""
    log = run.read_log()
    charts.loss_and_accuracy(log, run.figures, items="photos", epoch="epoch of the photos")


def _curve(axes: Axes, points: list[tuple[float, float]], member: int) -> None:
    """Draw a member's line, or dots where there is none to draw; diverged values are left out."""
    finite = [(x, y) for x, y in points if math.isfinite(y)]
    axes.plot(
        *zip(*finite, strict=True),
        color=style.COLOURS[member % len(style.COLOURS)],
        linestyle=style.LINE_STYLES[member % len(style.LINE_STYLES)],
        marker="." if len(finite) < 3 else None,
        label=f"member {member}",
    )
