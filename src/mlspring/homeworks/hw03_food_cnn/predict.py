"""From finished members to one class for every test picture."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw03_food_cnn import models, transform
from mlspring.homeworks.hw03_food_cnn.data import NUM_CLASSES, Data
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.homeworks.hw03_food_cnn.train import EVAL_BATCH
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.evaluate import predict_all
from mlspring.kit.seeding import generator


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.int64]:
    """Return the class of every test picture: int64 (n,)."""
    return probabilities(recipe, data.test_images, run).argmax(1)


def probabilities(recipe: Recipe, images: NDArray[np.uint8], run: Run) -> NDArray[np.float32]:
    """Return class probabilities (n, 11) of pictures (n, s, s, 3), averaged over the members.

    Test-time augmentation as on the slides: a * mean over random views + (1 - a) * plain picture.
    """
    hardware = device.choose_for(run, work="conv")
    num_members, knobs = recipe.num_members, recipe.predict
    num_views = knobs.views if knobs.views_weight else 0
    total = torch.zeros(len(images), NUM_CLASSES)
    with bar("predict", num_members * (1 + num_views), unit="passes") as progress:
        for number in range(num_members):
            model = models.build(recipe.model, recipe.data.image_size, NUM_CLASSES)
            checkpoint.load_weights(weights_path(run, number), model)
            model = hardware.place(model).eval()
            views = torch.zeros_like(total)
            for view in range(num_views):
                views += _one_pass(
                    model, images, hardware, recipe, (run.request.seed, number, view)
                )
                progress.advance()
            plain = _one_pass(model, images, hardware, recipe, None)
            progress.advance()
            weight = knobs.views_weight if num_views else 0.0
            total += weight * views / max(num_views, 1) + (1 - weight) * plain
    return (total / num_members).numpy()


def _one_pass(
    model: torch.nn.Module,
    pictures: NDArray[np.uint8],
    hardware: Hardware,
    recipe: Recipe,
    view: tuple[int, int, int] | None,
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
            return model(hardware.place_images(inputs)).float().softmax(1)

    return predict_all(forward, len(pictures), EVAL_BATCH)
