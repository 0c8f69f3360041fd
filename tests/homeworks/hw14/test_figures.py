"""The figures: something is drawn in each."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from mlspring import catalog
from mlspring.core.runs import Run

SPEC = catalog.find("hw14")


@pytest.mark.parametrize("recipe", ["world/finetune", "world/all", "world/scenarios"])
def test_every_figure_has_something_in_each_quarter(
    recipe: str, finished: Callable[..., Run]
) -> None:
    run = finished(SPEC, recipe=recipe)
    for name in ("learning_curves", "task_matrix", "methods", "importance_maps"):
        with Image.open(run.figures / f"{name}.png") as image:
            ink = np.asarray(image.convert("L")) < 200
        height, width = (size // 2 for size in ink.shape)
        quarters = (ink[y : y + height, x : x + width] for y in (0, height) for x in (0, width))
        shares = [quarter.mean() for quarter in quarters]
        # fine-tuning has no importance, and bars need not reach into every quarter
        wanted = {"importance_maps": 1 if recipe == "world/finetune" else 4, "methods": 2}
        assert sum(share > 0.001 for share in shares) >= wanted.get(name, 4), (name, shares)
