"""All explanations of a run, and what they are worth: computed once, kept in one file.

explanations.safetensors in the run's folder, n pictures in the order of ``data.rows``:
    <method>           maps (n, s, s), the more positive the more a pixel speaks for the label
    segments           superpixels of LIME, int64 (n, s, s)
    maps/<layer>       of the filters, for the pictures of the figures (10, filters, h, w)
    excited/<layer>    pictures that excite the filters (filters, 3, s, s)
    metadata           numbers: scores, errors, correlations
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain import network, truth
from mlspring.homeworks.hw09_explain.data import NUM_SHOWN, Data
from mlspring.homeworks.hw09_explain.methods import filters, gradients
from mlspring.homeworks.hw09_explain.methods.lime import Surrogate, lime, superpixels
from mlspring.homeworks.hw09_explain.models import OnPixels
from mlspring.homeworks.hw09_explain.recipe import MapName, Recipe
from mlspring.homeworks.hw09_explain.sanity import randomised
from mlspring.kit import checkpoint
from mlspring.kit.device import Hardware

FILE = "explanations.safetensors"
CHUNK = 32  # pictures at once

BASELINES: dict[str, Callable[[Tensor], Tensor]] = {
    "black": torch.zeros_like,
    "white": torch.ones_like,
    "blur": truth.hidden_pictures,
}

Numbers = dict[str, Any]


def explain(recipe: Recipe, data: Data, run: Run, hardware: Hardware) -> None:
    """Write the explanations of a run, unless they are there."""
    if (run.folder / FILE).exists():
        return
    model = network.explained(recipe, run, hardware)
    images = hardware.images_to_device(network.to_unit(torch.from_numpy(data.images)))
    labels = torch.from_numpy(data.labels).to(hardware.device)
    masks = None if data.masks is None else torch.from_numpy(data.masks).to(hardware.device)
    tensors: dict[str, Tensor] = {}
    numbers: Numbers = {"pictures": answers(model, images, labels), "scores": {}, "sanity": {}}
    seed = run.request.seed
    with bar("explain", len(recipe.maps) + 2, unit="methods") as progress:
        for name in recipe.maps:
            start = time.perf_counter()
            if name == "lime":
                lines = surrogates(model, images, labels, recipe, seed)
                tensors["segments"] = torch.stack([line.segments for line in lines])
                tensors["lime"] = torch.stack([line.attribution for line in lines])
                numbers["r2"] = [round(line.r2, 5) for line in lines]
            else:
                tensors[name] = gradient_maps(name, model, images, labels, recipe, seed)
            seconds = time.perf_counter() - start
            scored = scores(model, images, labels, tensors[name], masks, recipe)
            numbers["scores"][name] = scored | {"seconds": round(seconds, 2)}
            numbers["sanity"][name] = sanity(name, model, images, labels, tensors, recipe, seed)
            progress.advance(1)
        for name_of, unasked in truth.UNASKED.items():
            maps = unasked(images)
            numbers["scores"][name_of] = scores(model, images, labels, maps, masks, recipe)
        progress.advance(1)
        if "integrated" in recipe.explain.methods:
            numbers["completeness"] = completeness(model, images, labels, recipe)
        if "filters" in recipe.explain.methods:
            add_filters(model, images, recipe, seed, tensors, numbers)
        progress.advance(1)
    checkpoint.write_tensors(run.folder / FILE, tensors, numbers)


def read(run: Run) -> tuple[dict[str, Tensor], Numbers]:
    """Return tensors and numbers that ``explain`` wrote.

    Raises:
        RunError: they are missing or damaged.
    """
    return checkpoint.read_tensors(run.folder / FILE)


@torch.no_grad()
def answers(model: nn.Module, images: Tensor, labels: Tensor) -> Numbers:
    """Return label, answer and the label's probability of each picture."""
    found = torch.cat([model(part).softmax(1) for part in images.split(CHUNK)])
    sure = found.gather(1, labels[:, None])[:, 0]
    return {
        "label": labels.tolist(),
        "answer": found.argmax(1).tolist(),
        "probability": [round(p, 5) for p in sure.tolist()],
    }


def gradient_maps(
    name: MapName, model: OnPixels, images: Tensor, labels: Tensor, recipe: Recipe, seed: int
) -> Tensor:
    """Return the maps (n, s, s) of one of the methods by gradients.

    Over the channels it is the largest absolute value, as in the course; of integrated gradients
    the sum, since their parts add up to F(x) - F(x').
    """
    found = []
    for x, y in zip(images.split(CHUNK), labels.split(CHUNK), strict=True):
        if name == "saliency":
            found.append(gradients.saliency(model, x, y).amax(1))
        elif name == "smoothgrad":
            knobs = recipe.smoothgrad.model_dump()
            found.append(gradients.smoothgrad(model, x, y, seed=seed, **knobs).amax(1))
        elif name == "gradcam":
            parts = model.up_to(model.last_maps), model.behind(model.last_maps)
            found.append(gradients.gradcam(*parts, x, y))
        else:
            found.append(integrate(model, x, y, recipe, recipe.integrated.steps)[0].sum(1))
    return torch.cat(found)


def integrate(
    model: nn.Module, images: Tensor, labels: Tensor, recipe: Recipe, num_steps: int
) -> tuple[Tensor, Tensor]:
    """Return integrated gradients and their errors from the recipe's baseline."""
    baselines = BASELINES[recipe.integrated.baseline](images)
    return gradients.integrated(model, images, labels, baselines=baselines, num_steps=num_steps)


def surrogates(
    model: nn.Module, images: Tensor, labels: Tensor, recipe: Recipe, seed: int
) -> list[Surrogate]:
    """Return LIME's line around each picture."""
    knobs, lines = recipe.lime, []
    for image, label in zip(images, labels.tolist(), strict=True):
        segments = superpixels(image, knobs.num_segments, knobs.compactness)
        line = lime(model, image, label, segments, num_samples=knobs.num_samples, seed=seed)
        lines.append(line)
    return lines


def scores(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    maps: Tensor,
    masks: Tensor | None,
    recipe: Recipe,
) -> Numbers:
    """Return what maps are worth, one number a picture; against masks only where there are some."""
    insertion, deletion = [], []
    parts = (images, labels, maps)
    for x, y, m in zip(*(part.split(CHUNK) for part in parts), strict=True):
        coming, going = truth.step_curves(model, x, y, m, recipe.explain.curve_steps)
        insertion.append(truth.area(coming))
        deletion.append(truth.area(going))
    found = {"insertion": torch.cat(insertion), "deletion": torch.cat(deletion)}
    if masks is not None:
        found["pointing"] = truth.points_at_dish(maps, masks)
        found["inside"] = truth.inside_share(maps, masks)
        found["dish"] = masks.float().mean((1, 2))
    return {name: [round(v, 5) for v in value.tolist()] for name, value in found.items()}


def sanity(
    name: MapName,
    model: OnPixels,
    images: Tensor,
    labels: Tensor,
    tensors: dict[str, Tensor],
    recipe: Recipe,
    seed: int,
) -> list[tuple[str, float]]:
    """Return layer and mean rank correlation of the shown pictures' maps, fresh from the top on."""
    x, y, before = images[:NUM_SHOWN], labels[:NUM_SHOWN], tensors[name][:NUM_SHOWN].abs()
    found = []
    for layer, changed in randomised(model, seed):
        if name == "lime":
            lines = surrogates(changed, x, y, recipe, seed)
            after = torch.stack([line.attribution for line in lines]).abs()
        else:
            after = gradient_maps(name, changed, x, y, recipe, seed).abs()
        alike = truth.rank_correlation(before, after).mean().item()
        found.append((layer.removeprefix("network."), round(alike, 5)))
    return found


def completeness(model: nn.Module, images: Tensor, labels: Tensor, recipe: Recipe) -> Numbers:
    """Return mean absolute errors of the shown pictures by number of steps, halved and doubled."""
    x, y, steps = images[:NUM_SHOWN], labels[:NUM_SHOWN], recipe.integrated.steps
    tried = sorted({max(1, steps // 2), steps, 2 * steps})
    errors = {k: integrate(model, x, y, recipe, k)[1].abs().mean().item() for k in tried}
    return {str(k): round(error, 6) for k, error in errors.items()}


def add_filters(
    model: OnPixels,
    images: Tensor,
    recipe: Recipe,
    seed: int,
    tensors: dict[str, Tensor],
    numbers: Numbers,
) -> None:
    """Add what the recipe's filters answer to: maps, pictures, and how excited they were."""
    knobs = recipe.filters
    loop = knobs.model_dump(include={"learning_rate", "jitter"}) | {"num_steps": knobs.steps}
    numbers["excitement"] = {}
    for layer in knobs.layers:
        features = model.up_to(layer)
        chosen, size = knobs.filters, images.shape[-1]
        tensors[f"maps/{layer}"] = filters.activations(features, images[:NUM_SHOWN], chosen)
        excited, way = filters.excite(features, chosen, size, seed=seed, **loop)
        tensors[f"excited/{layer}"] = excited
        best = tensors[f"maps/{layer}"].mean((2, 3)).amax(0)
        numbers["excitement"][str(layer)] = {
            "noise": way[0].tolist(),
            "best picture": best.tolist(),
            "excited": way[-1].tolist(),
        }
