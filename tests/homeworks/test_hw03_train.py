"""The loop of homework 3: which pictures a member sees, and that what is told is what is saved."""

from pathlib import Path

import pytest
import torch

from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Run
from mlspring.core.source import official
from mlspring.homeworks.hw03_food_cnn import data as island
from mlspring.homeworks.hw03_food_cnn import models, train
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.homeworks.hw03_food_cnn.spec import SPEC
from mlspring.kit import checkpoint, device
from tests.contract.journey import TORCHRUN, command, finish, only_run, start
from tests.tiny import food


@pytest.mark.parametrize("num_processes", [1, 2])
def test_what_is_measured_is_the_network_that_is_saved(
    num_processes: int, tmp_path: Path, isolated_home: Path
) -> None:
    """Each process has batch statistics of its own; only the first one's are saved."""
    folder = food.write_food11(tmp_path / "data")
    launcher = (*TORCHRUN, str(num_processes), "-m", "mlspring")
    finish(start(command(SPEC, folder, tmp_path, recipe="boss"), isolated_home, *launcher))

    run = Run.open(only_run(tmp_path))
    recipe = load_recipe(Recipe, run.folder / "recipe.toml")
    data, hardware = (
        island.load(official(folder), recipe),
        device.choose("cpu", "fp32", work="conv"),
    )
    for number, split in enumerate(train.splits(recipe, data, 0, hardware)):
        model = models.build(recipe.model, recipe.data.image_size, island.NUM_CLASSES)
        path = train.weights_path(run, number)
        checkpoint.load_weights(path, model)
        held_out = train.predict_held_out(hardware.place(model), split, hardware)
        logged = [entry for entry in run.read_log() if entry["member"] == number][-1]
        assert train.measure(*held_out)["valid__loss"] == pytest.approx(
            logged["valid/loss"], abs=2e-5
        )
        confusion = torch.tensor(checkpoint.read_facts(path)["confusion"])
        assert torch.equal(confusion, train.confusion_matrix(*held_out))
