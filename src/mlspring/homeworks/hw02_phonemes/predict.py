"""From the finished network to one class for every test frame."""

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.core.runs import Run
from mlspring.homeworks.hw02_phonemes import models
from mlspring.homeworks.hw02_phonemes.batches import on_device
from mlspring.homeworks.hw02_phonemes.data import Data
from mlspring.homeworks.hw02_phonemes.evaluate import logits_of
from mlspring.homeworks.hw02_phonemes.recipe import Recipe
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.int64]:
    """Return the class of every test frame, int64 (T,): utterance after utterance, as they come."""
    hardware = device.choose_for(run, work="wide")
    model = models.build(recipe.model)
    checkpoint.load_weights(weights_path(run, 0), model)
    model, frames = hardware.to_device(model), on_device(data.test, hardware.device)
    numbers = torch.arange(len(data.test.names), device=hardware.device)
    classes: NDArray[np.int64] = logits_of(model, frames, numbers, hardware).argmax(1).numpy()
    return classes
