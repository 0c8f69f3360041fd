"""From the finished network to one class for every query image of the test tasks."""

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.core.progress import track
from mlspring.core.runs import Run
from mlspring.homeworks.hw15_meta.data import Data
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.tasks import Tasks, to_input
from mlspring.homeworks.hw15_meta.train import answer, new_model
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.int64]:
    """Return the class of every query image, task by task: int64 (5 t,)."""
    classes: NDArray[np.int64] = log_probabilities(recipe, data, run).argmax(2).ravel()
    return classes


def log_probabilities(recipe: Recipe, data: Data, run: Run) -> NDArray[np.float32]:
    """Return log probabilities (t, 5, 5) of the test's query images, averaged over the turns."""
    hardware = device.choose_for(run, work="conv")
    model = trained(recipe, run, hardware)
    support, query = (
        to_input(torch.from_numpy(np.array(part)).to(hardware.device))
        for part in (data.support, data.query)
    )
    unknown = torch.zeros(query.shape[:2], dtype=torch.int64, device=hardware.device)
    total = torch.zeros(*query.shape[:2], support.shape[1])
    turns = recipe.predict.turns
    for quarter in track(range(turns), "predict", turns, unit="turns"):
        left, right = (torch.rot90(images, quarter, (2, 3)) for images in (support, query))
        tasks = Tasks(support=left, query=right, labels=unknown)
        total += answer(model, recipe.test_loop, tasks, hardware).log_softmax(2)
    averaged: NDArray[np.float32] = (total / turns).numpy()
    return averaged


def trained(recipe: Recipe, run: Run, hardware: Hardware) -> Conv4:
    """Return the run's finished network."""
    model = new_model(recipe.model.width, recipe.method)
    checkpoint.load_weights(weights_path(run, 0), model)
    return hardware.to_device(model)
