"""From a student to one class for every test picture."""

import torch

from mlspring.core.runs import Run
from mlspring.homeworks.hw13_compression.data import Data
from mlspring.homeworks.hw13_compression.networks import STUDENT, finished, hardware_for
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.submission import Prediction
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.evaluate import predict_images


def predict(recipe: Recipe, data: Data, run: Run) -> Prediction:
    """Return the class of every test picture, with the weights it comes from."""
    hardware = hardware_for(recipe.student.name, run)
    model = hardware.to_device(finished(run, STUDENT, "student").model)
    logits = predict_images(model, torch.from_numpy(data.test_images), hardware)
    return Prediction(categories=logits.argmax(1).numpy(), weights=weights_path(run, STUDENT))
