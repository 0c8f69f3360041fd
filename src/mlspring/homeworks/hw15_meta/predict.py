"""From the finished network to one class for every query image of the test tasks."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
    """Return the class of every query image, task by task: int64 (5 t,).

    With ``model.norm = "support"`` each image is answered on its own; with "query", as in the
    notebook, the five query images of a task share batch norm's statistics. ``predict.joint`` takes
    for granted that a query set shows every character once: then the most probable assignment of
    all five is the answer.
    """
    logs = log_probabilities(recipe, data, run)
    return best_assignments(logs).ravel() if recipe.predict.joint else logs.argmax(2).ravel()


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
        views = (torch.rot90(images, quarter, (-2, -1)) for images in (support, query))
        tasks = Tasks(support=next(views), query=next(views), labels=unknown)
        total += answer(model, recipe, tasks, hardware).log_softmax(2)
    return (total / turns).numpy()


def trained(recipe: Recipe, run: Run, hardware: Hardware) -> Conv4:
    """Return the run's finished network."""
    model = new_model(recipe, hardware)
    checkpoint.load_weights(weights_path(run, 0), model)
    return hardware.to_device(model)


def best_assignments(logs: NDArray[np.float32] | Tensor) -> NDArray[np.int64]:
    """Return the permutation of classes that is most probable for each task: int64 (t, 5).

    Args:
        logs: log probabilities (t, 5, 5) of query image and class. Source: Kuhn 1955, the
            Hungarian method.
    """
    from scipy.optimize import linear_sum_assignment

    tables = np.asarray(logs)
    answers = [linear_sum_assignment(table, maximize=True)[1] for table in tables]
    return np.array(answers, np.int64).reshape(tables.shape[:2])
