"""From a picture to where it is suspicious, and from there to one number.

An error averaged over the whole picture hardly sees a small part that is wrong among all the
harmless detail. So the error is averaged over windows, and the worst window counts.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw08_anomaly import models
from mlspring.homeworks.hw08_anomaly.data import Data
from mlspring.homeworks.hw08_anomaly.models import Autoencoder, Seen
from mlspring.homeworks.hw08_anomaly.recipe import Recipe, ScoreKnobs
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import predict_all

BATCH = 100  # pictures at once
ERROR, SCORE = 0, 1  # columns of what is measured


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.float64]:
    """Return the score of every test picture, float64 (m,): the larger, the more suspicious."""
    hardware = device.choose_for(run, work=recipe.work)
    model = finished(run, 0, recipe, hardware)
    pixels = torch.from_numpy(data.test)
    with bar("predict", len(pixels), unit="pictures") as progress:

        def seen(part: slice) -> Tensor:
            progress.advance(part.stop - part.start)
            return to_images(pixels[part], recipe.data.image_size, hardware)

        measured = examine(model, seen, len(pixels), recipe.score, hardware)
    return measured[:, SCORE].double().numpy()


def finished(run: Run, number: int, recipe: Recipe, hardware: Hardware) -> Autoencoder:
    """Return a trained network of a run, by its number, in evaluation mode."""
    own = recipe.of(number)
    model = models.build(own.model, own.classifier, own.data.image_size)
    checkpoint.load_weights(weights_path(run, number), model)
    return hardware.to_device(model).eval()


def to_images(pixels: Tensor, size: int, hardware: Hardware) -> Tensor:
    """Return pixels, uint8 (n, s, s, 3), as inputs: (n, 3, size, size), values -1 .. 1.

    A smaller size is the mean over squares of pixels.
    """
    images = pixels.to(hardware.device).permute(0, 3, 1, 2).float() / 127.5 - 1
    factor = images.shape[-1] // size
    return hardware.images_to_device(F.avg_pool2d(images, factor) if factor > 1 else images)


def examine(
    model: Autoencoder,
    images: Callable[[slice], Tensor],
    num: int,
    knobs: ScoreKnobs,
    hardware: Hardware,
    ranks: Ranks = ALONE,
) -> Tensor:
    """Return mean error and score of ``num`` pictures, (num, 2), which ``images`` gives by rows.

    In evaluation mode: a VAE's code is then its mean, and a score no matter of luck.
    """

    def forward(part: slice) -> Tensor:
        given = images(part)
        with hardware.autocast():
            seen = model(given)
        size = given.shape[-1]
        error = worst_window(suspicion(given, seen, "error"), size, size)
        score = worst_window(suspicion(given, seen, knobs.by), knobs.window, size)
        return torch.stack((error, score), 1)

    was_training = model.training
    ranks.sync_buffers(model.eval())
    measured = predict_all(forward, num, BATCH, ranks)
    model.train(was_training)
    return measured


def suspicion(images: Tensor, seen: Seen, by: Literal["error", "classifier"]) -> Tensor:
    """Return how suspicious each place of pictures is: (n, s, s), or (n, s / 2, s / 2).

    error: the squared difference to the reconstruction, mean over the colours. classifier: the
    probability that the picture was spoilt there.
    """
    if by == "classifier" and seen.logits is not None:
        return seen.logits.float().sigmoid()
    return (seen.images.float() - images).square().mean(1)


def worst_window(maps: Tensor, window: int, size: int) -> Tensor:
    """Return the largest mean of a map (n, h, h) over square windows: (n,).

    Args:
        maps: of pictures whose side is ``size``; theirs is that or a part of it.
        window: side of the windows in pixels of the picture; ``size``: the mean over all.
        size: see above.
    """
    side = max(window * maps.shape[-1] // size, 1)
    return F.avg_pool2d(maps[:, None], side, stride=1).flatten(1).amax(1)
