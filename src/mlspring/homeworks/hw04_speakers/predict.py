"""From the finished network to a speaker's name for every test utterance."""

import numpy as np
from numpy.typing import NDArray

from mlspring.core.runs import Run
from mlspring.homeworks.hw04_speakers.batches import logits_of_all, on_device
from mlspring.homeworks.hw04_speakers.data import Data
from mlspring.homeworks.hw04_speakers.models import SpeakerNet
from mlspring.homeworks.hw04_speakers.recipe import Recipe
from mlspring.homeworks.hw04_speakers.train import new_model
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.str_]:
    """Return the name of the speaker of every test utterance, heard whole: (n,)."""
    hardware = device.choose_for(run, work="dense")
    model = trained(recipe, data, run, hardware)
    logits = logits_of_all(model, on_device(data.test, hardware), hardware)
    names: NDArray[np.str_] = np.array(data.speakers)[logits.argmax(1).numpy()]
    return names


def trained(recipe: Recipe, data: Data, run: Run, hardware: Hardware) -> SpeakerNet:
    """Return the run's finished network, in evaluation mode."""
    model = new_model(recipe, 0, len(data.speakers))
    checkpoint.load_weights(weights_path(run, 0), model)
    return hardware.to_device(model).eval()
