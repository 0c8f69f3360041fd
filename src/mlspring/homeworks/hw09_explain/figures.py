"""The report figures of homework 9, each with the numbers behind it.

Dark is much: a map reads in grey. Ten pictures stand side by side, as in the course.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain.data import NUM_SHOWN, Data
from mlspring.homeworks.hw09_explain.explain import read
from mlspring.homeworks.hw09_explain.mosaic import (
    Floats,
    absent,
    captions,
    dark,
    enlarged,
    lit,
    mosaic,
)
from mlspring.homeworks.hw09_explain.recipe import MAPS, MapName, Recipe
from mlspring.homeworks.hw09_explain.text import figures as of_texts
from mlspring.kit import charts, style
from mlspring.worlds.food import CLASS_NAMES

TITLES = {
    "lime": "LIME",
    "saliency": "saliency",
    "smoothgrad": "SmoothGrad",
    "integrated": "integrated gradients",
    "gradcam": "Grad-CAM",
    "edges": "edges (no network)",
    "middle": "middle (no network)",
}
SCORES = {  # header, and the direction in which it is better
    "pointing": "highest pixel on the dish",
    "inside": "share inside the dish",
    "insertion": "insertion area",
    "deletion": "deletion area, less is better",
}
SHOWN_FILTERS = 2  # of each layer; more would be too small to see, the CSV has them all


def lime(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw what speaks for the label and what against it, in superpixels; say R^2 of each line."""
    if "lime" not in recipe.maps:
        return absent(run, "lime")
    tensors, numbers = read(run)
    images, weights = _pictures(data), tensors["lime"][:NUM_SHOWN].numpy()
    strengths = weights / np.abs(weights).max((1, 2), keepdims=True).clip(1e-12)
    rows = {
        "picture": images,
        "for the label": lit(images, strengths),
        "against it": lit(images, -strengths),
    }
    below = [f"$R^2$ {r2:.2f}" for r2 in numbers["r2"][:NUM_SHOWN]]
    figure = mosaic(rows, captions(numbers), below)
    figure.suptitle("LIME: superpixels by their weight, full colour is the largest of a picture")
    header = ("picture", "class", "superpixel", "weight", "r2")
    table = []
    for number, label in enumerate(numbers["pictures"]["label"][:NUM_SHOWN]):
        segments = tensors["segments"][number].numpy()
        for segment in np.unique(segments):
            weight = float(weights[number][segments == segment][0])
            r2 = numbers["r2"][number]
            table.append((number, CLASS_NAMES[label], int(segment), round(weight, 5), r2))
    return style.save(figure, run.figures, "lime", header, table)


def saliency(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw where a small change of a pixel moves the label's logit most."""
    _maps(run, recipe, data, "saliency", "Saliency: |gradient of the label's logit|")


def smoothgrad(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw the mean of the gradient over noisy copies."""
    knobs = recipe.smoothgrad
    title = f"SmoothGrad: {knobs.num_samples} copies, noise {knobs.noise_level:g} of the range"
    _maps(run, recipe, data, "smoothgrad", title)


def integrated(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw what each pixel adds on the way from the baseline; only what speaks for the label."""
    knobs = recipe.integrated
    title = f"Integrated gradients from {knobs.baseline}, {knobs.steps} steps: what adds to F(x)"
    _maps(run, recipe, data, "integrated", title)


def gradcam(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw which places of the last layer's maps speak for the label."""
    _maps(run, recipe, data, "gradcam", "Grad-CAM: the last maps, weighted by what they are worth")


def _maps(run: Run, recipe: Recipe, data: Data, name: MapName, title: str) -> None:
    """Draw pictures, maps and pictures lit by their maps; the CSV says how they are spread."""
    if name not in recipe.maps:
        return absent(run, name)
    tensors, numbers = read(run)
    images, maps = _pictures(data), tensors[name][:NUM_SHOWN].clamp(min=0).numpy()
    # the 200th part of the pixels is all dark: one pixel alone would make the others pale
    most = np.quantile(maps, 0.995, axis=(1, 2), keepdims=True).clip(1e-12)
    scaled = (maps / most).clip(0, 1)
    rows = {"picture": images, "map": dark(scaled), "lit by it": lit(images, scaled)}
    figure = mosaic(rows, captions(numbers))
    figure.suptitle(title)
    scored = numbers["scores"][name]
    header = ("picture", "class", "called", "probability", *(k for k in SCORES if k in scored))
    told = numbers["pictures"]
    called = zip(told["label"], told["answer"], told["probability"], strict=True)
    table = [
        (
            *(number, CLASS_NAMES[label], CLASS_NAMES[answer], probability),
            *(scored[key][number] for key in SCORES if key in scored),
        )
        for number, (label, answer, probability) in enumerate(list(called)[: len(images)])
    ]
    return style.save(figure, run.figures, name, header, table)


def filters(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw a row for each filter: the picture that excites it most, and its maps of the ten."""
    if "filters" not in recipe.explain.methods:
        return absent(run, "filters")
    tensors, numbers = read(run)
    knobs, images = recipe.filters, _pictures(data)
    rows = {"": np.concatenate((np.ones_like(images[:1]), images))}
    for layer in knobs.layers:
        for place, one in enumerate(knobs.filters[:SHOWN_FILTERS]):
            excited = tensors[f"excited/{layer}"][place].permute(1, 2, 0).numpy()
            found = enlarged(tensors[f"maps/{layer}"][:, place].numpy(), images.shape[1])
            lowest, highest = found.min(), found.max()
            maps = dark((found - lowest) / max(highest - lowest, 1e-12))
            rows[f"layer {layer}\nfilter {one}"] = np.concatenate((excited[None], maps))
    figure = mosaic(rows, ["excites it", *captions(numbers)])
    figure.suptitle("Filters: what excites them, and what they find in the ten pictures")
    header = ("layer", "filter", "noise", "best picture", "excited")
    table = [
        (layer, one, *(round(told[key][place], 5) for key in header[2:]))
        for layer, told in numbers["excitement"].items()
        for place, one in enumerate(knobs.filters)
    ]
    return style.save(figure, run.figures, "filters", header, table)


def truth(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw the scores of every map, beside two that ask no network; the CSV is the table."""
    if not recipe.looks:
        return absent(run, "truth")
    _, numbers = read(run)
    scored = numbers["scores"]
    names = [name for name in TITLES if name in scored]
    keys = [key for key in SCORES if key in scored["edges"]]
    figure = style.new_figure(10.2, 0.34 * len(names) + 1.6)
    panels = figure.subplots(1, len(keys), squeeze=False, sharey=True)[0]
    for axes, key in zip(panels, keys, strict=True):
        values = [_mean(scored[name][key]) for name in names]
        asks = [name in MAPS for name in names]
        colours = [style.COLOURS[0] if one else "#aaaaaa" for one in asks]
        axes.barh(range(len(names)), values, 0.7, color=colours)
        for y, value in enumerate(values):
            axes.text(value, y, f" {value:.3f}", va="center", fontsize=7.5)
        axes.set_title(SCORES[key], fontsize=7.5)
        axes.set_xlim(0, 1.35 * max(values))
        axes.grid(visible=False, axis="y")
        if key in ("pointing", "inside"):
            axes.axvline(_mean(scored["edges"]["dish"]), color="#444444", linestyle="--", lw=1)
    panels[0].set_yticks(range(len(names)), [TITLES[name] for name in names])
    panels[0].invert_yaxis()
    known = "dashed: share of the dish" if data.masks is not None else "nobody knows the dish here"
    figure.suptitle(
        f"Mean over {len(numbers['pictures']['label'])} pictures ({known})", fontsize=10
    )
    known_too = [*keys, *(["dish"] if data.masks is not None else [])]
    header = ("method", *known_too, "seconds")
    means = {name: [round(_mean(scored[name][key]), 5) for key in known_too] for name in names}
    rows = [(name, *means[name], scored[name].get("seconds", "")) for name in names]
    return style.save(figure, run.figures, "truth", header, rows)


def sanity(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw how alike each method's maps stay while layers are made random, the last one first."""
    if not recipe.maps:
        return absent(run, "sanity")
    _, numbers = read(run)
    figure = style.new_figure(7.2, 3.8)
    axes = figure.subplots()
    for number, name in enumerate(recipe.maps):
        layers, alike = zip(*numbers["sanity"][name], strict=True)
        axes.plot(
            ("none", *layers), (1.0, *alike), marker=style.MARKERS[number], label=TITLES[name]
        )
    axes.set_xlabel("made random, down to this layer")
    axes.set_ylabel("rank correlation of |map|")
    axes.set_ylim(min(-0.1, axes.get_ylim()[0]), 1.05)
    axes.set_title("What is left of the maps without what was learnt")
    axes.legend()
    rows = [(name, *told) for name in recipe.maps for told in numbers["sanity"][name]]
    return style.save(figure, run.figures, "sanity", ("method", "layer", "correlation"), rows)


def completeness(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw the completeness error of integrated gradients against the steps."""
    if "integrated" not in recipe.maps:
        return absent(run, "completeness")
    errors = read(run)[1]["completeness"]
    figure = style.new_figure(5.2, 3.4)
    axes = figure.subplots()
    axes.plot([int(k) for k in errors], list(errors.values()), marker="o")
    axes.set_xlabel("steps from x' to x")
    axes.set_ylabel("|sum - (F(x) - F(x'))|, mean")
    axes.set_ylim(bottom=0)
    axes.set_title("Completeness error")
    return style.save(
        figure, run.figures, "completeness", ("steps", "mean absolute error"), errors.items()
    )


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw how the network learnt; of a given one there is a point."""
    entries = [entry for entry in run.read_log() if entry["member"] == 0]
    charts.loss_and_accuracy(entries, run.figures)


def _pictures(data: Data) -> Floats:
    """Return the pictures of the figures in 0 .. 1: (10, s, s, 3)."""
    return np.asarray(data.images[:NUM_SHOWN] / 255, np.float32)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "lime": lime,
    "saliency": saliency,
    "smoothgrad": smoothgrad,
    "filters": filters,
    "integrated": integrated,
    "gradcam": gradcam,
    "completeness": completeness,
    "truth": truth,
    "sanity": sanity,
    **of_texts.FIGURES,
    "learning_curves": learning_curves,
}
