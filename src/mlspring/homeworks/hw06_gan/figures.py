"""The report figures of homework 6, each with the numbers behind it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.ticker import MaxNLocator

from mlspring.core.files import read_json
from mlspring.core.runs import Run
from mlspring.homeworks.hw06_gan import diversity, samples, study
from mlspring.homeworks.hw06_gan.data import Data
from mlspring.homeworks.hw06_gan.predict import predict
from mlspring.homeworks.hw06_gan.recipe import Recipe
from mlspring.kit import charts, device, style
from mlspring.kit.seeding import generator

ACROSS, SQUARE = 10, 7  # pictures in a row of the film; a side of the samples
FILM = 8  # moments of a film strip
BETWEEN = 10  # pictures from one latent to the next
ROWS = 5
EXAMPLES = 8  # pictures whose nearest training face is shown


def q1_losses(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the discriminator's loss and the distance of GAN and WGAN on the same faces."""
    told = read_json(study.path(run))
    figure = style.new_figure(8.4, 3.4)
    panels = figure.subplots(1, 2)
    rows: list[tuple[Any, ...]] = []
    for axes, name in zip(panels, (study.GAN, study.WGAN), strict=True):
        losses = told[name]["losses"]
        steps = list(range(1, len(losses) + 1))
        axes.plot(steps, losses, color=style.COLOURS[0], linewidth=1.0)
        axes.set_xlabel("step")
        axes.set_ylabel("discriminator's loss" if name == study.GAN else "critic's loss")
        axes.set_title(name)
        beside = axes.twinx()
        moments = [(int(step), d) for step, d in told[name]["distances"].items()]
        beside.plot(*zip(*moments, strict=True), color=style.COLOURS[1], marker="s", linestyle="--")
        beside.set_ylabel("Frechet distance", color=style.COLOURS[1])
        beside.set_ylim(bottom=0)
        beside.grid(visible=False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        rows += [(name, "loss", step, value) for step, value in zip(steps, losses, strict=True)]
        rows += [(name, "distance", step, value) for step, value in moments]
    style.save(figure, run.figures, "q1_losses", ("training", "what", "step", "value"), rows)


def q2_gradients(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the gradient's norm at each layer of a critic, by how the critic is bounded."""
    told = read_json(study.path(run))
    figure = style.new_figure(6.4, 4.0)
    axes = figure.subplots()
    rows: list[tuple[Any, ...]] = []
    shown = {name: one["norms"] for name, one in told.items() if one["norms"]}
    for number, (name, norms) in enumerate(shown.items()):
        layers = range(1, len(norms) + 1)
        axes.plot(layers, norms, marker=style.MARKERS[number], label=name)
        rows += [(name, layer, norm) for layer, norm in zip(layers, norms, strict=True)]
    axes.set_xlabel("convolution of the critic, 1 sees the picture")
    axes.set_ylabel("log10 of the norm of d loss / d output")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("Gradients on their way back through a critic")
    figure.legend(loc="outside lower center", ncols=2)
    header = ("bounded by", "layer", "log10 of the gradient's norm")
    style.save(figure, run.figures, "q2_gradients", header, rows)


def pictures(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw generated faces beside real ones."""
    made = predict(recipe, data, run)[: SQUARE**2]
    figure = style.new_figure(9.6, 5.0)
    real = np.asarray(data.valid[: len(made)])
    for axes, shown, title in zip(
        figure.subplots(1, 2), (made, real), ("Generated", "Real, held out"), strict=True
    ):
        axes.imshow(samples.tiled(np.asarray(shown), SQUARE))
        axes.set_title(title)
        style.hide_axes(axes)
    rows = [(i + 1, *picture.mean((0, 1)).round(1).tolist()) for i, picture in enumerate(made)]
    style.save(figure, run.figures, "samples", ("picture", "red", "green", "blue"), rows)


def film(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw pictures of the same latents as the generator learns: a row a moment."""
    grids = samples.grids(run)
    chosen = np.unique(np.linspace(0, len(grids) - 1, min(FILM, len(grids))).round().astype(int))
    steps = [list(grids)[i] for i in chosen]
    figure = style.new_figure(6.4, 0.2 + 0.6 * len(steps))
    axes = figure.subplots()
    board = np.concatenate([grids[step][:ACROSS] for step in steps])
    axes.imshow(samples.tiled(board, ACROSS))
    style.hide_axes(axes)
    side = board.shape[1]
    axes.set_yticks([side * (i + 0.5) for i in range(len(steps))], [str(s) for s in steps])
    axes.set_ylabel("step")
    log = [entry for entry in run.read_log() if "valid/distance" in entry]
    rows = [(entry["step"], entry["epoch"], entry["valid/distance"]) for entry in log]
    style.save(figure, run.figures, "film", ("step", "epoch", "distance"), rows)


def interpolation(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw what lies between latents, along great circles: Gaussian latents have one length."""
    hardware = device.choose_for(run, work="conv")
    network = samples.finished(recipe, run, hardware)
    stream = generator(run.request.seed, "fixed")
    ends = samples.draw_latents(network, 2 * ROWS, stream).view(2, ROWS, -1)
    shares = torch.linspace(0, 1, BETWEEN)
    ways = torch.stack([between(ends[0], ends[1], share) for share in shares.tolist()], dim=1)
    made = samples.draw_pictures(network, ways.flatten(0, 1), hardware)
    figure = style.new_figure(9.6, 5.0)
    axes = figure.subplots()
    axes.imshow(samples.tiled(made, BETWEEN))
    style.hide_axes(axes)
    axes.set_title("From the left latent to the right one")
    moved = np.abs(np.diff(made.reshape(ROWS, BETWEEN, -1).astype(float), axis=1)).mean(2)
    rows = [(i + 1, *line.round(2).tolist()) for i, line in enumerate(moved)]
    header = ("row", *(f"change of step {i + 1}" for i in range(BETWEEN - 1)))
    style.save(figure, run.figures, "interpolation", header, rows)


def between(a: torch.Tensor, b: torch.Tensor, share: float) -> torch.Tensor:
    """Return latents on the great circle from ``a`` to ``b``, row by row: (N, Z)."""
    cosine = (a * b).sum(1, keepdim=True) / (a.norm(dim=1) * b.norm(dim=1))[:, None]
    angle = cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos()
    whole = ((1 - share) * angle).sin() * a + (share * angle).sin() * b
    return whole / angle.sin()


def neighbours(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw generated faces above their nearest training faces, the nearest pairs first."""
    made = predict(recipe, data, run)
    found = diversity.measure(made, np.asarray(data.valid), data.train)
    order = np.argsort(found.distances)
    chosen = [*order[:EXAMPLES], *order[:: max(1, len(order) // EXAMPLES)][:EXAMPLES]]
    figure = style.new_figure(9.6, 1.9)
    titles = ("The nearest of all", "Any, from near to far")
    for axes, title, part in zip(
        figure.subplots(1, 2), titles, (chosen[:EXAMPLES], chosen[EXAMPLES:]), strict=True
    ):
        pairs = np.concatenate([made[part], data.train[found.nearest[part]]])
        axes.imshow(samples.tiled(pairs, len(part)))
        style.hide_axes(axes)
        axes.set_title(title)
    figure.supxlabel(
        f"above: generated; below: its nearest training face. "
        f"{found.copies} of {len(made)} are copies, {found.duplicates} duplicates"
    )
    rows = [
        (i + 1, int(found.nearest[i]), round(float(found.distances[i]), 2))
        for i in range(len(made))
    ]
    header = ("picture", "nearest training face", "distance, grey levels")
    style.save(figure, run.figures, "neighbours", header, rows)


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw both losses and the distance against the step."""
    entries: Sequence[dict[str, Any]] = run.read_log()
    figure = style.new_figure(9.6, 3.2)
    names = {
        "loss": "discriminator's loss",
        "generator_loss": "generator's loss",
        "distance": "Frechet distance",
    }
    for axes, (name, title) in zip(figure.subplots(1, 3), names.items(), strict=True):
        charts.curves(axes, entries, name, against="step")
        axes.set_xlabel("step")
        axes.set_title(title.capitalize())
    header = ("step", "train/loss", "train/generator_loss", "valid/distance")
    rows = [[entry.get(key, "") for key in header] for entry in entries]
    style.save(figure, run.figures, "learning_curves", header, rows)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_losses": q1_losses,
    "q2_gradients": q2_gradients,
    "samples": pictures,
    "film": film,
    "interpolation": interpolation,
    "neighbours": neighbours,
    "learning_curves": learning_curves,
}
