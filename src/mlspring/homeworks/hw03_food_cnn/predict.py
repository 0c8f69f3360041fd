"""From finished members to one class for every test picture."""

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw03_food_cnn import models
from mlspring.homeworks.hw03_food_cnn.data import NUM_CLASSES, Data
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.kit import checkpoint, device, views
from mlspring.kit.checkpoint import weights_path


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.int64]:
    """Return the class of every test picture: int64 (n,)."""
    classes: NDArray[np.int64] = probabilities(recipe, data.test_images, run).argmax(1)
    return classes


def probabilities(recipe: Recipe, images: NDArray[np.uint8], run: Run) -> NDArray[np.float32]:
    """Return class probabilities (n, 11) of pictures (n, s, s, 3), averaged over the members."""
    hardware = device.choose_for(run, work="conv")
    pixels, knobs = torch.from_numpy(images), recipe.predict
    total = torch.zeros(len(images), NUM_CLASSES)
    num_passes = recipe.num_members * views.num_passes(knobs)
    with bar("predict", num_passes, unit="passes") as progress:
        for number in range(recipe.num_members):
            model = models.build(recipe.model, recipe.data.image_size, NUM_CLASSES)
            checkpoint.load_weights(weights_path(run, number), model)
            model, keys = hardware.to_device(model).eval(), (run.request.seed, number)
            total += views.probabilities(
                model, pixels, hardware, recipe.augment, knobs, keys, progress
            )
    averaged: NDArray[np.float32] = (total / recipe.num_members).numpy()
    return averaged
