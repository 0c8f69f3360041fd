"""The report figures of homework 15, each with the numbers behind it."""

import numpy as np
from matplotlib.axes import Axes

from mlspring.core.runs import Run
from mlspring.homeworks.hw15_meta.data import NUM_WAYS, Data
from mlspring.homeworks.hw15_meta.methods import METHODS
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.predict import trained
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.tasks import Tasks, make_pools
from mlspring.homeworks.hw15_meta.train import answer, interval, validation_tasks
from mlspring.kit import charts, checkpoint, device, style
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware

INNER_STEPS = (0, 1, 2, 3, 5, 10)
NUM_TASKS = 100  # of the validation, for the figures that answer tasks anew
NUM_SHOWN = 4


def draw(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw every figure of the spec into ``run.figures``."""
    hardware = device.choose_for(run, work="conv")
    _, held_out = make_pools(recipe, data, run.request.seed, hardware.device)
    unseen = validation_tasks(held_out, recipe, run.request.seed)[:NUM_TASKS]
    model = trained(recipe, run, hardware)
    with style.house_style():
        q1_characters(run, recipe)
        q2_inner_steps(run, recipe, model, unseen, hardware)
        charts.loss_and_accuracy(
            run.read_log(), run.figures, items="query images", epoch="thousand tasks"
        )
        tasks_and_answers(run, recipe, model, unseen, hardware)


def q1_characters(run: Run, recipe: Recipe) -> None:
    """Draw accuracy on held-out alphabets against the characters of training, with intervals."""
    found = [
        checkpoint.read_metadata(weights_path(run, number)) for number in range(recipe.num_members)
    ]
    rows = sorted((f["characters"], f["accuracy"], f["half_width"]) for f in found)
    figure = style.new_figure()
    axes = figure.subplots()
    _with_intervals(axes, rows)
    axes.set_xscale("log")
    axes.set_xticks([row[0] for row in rows], [f"{row[0]:,}" for row in rows])
    axes.minorticks_off()
    axes.set_xlabel("characters that training tasks are made of")
    steps = f"Unseen alphabets after {recipe.train.steps:,} steps"
    axes.set_title(steps if len(rows) > 1 else f"{steps}; more points: mlspring run hw15 tasks")
    style.save(figure, run.figures, "q1_characters", ("characters", "accuracy", "+-"), rows)


def q2_inner_steps(
    run: Run, recipe: Recipe, model: Conv4, unseen: Tasks, hardware: Hardware
) -> None:
    """Draw accuracy on held-out alphabets against the inner steps on each task."""
    rows = []
    for steps in INNER_STEPS:
        logits = answer(model, recipe, unseen, hardware, inner_steps=steps)
        measured = interval(logits, unseen)
        rows.append((steps, measured["accuracy"], measured["half_width"]))
    figure = style.new_figure()
    axes = figure.subplots()
    _with_intervals(axes, rows)
    axes.set_xticks(INNER_STEPS)
    axes.set_xlabel("inner steps on an unseen task")
    axes.set_title(f"{len(unseen)} tasks; {_training(recipe)}")
    style.save(figure, run.figures, "q2_inner_steps", ("inner steps", "accuracy", "+-"), rows)


def tasks_and_answers(
    run: Run, recipe: Recipe, model: Conv4, unseen: Tasks, hardware: Hardware
) -> None:
    """Draw some tasks: the support, the queries, and what each query was taken for."""
    shown = unseen[:NUM_SHOWN]
    answers = answer(model, recipe, shown, hardware).argmax(2).numpy()
    labels = shown.labels.cpu().numpy()
    figure = style.new_figure(7.6, 0.9 * len(shown) + 0.5)
    widths = [1.0] * NUM_WAYS + [0.3] + [1.0] * NUM_WAYS  # a gap between support and queries
    panels = figure.subplots(
        len(shown), len(widths), squeeze=False, gridspec_kw={"width_ratios": widths}
    )
    for gap in panels[:, NUM_WAYS]:
        gap.set_axis_off()
    rows = []
    for task, line in enumerate(np.delete(panels, NUM_WAYS, 1)):
        images = np.concatenate((shown.support[task].cpu(), shown.query[task].cpu()))
        for place, (axes, image) in enumerate(zip(line, images, strict=True)):
            axes.imshow(image, cmap="Greys", vmin=0, vmax=1)
            style.hide_axes(axes)
            if place < NUM_WAYS:
                axes.set_title(str(place), loc="center", fontsize=8)
                continue
            taken, truth = answers[task, place - NUM_WAYS], labels[task, place - NUM_WAYS]
            is_right = taken == truth
            said = str(taken) if is_right else f"{taken}, not {truth}"
            colour = "black" if is_right else style.COLOURS[4]
            axes.set_title(said, loc="center", fontsize=8, color=colour)
            rows.append((task, place - NUM_WAYS, truth, taken))
    figure.suptitle(
        "Tasks of held-out alphabets: support left, queries with answers right", fontsize=11
    )
    header = ("task", "query", "class", "taken for")
    style.save(figure, run.figures, "tasks", header, rows)


def _training(recipe: Recipe) -> str:
    """Return what a network's training had to do with inner steps."""
    method, steps = recipe.method.name, recipe.method.inner_steps
    if method in ("transfer", "protonet"):
        has = "trained without inner steps" if method == "transfer" else "has no inner loop"
        return f"{METHODS[method].title}, {has}"
    return f"{METHODS[method].title}, trained with {steps} inner step{'s' if steps > 1 else ''}"


def _with_intervals(axes: Axes, rows: list[tuple[float, float, float]]) -> None:
    """Draw (x, accuracy, half width of the 95 % interval) with the line of chance."""
    x, y, half = zip(*rows, strict=True)
    axes.errorbar(x, y, yerr=half, marker="o", capsize=3, label="95 % interval over tasks")
    for place, value, width in rows:
        beside = {"xytext": (5, -2), "textcoords": "offset points", "va": "top"}
        axes.annotate(f"{value:.3f}", (place, value - width), fontsize=8, **beside)
    axes.axhline(1 / NUM_WAYS, color="#444444", linestyle=":", linewidth=1, label="chance")
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("share of query images right")
    axes.legend(loc="lower right")
