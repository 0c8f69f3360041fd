"""From a student to one class for every test picture; the judge calls the same function."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mlspring.core.runs import Run
from mlspring.homeworks.hw13_compression.data import Data
from mlspring.homeworks.hw13_compression.held_out import EVAL_BATCH
from mlspring.homeworks.hw13_compression.networks import STUDENT, finished, hardware_for
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.submission import Prediction
from mlspring.kit import image_augment
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.evaluate import predict_all


def predict(recipe: Recipe, data: Data, run: Run) -> Prediction:
    """Return the class of every test picture, with the weights it comes from."""
    hardware = hardware_for(recipe.student.name, run)
    model = finished(run, STUDENT, "student").model
    logits = predict_logits(model, data.test_images, hardware)
    return Prediction(categories=logits.argmax(1).numpy(), weights=weights_path(run, STUDENT))


def predict_logits(
    model: nn.Module, pictures: NDArray[np.uint8], hardware: Hardware, batch_size: int = EVAL_BATCH
) -> Tensor:
    """Return logits (n, 11), on the CPU, of pictures (n, s, s, 3), each seen once as it is."""
    model = hardware.to_device(model).eval()

    def forward(part: slice) -> Tensor:
        batch = torch.from_numpy(pictures[part].copy()).to(hardware.device)
        with hardware.autocast():
            logits: Tensor = model(hardware.images_to_device(image_augment.to_input(batch)))
        return logits

    return predict_all(forward, len(pictures), batch_size)
