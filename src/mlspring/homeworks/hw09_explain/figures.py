"""The report figures of homework 9, each with the numbers behind it.

Dark is much: a map reads in grey. Ten pictures stand side by side, as in the course.
"""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain.data import NUM_SHOWN, Data
from mlspring.homeworks.hw09_explain.explain import Numbers, read
from mlspring.homeworks.hw09_explain.recipe import MAPS, MapName, Recipe
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
SHORT = ("bread", "dairy", "dessert", "egg", "fried", "meat", "noodles", "rice", "seafood", "soup")
SCORES = {  # header, and the direction in which it is better
    "pointing": "highest pixel on the dish",
    "inside": "share inside the dish",
    "insertion": "insertion area",
    "deletion": "deletion area (less is better)",
}
FADED = 0.25  # of a picture's contrast is left where a map says nothing
Floats = NDArray[np.float32]


def lime(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw what speaks for the label and what against it, in superpixels; say R^2 of each line."""
    if "lime" not in recipe.maps:
        return _absent(run, "lime")
    tensors, numbers = read(run)
    images, weights = _pictures(data), tensors["lime"][:NUM_SHOWN].numpy()
    figure, panels = _grid(("picture", "for the label", "against it"), len(images))
    for column, (image, weight) in enumerate(zip(images, weights, strict=True)):
        strength = weight / max(np.abs(weight).max(), 1e-12)
        rows = (image, _lit(image, strength), _lit(image, -strength))
        for row, picture in enumerate(rows):
            panels[row][column].imshow(picture)
        panels[2][column].set_xlabel(f"$R^2$ {numbers['r2'][column]:.2f}", fontsize=8)
    _caption(panels[0], numbers)
    figure.suptitle("LIME: superpixels by their weight, full colour is the largest of a picture")
    header = ("picture", "class", "superpixel", "weight", "r2")
    rows_of = []
    for number, label in enumerate(numbers["pictures"]["label"][:NUM_SHOWN]):
        segments = tensors["segments"][number].numpy()
        for segment in np.unique(segments):
            weight = float(weights[number][segments == segment][0])
            r2 = numbers["r2"][number]
            rows_of.append((number, CLASS_NAMES[label], int(segment), round(weight, 5), r2))
    return style.save(figure, run.figures, "lime", header, rows_of)


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
        return _absent(run, name)
    tensors, numbers = read(run)
    images, maps = _pictures(data), tensors[name][:NUM_SHOWN].clamp(min=0).numpy()
    figure, panels = _grid(("picture", "map", "lit by it"), len(images))
    for column, (image, heat) in enumerate(zip(images, maps, strict=True)):
        scaled = heat / max(float(np.quantile(heat, 0.995)), 1e-12)  # one pixel darkens no map
        panels[0][column].imshow(image)
        panels[1][column].imshow(scaled, cmap="Greys", vmin=0, vmax=1)
        panels[2][column].imshow(_lit(image, scaled))
    _caption(panels[0], numbers)
    figure.suptitle(title)
    scored = numbers["scores"][name]
    header = ("picture", "class", "called", "probability", *(k for k in SCORES if k in scored))
    answers = numbers["pictures"]
    rows = [
        (
            *(
                number,
                CLASS_NAMES[answers["label"][number]],
                CLASS_NAMES[answers["answer"][number]],
            ),
            answers["probability"][number],
            *(scored[key][number] for key in SCORES if key in scored),
        )
        for number in range(len(images))
    ]
    return style.save(figure, run.figures, name, header, rows)


def filters(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw a row for each filter: the picture that excites it most, and its maps of the ten."""
    if "filters" not in recipe.explain.methods:
        return _absent(run, "filters")
    tensors, numbers = read(run)
    knobs, images = recipe.filters, _pictures(data)
    shown = knobs.filters[:2]  # more would be too small to see; the CSV has them all
    names = [f"layer {layer}\nfilter {one}" for layer in knobs.layers for one in shown]
    figure, panels = _grid(("", *names), len(images) + 1)
    panels[0][0].set_title("excites it", fontsize=8)
    for column, image in enumerate(images, start=1):
        panels[0][column].imshow(image)
    for row, (layer, place) in enumerate(
        ((layer, place) for layer in knobs.layers for place in range(len(shown))), start=1
    ):
        panels[row][0].imshow(_shown(tensors[f"excited/{layer}"])[place])
        for column, found in enumerate(tensors[f"maps/{layer}"][:, place].numpy(), start=1):
            panels[row][column].imshow(found, cmap="Greys")
    _caption(panels[0][1:], numbers)
    figure.suptitle("Filters: what excites them, and what they find in the ten pictures")
    header = ("layer", "filter", "noise", "best picture", "excited")
    rows = [
        (layer, one, *(round(told[key][place], 5) for key in header[2:]))
        for layer, told in numbers["excitement"].items()
        for place, one in enumerate(knobs.filters)
    ]
    return style.save(figure, run.figures, "filters", header, rows)


def truth(run: Run, _recipe: Recipe, data: Data) -> None:
    """Draw the scores of every map, beside two that ask no network; the CSV is the table."""
    _, numbers = read(run)
    scored = numbers["scores"]
    names = [name for name in TITLES if name in scored]
    keys = [key for key in SCORES if key in scored["edges"]]
    figure = style.new_figure(9.6, 0.34 * len(names) + 1.6)
    panels = figure.subplots(1, len(keys), squeeze=False, sharey=True)[0]
    for axes, key in zip(panels, keys, strict=True):
        values = [_mean(scored[name][key]) for name in names]
        asks = [name in MAPS for name in names]
        colours = [style.COLOURS[0] if one else "#aaaaaa" for one in asks]
        axes.barh(range(len(names)), values, 0.7, color=colours)
        for y, value in enumerate(values):
            axes.text(value, y, f" {value:.3f}", va="center", fontsize=7.5)
        axes.set_title(SCORES[key], fontsize=8.5)
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
    rows = [
        (
            *(name, *(round(_mean(scored[name][key]), 5) for key in known_too)),
            scored[name].get("seconds", ""),
        )
        for name in names
    ]
    style.save(figure, run.figures, "truth", header, rows)


def sanity(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw how alike each method's maps stay while layers are made random, the last one first."""
    if not recipe.maps:
        return _absent(run, "sanity")
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
        return _absent(run, "completeness")
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
    charts.loss_and_accuracy(run.read_log(), run.figures)


def _pictures(data: Data) -> Floats:
    """Return the pictures of the figures in 0 .. 1: (10, s, s, 3)."""
    return np.asarray(data.images[:NUM_SHOWN] / 255, np.float32)


def _shown(images: Tensor) -> Floats:
    return images.permute(0, 2, 3, 1).numpy()


def _lit(image: Floats, strength: Floats) -> Floats:
    """Return the picture (s, s, 3) in its colours where ``strength`` (s, s) is 1, pale where 0."""
    share = FADED + (1 - FADED) * np.clip(strength, 0, 1)[..., None]
    return np.asarray(1 - share * (1 - image))


def _grid(rows: Sequence[str], columns: int) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure of empty panels, the name of each row at its left."""
    figure = style.new_figure(0.95 * columns + 0.9, 1.0 * len(rows) + 0.8)
    panels = figure.subplots(len(rows), columns, squeeze=False)
    for axes in panels.flat:
        style.hide_axes(axes)
    for name, axes in zip(rows, panels[:, 0], strict=True):
        axes.set_ylabel(name, fontsize=8)
    return figure, panels.tolist()


def _caption(panels: Sequence[Axes], numbers: Numbers) -> None:
    """Write above each picture its class, and in brackets what the network calls it, if wrong."""
    answers = numbers["pictures"]
    for axes, label, answer in zip(panels, answers["label"], answers["answer"], strict=False):
        wrong = "" if answer == label else f"\n({_short(answer)})"
        axes.set_title(f"{_short(label)}{wrong}", fontsize=8, loc="center")


def _short(label: int) -> str:
    return SHORT[label] if label < len(SHORT) else "vegetable"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _absent(run: Run, name: str) -> None:
    """Draw a sentence in place of a figure whose method is not in the run's recipe."""
    figure = style.new_figure(5.2, 1.2)
    axes = figure.subplots()
    style.hide_axes(axes)
    words = "this run has no such method: explain.methods in recipe.toml\nall: mlspring run hw09"
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes)
    style.save(figure, run.figures, name, ("explain.methods",), [])


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
    "learning_curves": learning_curves,
}
