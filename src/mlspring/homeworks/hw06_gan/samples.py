"""Pictures of a generator: drawn, measured, kept in the run's folder as it learns.

RUN/samples/00000625.png     100 pictures of the same latents, ten in a row, at each validation
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from mlspring.core.errors import RunError
from mlspring.core.files import atomic_path
from mlspring.core.runs import Run
from mlspring.homeworks.hw06_gan import features, methods
from mlspring.homeworks.hw06_gan.data import Data
from mlspring.homeworks.hw06_gan.distances import frechet_distance
from mlspring.homeworks.hw06_gan.features import Pixels
from mlspring.homeworks.hw06_gan.recipe import Recipe
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import generator

CHUNK = 100  # pictures at once
ACROSS, GRID = 10, 100  # pictures in a row of the grid, and in all
MEASURED = 500  # generated pictures in a validation, and at most as many faces


def draw_latents(network: nn.Module, num: int, stream: torch.Generator) -> Tensor:
    """Return latents that a generator takes, N(0, 1) on the CPU: (num, num_latents)."""
    return torch.randn(num, int(network.num_latents), generator=stream)  # type: ignore[arg-type]


@torch.no_grad()
def draw_pictures(network: nn.Module, latents: Tensor, hardware: Hardware) -> Pixels:
    """Return pictures of latents, uint8 (N, 64, 64, 3), by the generator in evaluation mode."""
    was_training = network.training
    network.eval()
    parts = []
    for part in latents.split(CHUNK):
        with hardware.autocast():
            images = network(part.to(hardware.device)).float()
        pixels = ((images.clamp(-1, 1) + 1) * 127.5).round()
        parts.append(pixels.nan_to_num().to(torch.uint8).permute(0, 2, 3, 1).cpu())
    network.train(was_training)
    return torch.cat(parts).contiguous().numpy()


def measure(
    network: nn.Module, data: Data, run: Run, step: int, hardware: Hardware, ranks: Ranks = ALONE
) -> dict[str, float]:
    """Return ``valid__distance``, the Frechet distance to held-out faces; keep the grid.

    It is measured as the judge does, but with fewer pictures, so it reads higher; that of two sets
    of as many real faces is not 0 either.
    """
    distance = 0.0
    if ranks.is_main:
        seed = run.request.seed
        latents = draw_latents(network, max(MEASURED, GRID), generator(seed, "fixed"))
        pictures = draw_pictures(network, latents, hardware)
        save_grid(run.folder / "samples" / f"{step:08d}.png", pictures[:GRID])
        distance = distance_to(pictures, data.valid[:MEASURED])
    return {"valid__distance": ranks.broadcast(distance)}


def distance_to(pictures: Pixels, faces: Pixels) -> float:
    """Return the Frechet distance of pictures to as many faces, all as JPEG files."""
    num = min(len(pictures), len(faces))
    seen, known = (features.read(features.compressed(p[:num]))[0] for p in (pictures, faces))
    return round(frechet_distance(seen, known), 4)


def save_grid(path: Path, pictures: Pixels) -> None:
    """Write pictures (N, S, S, 3) as one, ten in a row."""
    path.parent.mkdir(exist_ok=True)
    with atomic_path(path) as partial:
        Image.fromarray(tiled(pictures, ACROSS)).save(partial, "PNG")


def tiled(pictures: Pixels, across: int) -> Pixels:
    """Return pictures (N, S, S, 3) as one picture (rows * S, across * S, 3)."""
    num, side = len(pictures), pictures.shape[1]
    rows = -(-num // across)
    board = np.full((rows * across, side, side, 3), 255, np.uint8)
    board[:num] = pictures
    board = board.reshape(rows, across, side, side, 3).transpose(0, 2, 1, 3, 4)
    return board.reshape(rows * side, across * side, 3)


def grids(run: Run) -> dict[int, Pixels]:
    """Return the kept grids by their step, each as pictures (100, 64, 64, 3)."""
    found = {}
    for path in sorted((run.folder / "samples").glob("*.png")):
        with Image.open(path, formats=("PNG",)) as image:
            board = np.asarray(image.convert("RGB"))
        side, rows = board.shape[1] // ACROSS, GRID // ACROSS
        if board.shape != (rows * side, ACROSS * side, 3):
            raise RunError("is no grid of samples", file=path)
        tiles = board.reshape(rows, side, ACROSS, side, 3).transpose(0, 2, 1, 3, 4)
        found[int(path.stem)] = tiles.reshape(GRID, side, side, 3)
    return found


def finished(recipe: Recipe, run: Run, hardware: Hardware) -> nn.Module:
    """Return the generator of a finished run.

    Raises:
        RunError: its file is missing, damaged or of another network.
    """
    network = methods.new_generator(recipe.model, recipe.method)
    checkpoint.load_weights(weights_path(run, 0), network)
    return hardware.to_device(network.eval().requires_grad_(False))
