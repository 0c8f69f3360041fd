"""From a finished attack to the pictures that are handed in."""

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.core.errors import InternalError
from mlspring.core.runs import Run
from mlspring.homeworks.hw10_attack import attacks
from mlspring.homeworks.hw10_attack.data import Data
from mlspring.homeworks.hw10_attack.recipe import MAX_EPSILON, Recipe
from mlspring.homeworks.hw10_attack.train import finished


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.uint8]:
    """Return the attacked pictures, uint8 (n, 32, 32, 3), each within the budget."""
    benign = torch.from_numpy(data.test_images).permute(0, 3, 1, 2)
    final = finished(recipe, benign.float(), run)
    if (worst := int(attacks.largest_change(final, benign).max())) > MAX_EPSILON:
        raise InternalError(f"a picture differs by {worst} from its benign self", file=run.folder)
    return final.permute(0, 2, 3, 1).contiguous().numpy()
