"""From finished members to one percentage for every test row."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.core.runs import Run
from mlspring.homeworks.hw01_regression import features, models
from mlspring.homeworks.hw01_regression.data import Data
from mlspring.homeworks.hw01_regression.recipe import Recipe
from mlspring.homeworks.hw01_regression.train import EVAL_BATCH
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.evaluate import predict_all


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.float64]:
    """Return positive tests on day 5 of every test row, percentages: float64 (n,)."""
    outputs = member_predictions(recipe, data.test_states, data.test_survey, run)
    return np.clip(outputs.mean(axis=0), 0, 100)


def member_predictions(
    recipe: Recipe, states: NDArray[np.int64], survey: NDArray[np.float64], run: Run
) -> NDArray[np.float64]:
    """Return each member's percentages, (members, n), for states (n,) and windows (n, 79)."""
    hardware = device.choose_for(run, work="dense")
    table = torch.from_numpy(features.build(states, survey, recipe.data)).float()
    starts = features.starting_points(survey, recipe.data)
    outputs = []
    for number in range(recipe.num_members):
        model = models.build(recipe.data, recipe.model)
        checkpoint.load_weights(weights_path(run, number), model)
        model = hardware.to_device(model).eval()

        def forward(part: slice, model: models.SurveyNet = model) -> Tensor:
            with hardware.autocast():
                return model(model.scaling(table[part].to(hardware.device)))

        outputs.append(starts + predict_all(forward, len(table), EVAL_BATCH).double().numpy())
    return np.stack(outputs)
