"""The report figures of homework 1, each with the numbers behind it."""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from mlspring.core.errors import RunError
from mlspring.core.runs import Run
from mlspring.homeworks.hw01_regression import blocks, features, models, predict, references
from mlspring.homeworks.hw01_regression.data import LAGS, Data
from mlspring.homeworks.hw01_regression.recipe import Recipe
from mlspring.kit import charts, style
from mlspring.worlds.survey import BEHAVIOUR, ILLNESS, MOOD

NUM_BARS = 30  # columns shown of at most 140
GROUPS = {
    "positive tests": (("tested_positive",), "#222222", ""),
    "illness": (ILLNESS, "#0072B2", ""),
    "behaviour": (BEHAVIOUR, "#E69F00", "//"),
    "mood": (MOOD, "#CCCCCC", ".."),
    "state": ((), "white", "xx"),
}


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the squared error against the step, training and held-out rows, one line a member."""
    log = run.read_log()
    if not log:
        raise RunError("has no log, so there is no curve to draw", file=run.folder / "log.jsonl")
    figure = style.new_figure(6.4, 3.8)
    axes = figure.subplots()
    charts.curves(axes, log, "loss", against="step")
    errors = [entry[key] for entry in log for key in ("train/loss", "valid/loss")]
    if max(errors) > 5 * min(errors):
        _plain_log_scale(axes)
    axes.set_xlabel("step")
    axes.set_ylabel("mean squared error, squared % points")
    num_members = len({entry["member"] for entry in log})
    axes.set_title("Error while learning" + (f", {num_members} networks" * (num_members > 1)))
    axes.legend()
    header = ("member", "step", "epoch", "train/loss", "valid/loss", "learning_rate")
    rows = [[entry.get(key, "") for key in header] for entry in log]
    style.save(figure, run.figures, "learning_curves", header, rows)


def predicted_vs_true(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw predictions of held-out days against the truth, and their errors against the level.

    Every row is predicted by the members that held it out.
    """
    rows, predicted = _held_out_predictions(run, recipe, data)
    true, lag = data.train_targets[rows], data.train_survey[rows, LAGS[-1]]
    error, naive = np.mean((predicted - true) ** 2), np.mean((lag - true) ** 2)
    figure = style.new_figure(8.4, 4.0)
    left, right = figure.subplots(1, 2)
    top = 1.05 * max(true.max(), predicted.max())
    left.plot([0, top], [0, top], color="#444444", linewidth=1, label="perfect")
    left.plot(true, predicted, ".", color=style.COLOURS[0], alpha=0.5, label="held-out row")
    left.set_xlabel("true positive tests on day 5, %")
    left.set_ylabel("predicted, %")
    left.set_title(f"MSE {error:.3f}; repeating day 4: {naive:.3f}")
    left.legend(loc="upper left")
    right.axhline(0, color="#444444", linewidth=1)
    right.plot(true, predicted - true, ".", color=style.COLOURS[0], alpha=0.5)
    right.set_xlabel("true positive tests on day 5, %")
    right.set_ylabel("predicted - true, percentage points")
    right.set_title("Errors by level")
    table = zip(rows.tolist(), true.tolist(), predicted.tolist(), lag.tolist(), strict=True)
    header = ("training row", "true", "predicted", "day 4")
    style.save(figure, run.figures, "predicted_vs_true", header, table)


def feature_scores(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw |correlation| with the target of the best columns, and what the network was given."""
    names = features.column_names(references.ALL)
    given = set(features.column_names(recipe.data))
    (train, _), *_ = blocks.parts(data.train_runs, data.train_places, recipe.data, run.request.seed)
    table = features.build(data.train_states[train], data.train_survey[train], references.ALL)
    targets = torch.from_numpy(data.train_targets[train])
    scores = models.scores(torch.from_numpy(table), targets).numpy()
    order = np.argsort(-scores, kind="stable")
    groups = [_group(names[i]) for i in order]
    figure = style.new_figure(7.2, 6.2)
    axes = figure.subplots()
    for place, column in enumerate(order[:NUM_BARS]):
        _, colour, hatch = GROUPS[groups[place]]
        axes.barh(place, scores[column], color=colour, hatch=hatch, edgecolor="#444444", lw=0.6)
    axes.set_yticks(range(NUM_BARS), [names[i] for i in order[:NUM_BARS]], fontsize=8)
    axes.set_ylim(NUM_BARS - 0.3, -0.7)
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 1)
    axes.set_xlabel("|correlation| with the target on training rows")
    axes.set_title(f"The best {NUM_BARS} of {len(names)} columns (name and day)")
    shown = [name for name in GROUPS if name in groups[:NUM_BARS]]
    keys = [
        Patch(facecolor=GROUPS[n][1], hatch=GROUPS[n][2], edgecolor="#444444", label=n)
        for n in shown
    ]
    axes.legend(handles=keys, loc="lower right", frameon=True)
    rows = [
        (names[i], group, round(float(scores[i]), 5), names[i] in given)
        for i, group in zip(order, groups, strict=True)
    ]
    header = ("column", "group", "|correlation|", "given to the network")
    style.save(figure, run.figures, "feature_scores", header, rows)


def split_comparison(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw validation errors of a random split beside those of a split by time.

    Later days are harder for everybody, so each bar is a ratio to repeating day 4 on the same rows:
    what a method gains on a random split and not on later days is memory of neighbouring rows.
    """
    errors = references.split_errors(data, recipe.data.held_out, run.request.seed)
    naive = errors.pop("persistence")
    figure = style.new_figure(6.8, 3.8)
    axes = figure.subplots()
    places = np.arange(len(errors))
    for shift, split, colour, hatch, label in (
        (-0.2, "random", "#E69F00", "//", "random rows held out"),
        (0.2, "time", "#0072B2", "", "last days of each run held out"),
    ):
        ratios = [error[split] / naive[split] for error in errors.values()]
        bars = axes.bar(
            places + shift, ratios, 0.38, color=colour, hatch=hatch, ec="#444444", label=label
        )
        axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
    axes.axhline(1, color="#444444", linestyle="--", linewidth=1, label="repeating day 4")
    _plain_log_scale(axes)
    axes.set_xticks(places, list(errors))
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("validation MSE / MSE of repeating day 4")
    axes.set_title("A random split flatters those who memorise")
    axes.legend(loc="upper left")
    rows = [
        (name, split, round(error[split], 5), round(naive[split], 5))
        for name, error in errors.items()
        for split in ("random", "time")
    ]
    header = ("method", "split", "validation MSE", "MSE of repeating day 4")
    style.save(figure, run.figures, "split_comparison", header, rows)


def _held_out_predictions(
    run: Run, recipe: Recipe, data: Data
) -> tuple[
    np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.float64]]
]:
    """Return held-out training rows (m,) and the mean prediction of those that held them out."""
    outputs = predict.member_predictions(recipe, data.train_states, data.train_survey, run)
    parts = blocks.parts(data.train_runs, data.train_places, recipe.data, run.request.seed)
    total, count = np.zeros(len(data.train_targets)), np.zeros(len(data.train_targets))
    for output, (_, held_out) in zip(outputs, parts, strict=True):
        total[held_out] += output[held_out]
        count[held_out] += 1
    rows = np.flatnonzero(count)
    return rows, total[rows] / count[rows]


def _plain_log_scale(axes: Axes) -> None:
    """Scale the y axis by factors, with numbers written out: 0.5, 2, 20."""
    axes.set_yscale("log")
    for axis_ticks in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        axis_ticks(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "125" else ""))


def _group(column: str) -> str:
    """Return the group of a column's name, e.g. ``illness`` of ``cli 5``."""
    name = column.partition(" ")[0]
    return next((group for group, (names, *_) in GROUPS.items() if name in names), "state")


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "learning_curves": learning_curves,
    "predicted_vs_true": predicted_vs_true,
    "feature_scores": feature_scores,
    "split_comparison": split_comparison,
}
