"""From finished members to one class for every drawing."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.core.errors import RunError
from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw11_adaptation import models, transform
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.monitors import EVAL_BATCH
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.evaluate import predict_all
from mlspring.kit.seeding import generator

ROUNDS = 50  # of balancing: each brings the classes' shares closer to equal


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.int64]:
    """Return the class of every drawing: int64 (n,).

    Raises:
        RunError: the run has learnt more or fewer classes than the data have.
    """
    check_classes(data, run)
    found = probabilities(recipe, data, run)
    return balanced(found, recipe.predict.balance, recipe.data.shares).argmax(1)


def check_classes(data: Data, run: Run) -> None:
    """Raise unless the run has learnt as many classes as the data have."""
    learnt = checkpoint.read_metadata(weights_path(run, 0)).get("num_classes", data.num_classes)
    if learnt != data.num_classes:
        raise RunError(
            f"has learnt {learnt} classes",
            file=run.folder,
            expected=f"{data.num_classes}, as the photos of the data have",
            fix="predict data of the same classes, or learn these: mlspring run hw11 --data DIR",
        )


def probabilities(recipe: Recipe, data: Data, run: Run) -> NDArray[np.float32]:
    """Return class probabilities (n, num_classes) of the drawings, averaged over the members.

    The plain drawing and each random view of it count alike. The plain pass has no random part: the
    sample's test loader flips and turns, so that its predictions change from run to run.
    """
    hardware = device.choose_for(run, work="conv")
    num_members, num_views = recipe.train.members, recipe.predict.views
    total = torch.zeros(len(data.target_images), data.num_classes)
    with bar("predict", num_members * (1 + num_views), unit="passes") as progress:
        for number in range(num_members):
            model = models.build(recipe, data.num_classes)
            checkpoint.load_weights(weights_path(run, number), model)
            model = hardware.to_device(model).eval()
            for view in range(1 + num_views):
                key = (run.request.seed, number, view) if view else None
                total += _one_pass(model, data.target_images, hardware, recipe, key)
                progress.advance()
    return (total / (num_members * (1 + num_views))).numpy()


def _one_pass(
    model: models.Adapter,
    drawings: NDArray[np.uint8],
    hardware: Hardware,
    recipe: Recipe,
    view: tuple[int, int, int] | None,
) -> Tensor:
    """Return probabilities (n, num_classes) of the plain drawings, or of a random view of each."""

    def forward(part: slice) -> Tensor:
        batch = torch.from_numpy(drawings[part].copy()).to(hardware.device)
        if view is None:
            inputs = transform.to_input(batch)
        else:
            stream = generator("view", *view, part.start)
            inputs = transform.vary(batch, transform.draw(recipe.augment, len(batch), stream))
        with hardware.autocast():
            return model(hardware.images_to_device(inputs))[0].float().softmax(1)

    return predict_all(forward, len(drawings), EVAL_BATCH)


def balanced(
    found: NDArray[np.float32], strength: float, shares: Sequence[float] = ()
) -> NDArray[np.float64]:
    """Return probabilities (n, k) whose classes come closer to their shares of all n rows.

    Class weights are sought that give every class its share, by default 1 / k; they are applied to
    the power ``strength``. This is optimal transport with an entropy term of one (Sinkhorn's
    iteration, Cuturi 2013): a quota that moves the rows that mind it least.
    """
    found = found.astype(np.float64)
    num_classes = found.shape[1]
    inverse = 1 / np.array(shares) if shares else num_classes
    weights = np.ones(num_classes)
    for _ in range(ROUNDS):
        weighted = found * weights
        weighted /= weighted.sum(1, keepdims=True)
        weights /= inverse * weighted.mean(0).clip(min=1e-6)
    weighted = found * weights**strength
    return weighted / weighted.sum(1, keepdims=True)
