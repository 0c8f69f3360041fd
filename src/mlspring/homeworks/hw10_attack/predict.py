"""From a finished attack to the pictures that are handed in."""

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.core.errors import InternalError
from mlspring.core.runs import Run
from mlspring.homeworks.hw10_attack import attacks
from mlspring.homeworks.hw10_attack.data import Data
from mlspring.homeworks.hw10_attack.recipe import MAX_EPSILON, Recipe
from mlspring.homeworks.hw10_attack.train import Perturbed
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.uint8]:
    """Return the attacked pictures, uint8 (n, 32, 32, 3), each within the budget."""
    final = finished(recipe, data, run)
    benign = torch.from_numpy(data.test_images).permute(0, 3, 1, 2)
    if (worst := int(attacks.largest_change(final, benign).max())) > MAX_EPSILON:
        raise InternalError(f"a picture differs by {worst} from its benign self", file=run.folder)
    return final.permute(0, 2, 3, 1).contiguous().numpy()


def finished(recipe: Recipe, data: Data, run: Run) -> torch.Tensor:
    """Return the pictures of a finished run as whole numbers, uint8 (n, 3, 32, 32), on the CPU.

    Raises:
        RunError: the file is missing, damaged or of other pictures.
    """
    benign = torch.from_numpy(data.test_images).permute(0, 3, 1, 2).float()
    model = Perturbed(benign)
    checkpoint.load_weights(weights_path(run, 0), model)
    return attacks.to_integers(model.images.detach(), benign, recipe.attack.epsilon)
