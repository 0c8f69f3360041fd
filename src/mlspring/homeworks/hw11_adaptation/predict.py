"""From finished members to one class for every drawing."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.core.errors import RunError
from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw11_adaptation import models, transform
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.models import Adapter
from mlspring.homeworks.hw11_adaptation.monitors import EVAL_BATCH
from mlspring.homeworks.hw11_adaptation.recipe import AugmentKnobs, Recipe
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.evaluate import predict_all
from mlspring.kit.seeding import generator

ROUNDS = 50  # of balancing: each brings the classes' shares closer to equal


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.int64]:
    """Return the class of every drawing: int64 (n,).

    Raises:
        RunError: the run was trained on more or fewer classes than the data have.
    """
    num_classes = checkpoint.read_metadata(weights_path(run, 0))["num_classes"]
    if num_classes != data.num_classes:
        raise RunError(
            f"was trained on {num_classes} classes",
            file=run.folder,
            expected=f"{data.num_classes}, as the photos of the data have",
            fix="predict data of the same classes, or train on these: mlspring run hw11 --data DIR",
        )
    averaged = probabilities(recipe, data, run)
    classes: NDArray[np.int64] = balanced(averaged, recipe.predict.balance).argmax(1)
    return classes


def probabilities(recipe: Recipe, data: Data, run: Run) -> NDArray[np.float32]:
    """Return class probabilities (n, num_classes) of the drawings, averaged over the members.

    The plain drawing and each random view of it count alike. The plain pass has no random part: the
    sample's test loader flips and turns, so that its predictions change from run to run.
    """
    hardware = device.choose_for(run, work="conv")
    drawings = torch.from_numpy(np.array(data.target_images)).to(hardware.device)
    num_members, num_passes = recipe.train.members, 1 + recipe.predict.views
    total = torch.zeros(len(drawings), data.num_classes)
    with bar("predict", num_members * num_passes, unit="passes") as progress:
        for number in range(num_members):
            model = models.build(recipe.model, recipe.adapt, data.num_classes)
            checkpoint.load_weights(weights_path(run, number), model)
            model = hardware.to_device(model).eval()
            for view in range(num_passes):
                keys = (run.request.seed, number, view) if view else None
                total += _one_pass(model, drawings, recipe.augment, keys, hardware)
                progress.advance()
    averaged: NDArray[np.float32] = (total / (num_members * num_passes)).numpy()
    return averaged


def _one_pass(
    model: Adapter,
    drawings: Tensor,
    augment: AugmentKnobs,
    keys: tuple[int, int, int] | None,
    hardware: Hardware,
) -> Tensor:
    """Return probabilities (n, num_classes) of a random view of each drawing; no keys: plain."""

    def forward(part: slice) -> Tensor:
        if keys is None:
            inputs = transform.to_input(drawings[part])
        else:
            inputs = transform.vary(drawings[part], augment, generator("view", *keys, part.start))
        with hardware.autocast():
            logits: Tensor = model(hardware.images_to_device(inputs)).logits
        return logits.float().softmax(1)

    return predict_all(forward, len(drawings), EVAL_BATCH)


def balanced(probabilities: NDArray[np.float32], strength: float) -> NDArray[np.float64]:
    """Return probabilities (n, k) whose classes come closer to equal shares of all n rows.

    Class weights are sought that give every class the share 1 / k; they are applied to the power
    ``strength``. This is optimal transport with an entropy term of one (Sinkhorn's iteration,
    Cuturi 2013): the rows that change class are those that lose least by it.
    """
    rows = probabilities.astype(np.float64)
    num_classes = rows.shape[1]
    weights = np.ones(num_classes)
    for _ in range(ROUNDS):
        weighted = rows * weights
        weighted /= weighted.sum(1, keepdims=True)
        weights /= num_classes * weighted.mean(0).clip(min=1e-6)
    weighted = rows * weights**strength
    normalised: NDArray[np.float64] = weighted / weighted.sum(1, keepdims=True)
    return normalised
