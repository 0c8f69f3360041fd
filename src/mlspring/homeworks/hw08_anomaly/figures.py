"""The report figures of homework 8, each with the numbers behind it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mlspring.core.runs import Run
from mlspring.homeworks.hw08_anomaly import judged as judging
from mlspring.homeworks.hw08_anomaly import study
from mlspring.homeworks.hw08_anomaly.data import Data
from mlspring.homeworks.hw08_anomaly.recipe import Recipe
from mlspring.homeworks.hw08_anomaly.score import interval, roc_auc
from mlspring.kit import charts, style
from mlspring.worlds.faces.anomaly_world import NORMAL

NUM_FACES = 8  # of a row of pictures
NUM_SHOWN, NUM_ELEMENTS = 2, 2  # faces of question 2, and elements of the code that are changed
FACTORS = (-2, -1, 0, 2, 3)
NUM_MISSES = 7
NUM_BINS = 40


def q1_vae(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw faces, what the plain and the variational autoencoder make of them, and samples."""
    told = study.compare(run, recipe, data, NUM_FACES)
    figure = style.new_figure(8.4, 6.0)
    shown = {"original": told["original"]} | {
        f"{name}\n{what}": told[f"{name} {what}"]
        for what in ("reconstruction", "sample")
        for name in study.NAMES
    }
    _grid(figure, list(shown.values()), list(shown))
    figure.suptitle(
        "Samples are drawings of normally distributed codes; the autoencoder's have the mean and "
        "spread of its faces' codes",
        fontsize=9,
    )
    header = ("network", "mean squared error", "KL, nats a picture", "ROC AUC of planted faults")
    style.save(figure, run.figures, "q1_vae", header, told["rows"])


def q2_latent(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw faces, reconstructions, and what multiplying an element of the code makes of them."""
    told = study.change(run, recipe, data, NUM_ELEMENTS, FACTORS, NUM_SHOWN)
    figure = style.new_figure(8.4, 5.4)
    titles = ["original", "reconstruction", *(f"x {factor}" for factor in FACTORS)]
    _grid(figure, told["pictures"], [f"element {e}" for e in told["elements"]], titles)
    figure.suptitle(
        "A fully connected autoencoder: one element of the code times a factor", fontsize=10
    )
    header = ("element", "mean of the code", "standard deviation", *(f"x {f}" for f in FACTORS))
    style.save(figure, run.figures, "q2_latent", header, told["rows"])


def roc(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw the share of anomalies found against the share of false alarms, with the interval."""
    judged = judging.judge(run, recipe, data)
    scores, wrong = judged.scores, judged.wrong
    order = np.argsort(-scores, kind="stable")
    found = np.concatenate(([0], np.cumsum(wrong[order]) / wrong.sum()))
    alarms = np.concatenate(([0], np.cumsum(~wrong[order]) / (~wrong).sum()))
    ends = np.concatenate(([True], np.diff(scores[order]) != 0, [True]))  # equal scores: one step
    area, (low, high) = roc_auc(scores, wrong), interval(scores, wrong)
    figure = style.new_figure(4.8, 4.6)
    axes = figure.subplots()
    axes.plot(alarms[ends], found[ends], label=f"area {area:.3f}, 95 % {low:.3f} to {high:.3f}")
    axes.plot((0, 1), (0, 1), color="#888888", linestyle=":", label="by chance: 0.5")
    axes.set_aspect("equal")
    axes.set_xlabel("share of normal pictures called anomalies")
    axes.set_ylabel("share of anomalies found")
    axes.set_title(_truth(data))
    axes.legend(loc="lower right", fontsize=9)
    rows = [(round(a, 5), round(f, 5)) for a, f in zip(alarms[ends], found[ends], strict=True)]
    style.save(figure, run.figures, "roc", ("false alarms", "anomalies found"), rows)


def scores(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw a histogram of scores for each kind of anomaly, over that of the normal pictures."""
    judged = judging.judge(run, recipe, data)
    normal = judged.of_kind(NORMAL)
    areas = {kind: _area(judged.of_kind(kind), normal) for kind in set(judged.kinds.tolist())}
    kinds = sorted(areas.keys() - {NORMAL}, key=lambda kind: areas[kind])
    low, high = np.quantile(judged.scores, (0.002, 0.998))
    bins = np.linspace(low, max(high, low + 1e-12), NUM_BINS + 1)
    figure = style.new_figure(6.8, 1.3 + 0.42 * len(kinds))
    panels = figure.subplots(len(kinds), 1, sharex=True, squeeze=False)[:, 0]
    for axes, kind in zip(panels, kinds, strict=True):
        for values, colour in ((normal, "#999999"), (judged.of_kind(kind), style.COLOURS[0])):
            heights, _ = np.histogram(np.clip(values, low, high), bins)
            axes.stairs(heights / len(values), bins, fill=True, color=colour, alpha=0.55)
        axes.set_ylabel(f"{kind}  {areas[kind]:.2f}", rotation=0, ha="right", va="center")
        axes.set_yticks([])
        axes.grid(visible=False)
    panels[0].set_title("Blue: the kind, with its ROC AUC. Grey: normal pictures", fontsize=10)
    panels[-1].set_xlabel(f"score ({recipe.score.by}); what is beyond stands at the ends")
    rows = [
        (kind, len(v := judged.of_kind(kind)), round(areas[kind], 5), f"{np.median(v):.6g}")
        for kind in (NORMAL, *kinds)
    ]
    header = ("kind", "pictures", "ROC AUC against normal ones", "median score")
    style.save(figure, run.figures, "scores", header, rows)


def misses(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw the most suspicious normal pictures and the least suspicious anomalies, with maps."""
    judged = judging.judge(run, recipe, data)
    order = np.argsort(judged.scores, kind="stable")
    alarms = order[~judged.wrong[order]][::-1][:NUM_MISSES]
    missed = order[judged.wrong[order]][:NUM_MISSES]
    figure = style.new_figure(8.4, 5.4)
    panels = figure.subplots(4, NUM_MISSES, squeeze=False)
    for axes in panels.flat:
        style.hide_axes(axes)
    pictures, found = judging.maps(run, recipe, judged, np.concatenate((alarms, missed)))
    halves = np.split(found, [len(alarms)])  # each row of maps has a scale of its own
    highest = [float(np.quantile(half, 0.999)) if len(half) else 1.0 for half in halves]
    for number, (picture, place) in enumerate(zip(pictures, found, strict=True)):
        upper, column = 2 * (number // len(alarms)), number % len(alarms)
        row = (alarms, missed)[upper // 2][column]
        panels[upper, column].imshow(picture)
        kind = str(judged.kinds[row])
        caption = f"score {judged.scores[row]:.3g}" + ("" if kind == NORMAL else f"\n{kind}")
        panels[upper, column].set_title(caption, fontsize=7.5, loc="center")
        panels[upper + 1, column].imshow(place, cmap="magma", vmin=0, vmax=highest[upper // 2])
    scales = [f"where, 0 .. {value:.2g}" for value in highest]
    for line, name in enumerate(("false alarms", scales[0], "missed", scales[1])):
        panels[line, 0].set_ylabel(name, fontsize=8)
    figure.suptitle(f"The worst misses and their maps ({recipe.score.by})", fontsize=10)
    rows = [(int(r), judged.kinds[r], f"{judged.scores[r]:.6g}") for r in (*alarms, *missed)]
    style.save(figure, run.figures, "misses", ("row", "kind", "score"), rows)


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the error and the area on planted faults: a lower error need not be a larger area."""
    log = [e | {"valid/error": e["valid/loss"]} for e in run.read_log() if e["member"] == 0]
    figure = style.new_figure(7.2, 3.5)
    panels = figure.subplots(1, 2)
    names = {"error": "mean squared error", "auc": "ROC AUC of planted faults"}
    for axes, (name, unit) in zip(panels, names.items(), strict=True):
        charts.curves(axes, log, name)
        axes.set_xlabel("epoch")
        axes.set_ylabel(unit)
    labels = panels[0].get_legend_handles_labels()
    figure.legend(*labels, loc="outside lower center", ncols=2)
    header = ("epoch", "train/loss", "train/error", "valid/loss", "valid/auc")
    rows = [[entry.get(key, "") for key in header] for entry in log]
    style.save(figure, run.figures, "learning_curves", header, rows)


def _grid(
    figure: Figure,
    rows: Sequence[NDArray[Any]],
    names: Sequence[str],
    titles: Sequence[str] = (),
) -> None:
    """Draw rows of pictures (k, s, s, 3), values 0 .. 1, named at their left and on top."""
    panels = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for line, pictures, name in zip(panels, rows, names, strict=True):
        for axes, picture in zip(line, pictures, strict=True):
            axes.imshow(picture)
            style.hide_axes(axes)
        line[0].set_ylabel(name, fontsize=8)
    for axes, title in zip(panels[0], titles, strict=False):
        axes.set_title(title, fontsize=9, loc="center")


def _area(some: NDArray[np.float64], normal: NDArray[np.float64]) -> float:
    """Return the area of the scores of one kind against those of normal pictures."""
    every = np.concatenate((normal, some))
    return roc_auc(every, np.arange(len(every)) >= len(normal)) if len(some) else 0.5


def _truth(data: Data) -> str:
    return "Test pictures" if data.is_world else "Held-out pictures with a planted fault"


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_vae": q1_vae,
    "q2_latent": q2_latent,
    "roc": roc,
    "scores": scores,
    "misses": misses,
    "learning_curves": learning_curves,
}
