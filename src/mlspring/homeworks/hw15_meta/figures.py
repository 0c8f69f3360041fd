"""The report figures of homework 15, each with the numbers behind it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes

from mlspring.core.runs import Run
from mlspring.homeworks.hw15_meta.data import Data
from mlspring.homeworks.hw15_meta.methods import METHODS
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.predict import trained
from mlspring.homeworks.hw15_meta.recipe import MethodKnobs, Recipe
from mlspring.homeworks.hw15_meta.tasks import Tasks, make_pools, validation_tasks
from mlspring.homeworks.hw15_meta.train import answer, interval
from mlspring.kit import charts, checkpoint, device, style
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.worlds.glyphs import NUM_WAYS

INNER_STEPS = (0, 1, 2, 3, 5, 10)
NUM_TASKS = 100  # of the validation, for the figures that answer tasks anew
NUM_SHOWN = 4
Row = tuple[float, float, float]  # x, accuracy, half width of its interval


def q1_characters(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw accuracy on held-out alphabets against the characters of training, with intervals."""
    members = (weights_path(run, number) for number in range(recipe.num_members))
    networks = [checkpoint.read_metadata(path) for path in members]
    rows = sorted((n["characters"], n["accuracy"], n["half_width"]) for n in networks)
    figure = style.new_figure()
    axes = figure.subplots()
    _with_intervals(axes, rows)
    axes.set_xscale("log")
    axes.set_xticks([row[0] for row in rows], [f"{row[0]:,}" for row in rows])
    axes.minorticks_off()
    label = "characters that training tasks are made of"
    if len(rows) == 1:  # below the axis, where a long line has room
        label += "\n(more points: mlspring run hw15 tasks)"
    axes.set_xlabel(label)
    axes.set_title(f"Unseen alphabets after {recipe.train.steps:,} steps")
    style.save(figure, run.figures, "q1_characters", ("characters", "accuracy", "+-"), rows)


def q2_inner_steps(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw accuracy on held-out alphabets against the inner steps on each task."""
    model, unseen, hardware = _network_and_tasks(run, recipe, data)
    rows: list[Row] = []
    for steps in INNER_STEPS:
        logits = answer(model, replace(recipe.test_loop, steps=steps), unseen, hardware)
        measured = interval(logits, unseen)
        rows.append((steps, measured["accuracy"], measured["half_width"]))
    figure = style.new_figure()
    axes = figure.subplots()
    _with_intervals(axes, rows)
    axes.set_xticks(INNER_STEPS)
    axes.set_xlabel("inner steps on an unseen task")
    axes.set_title(f"{len(unseen)} tasks; {_training(recipe.method)}")
    style.save(figure, run.figures, "q2_inner_steps", ("inner steps", "accuracy", "+-"), rows)


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw loss and accuracy on training tasks and on tasks of held-out alphabets."""
    charts.loss_and_accuracy(
        run.read_log(), run.figures, items="query images", epoch="thousand tasks"
    )


def tasks(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw some tasks: the support, the queries, and what each query was taken for."""
    model, unseen, hardware = _network_and_tasks(run, recipe, data)
    shown = unseen[:NUM_SHOWN]
    answers = answer(model, recipe.test_loop, shown, hardware).argmax(2).numpy()
    labels = shown.labels.cpu().numpy()
    figure = style.new_figure(7.6, 0.9 * len(shown) + 0.5)
    widths = [1.0] * NUM_WAYS + [0.3] + [1.0] * NUM_WAYS  # a gap between support and queries
    grid = {"width_ratios": widths}
    panels = figure.subplots(len(shown), len(widths), squeeze=False, gridspec_kw=grid)
    for gap in panels[:, NUM_WAYS]:
        gap.set_axis_off()
    rows = []
    for task, row in enumerate(np.delete(panels, NUM_WAYS, 1)):
        images = np.concatenate((shown.support[task].cpu(), shown.query[task].cpu()))
        for column, (axes, image) in enumerate(zip(row, images, strict=True)):
            axes.imshow(image, cmap="Greys", vmin=0, vmax=1)
            style.hide_axes(axes)
            if column < NUM_WAYS:
                axes.set_title(str(column), loc="center", fontsize=8)
                continue
            taken, truth = answers[task, column - NUM_WAYS], labels[task, column - NUM_WAYS]
            title, colour = str(taken), "black"
            if taken != truth:
                title, colour = f"{taken}, not {truth}", style.COLOURS[4]
            axes.set_title(title, loc="center", fontsize=8, color=colour)
            rows.append((task, column - NUM_WAYS, truth, taken))
    title = "Tasks of held-out alphabets: support left, queries with answers right"
    figure.suptitle(title, fontsize=11)
    style.save(figure, run.figures, "tasks", ("task", "query", "class", "taken for"), rows)


def _network_and_tasks(run: Run, recipe: Recipe, data: Data) -> tuple[Conv4, Tasks, Hardware]:
    """Return the finished network and the first of the validation's tasks."""
    hardware, seed = device.choose_for(run, work="conv"), run.request.seed
    _, held_out = make_pools(data, recipe.data, seed, hardware.device)
    unseen = validation_tasks(held_out, recipe.train.valid_tasks, seed)[:NUM_TASKS]
    return trained(recipe, run, hardware), unseen, hardware


def _training(method: MethodKnobs) -> str:
    """Return what a network's training had to do with inner steps."""
    steps = f"{method.inner_steps} inner step{'s' if method.inner_steps > 1 else ''}"
    has = "without inner steps" if method.name in ("transfer", "protonet") else f"with {steps}"
    return f"{METHODS[method.name].title}, trained {has}"


def _with_intervals(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw (x, accuracy, half width of the 95 % interval), and what chance would give."""
    x, y, half = zip(*rows, strict=True)
    axes.errorbar(x, y, yerr=half, marker="o", capsize=3, label="95 % interval over tasks")
    for where, value, width in rows:
        end, points = (where, value - width), "offset points"
        axes.annotate(f"{value:.3f}", end, (5, -2), textcoords=points, va="top", fontsize=8)
    axes.axhline(1 / NUM_WAYS, color="#444444", linestyle=":", linewidth=1, label="chance")
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("share of query images right")
    axes.legend(loc="lower right")


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_characters": q1_characters,
    "q2_inner_steps": q2_inner_steps,
    "learning_curves": learning_curves,
    "tasks": tasks,
}
