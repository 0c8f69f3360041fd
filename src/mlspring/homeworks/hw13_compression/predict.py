"""From the finished student to one class for every test picture."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw13_compression import transform
from mlspring.homeworks.hw13_compression.data import Data
from mlspring.homeworks.hw13_compression.held_out import EVAL_BATCH
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.submission import Prediction
from mlspring.homeworks.hw13_compression.tasks import STUDENT, finished, hardware_for
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.evaluate import predict_all
from mlspring.kit.seeding import generator


def predict(recipe: Recipe, data: Data, run: Run) -> Prediction:
    """Return the class of every test picture, with the weights it comes from."""
    categories = probabilities(recipe, data.test_images, run).argmax(1)
    return Prediction(categories=categories, weights=(weights_path(run, STUDENT),))


def probabilities(recipe: Recipe, images: NDArray[np.uint8], run: Run) -> NDArray[np.float32]:
    """Return the student's class probabilities (n, 11) of pictures (n, s, s, 3).

    Test-time augmentation: a * mean over random views + (1 - a) * plain picture.
    """
    hardware = hardware_for(recipe, run)
    model = hardware.to_device(finished(run, STUDENT).model)
    knobs = recipe.predict
    num_views = knobs.views if knobs.views_weight else 0
    weight = knobs.views_weight if num_views else 0.0
    with bar("predict", 1 + num_views, unit="passes") as progress:
        total = (1 - weight) * _one_pass(model, images, hardware, recipe, None)
        progress.advance()
        for view in range(num_views):
            seen = _one_pass(model, images, hardware, recipe, (run.request.seed, view))
            total += weight / num_views * seen
            progress.advance()
    return total.numpy()


def _one_pass(
    model: torch.nn.Module,
    pictures: NDArray[np.uint8],
    hardware: Hardware,
    recipe: Recipe,
    view: tuple[int, int] | None,
) -> Tensor:
    """Return probabilities (n, 11) of the plain pictures, or of one random view of each."""

    def forward(part: slice) -> Tensor:
        batch = torch.from_numpy(pictures[part].copy()).to(hardware.device)
        if view is None:
            inputs = transform.to_input(batch)
        else:
            stream = generator("view", *view, part.start)
            inputs = transform.vary(batch, transform.draw(recipe.augment, len(batch), stream))
        with hardware.autocast():
            return model(hardware.images_to_device(inputs)).float().softmax(1)

    return predict_all(forward, len(pictures), EVAL_BATCH)
