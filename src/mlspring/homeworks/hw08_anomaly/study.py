"""The two small networks of the report: a fully connected autoencoder and its variational twin."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.core.runs import Run
from mlspring.homeworks.hw08_anomaly.data import Data
from mlspring.homeworks.hw08_anomaly.models import Autoencoder
from mlspring.homeworks.hw08_anomaly.predict import finished, to_images
from mlspring.homeworks.hw08_anomaly.recipe import Recipe
from mlspring.homeworks.hw08_anomaly.train import kl_divergence
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.seeding import generator

NAMES = ("autoencoder", "VAE")
PLAIN, VARIATIONAL = 1, 2  # their numbers in a run
MOST = 500  # held-out faces that are measured

Told = dict[str, Any]


@torch.inference_mode()
def compare(run: Run, recipe: Recipe, data: Data, num: int) -> Told:
    """Return faces, reconstructions and samples of both networks, and what was measured of them.

    Pictures are (num, s, s, 3), values 0 .. 1. A sample is what the decoder makes of a code drawn
    from the standard normal distribution, in both networks the same; a plain autoencoder's codes
    are given the mean and the spread of its codes of faces, without which they mean nothing.
    """
    told: Told = {"rows": []}
    for name, number in zip(NAMES, (PLAIN, VARIATIONAL), strict=True):
        model, images = _opened(run, number, recipe, data)
        seen = model(images)
        drawn = torch.randn(num, seen.mean.shape[1], generator=generator(run.request.seed, name))
        codes = drawn.to(images.device)
        divergence = ""
        if seen.log_variance is None:
            codes = seen.mean.mean(0) + codes * seen.mean.std(0)
        else:
            divergence = f"{kl_divergence(seen.mean, seen.log_variance).mean().item():.4g}"
        told["original"] = _pictures(images[:num])
        told[f"{name} reconstruction"] = _pictures(seen.images[:num])
        told[f"{name} sample"] = _pictures(model.decode(codes))
        error = (seen.images - images).square().mean().item()
        area = checkpoint.read_metadata(weights_path(run, number))["auc"]
        told["rows"].append((name, f"{error:.5f}", divergence, f"{area:.5f}"))
    return told


@torch.inference_mode()
def change(
    run: Run, recipe: Recipe, data: Data, num: int, factors: Sequence[float], num_faces: int
) -> Told:
    """Return what multiplying elements of the plain network's code does to faces.

    ``elements`` are the ``num`` whose doubling changes pictures most, each with ``num_faces`` rows
    in ``pictures``: original, reconstruction and one picture a factor, (2 + factors, s, s, 3).
    ``rows`` holds for every element the mean and the spread of its values, and the mean distance
    that each factor moves a reconstruction (Euclidean norm over all pixels).
    """
    model, images = _opened(run, PLAIN, recipe, data)
    code, _ = model.encode(images)
    plain = model.decode(code)
    distances = torch.stack(
        [
            torch.stack([_distance(model.decode(_times(code, e, f)), plain) for f in factors])
            for e in range(code.shape[1])
        ]
    )  # (z, factors)
    largest = distances[:, list(factors).index(2)].argsort(descending=True)[:num].tolist()
    told: Told = {"elements": [], "pictures": [], "rows": []}
    for element in largest:
        # the faces that have most of it: of others little is there to multiply
        for face in code[:, element].abs().argsort(descending=True)[:num_faces].tolist():
            one = code[face : face + 1]
            changed = [model.decode(_times(one, element, factor)) for factor in factors]
            row = torch.cat((images[face : face + 1], plain[face : face + 1], *changed))
            told["pictures"].append(_pictures(row))
            told["elements"].append(element)
    for element, values in enumerate(code.T):
        spread = (f"{values.mean().item():.4g}", f"{values.std().item():.4g}")
        told["rows"].append((element, *spread, *(f"{d:.4g}" for d in distances[element].tolist())))
    return told


def _opened(run: Run, number: int, recipe: Recipe, data: Data) -> tuple[Autoencoder, Tensor]:
    """Return a network of the study and held-out faces as it sees them, (n, 3, s, s)."""
    hardware = device.choose_for(run, work=recipe.work)
    pixels = torch.from_numpy(data.held_out[:MOST])
    model = finished(run, number, recipe, hardware)
    return model, to_images(pixels, recipe.of(number).data.image_size, hardware)


def _times(code: Tensor, element: int, factor: float) -> Tensor:
    changed = code.clone()
    changed[:, element] *= factor
    return changed


def _distance(changed: Tensor, plain: Tensor) -> Tensor:
    return (changed - plain).flatten(1).norm(dim=1).mean()


def _pictures(images: Tensor) -> NDArray[np.float64]:
    shown: NDArray[np.float64] = ((images.permute(0, 2, 3, 1) + 1) / 2).clamp(0, 1).cpu().numpy()
    return shown
