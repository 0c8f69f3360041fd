"""The loop of homework 3: which pictures a member sees, and that what is told is what is saved."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mlspring.core.errors import RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Run
from mlspring.core.source import official
from mlspring.homeworks.hw03_food_cnn import data as island
from mlspring.homeworks.hw03_food_cnn import models, train
from mlspring.homeworks.hw03_food_cnn.data import Data
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.homeworks.hw03_food_cnn.spec import SPEC
from mlspring.kit import checkpoint, device, evaluate, labelled_split
from mlspring.kit.labelled_split import Split
from mlspring.kit.seeding import generator
from tests.contract.journey import command, finish, only_run, run_tiny, start_together
from tests.tiny import food

CPU = device.choose("cpu", "fp32", work="conv")


def pictures(num_train: int = 44, num_valid: int = 22) -> Data:
    """Return pictures whose first pixel tells their place in the pool, sorted by class."""
    places = np.arange(num_train + num_valid, dtype=np.uint8)
    images = np.broadcast_to(places[:, None, None, None], (len(places), 8, 8, 3)).copy()
    return Data(
        train_images=images[:num_train],
        train_labels=np.sort(np.arange(num_train) % 11),
        valid_images=images[num_train:],
        valid_labels=np.sort(np.arange(num_valid) % 11),
        test_images=images[:0],
        test_ids=[],
    )


def splits_of(seed: int = 0, **knobs: object) -> list[Split]:
    overrides = [f"data.{name}={value}" for name, value in knobs.items()]
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "simple.toml", overrides)
    return list(train.splits(recipe, pictures(), seed, CPU))


def places(pixels: Tensor) -> list[int]:
    """Return where in the pool these pictures were."""
    return pixels[:, 0, 0, 0].tolist()


def test_without_folds_the_given_parts_train_and_validate() -> None:
    (split,) = splits_of(folds=0)
    assert split.train.tolist() == places(split.pixels) == list(range(44))
    assert places(split.held_pixels) == list(range(44, 66))
    assert split.labels.bincount().tolist() == [4] * 11
    assert split.held_labels.bincount().tolist() == [2] * 11


def test_without_folds_no_picture_is_copied() -> None:
    data = pictures()
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "simple.toml", [])
    (split,) = train.splits(recipe, data, 0, CPU)
    assert split.pixels.data_ptr() == data.train_images.ctypes.data
    assert split.held_pixels.data_ptr() == data.valid_images.ctypes.data


@pytest.mark.parametrize(("pool", "size"), [("training", 44), ("training+validation", 66)])
def test_folds_hold_out_each_picture_of_the_pool_once(pool: str, size: int) -> None:
    members = splits_of(folds=4, pool=pool)
    assert len(members) == 4
    for split in members:
        assert places(split.pixels) == list(range(size))
        assert len(split.labels) == size
        both = split.train.tolist() + places(split.held_pixels)
        assert sorted(both) == list(range(size)), "disjoint, and nothing left out"
        assert split.held_labels.tolist() == split.labels[places(split.held_pixels)].tolist()
    held_out = [place for split in members for place in places(split.held_pixels)]
    assert sorted(held_out) == list(range(size))


@pytest.mark.parametrize("pool", ["training", "training+validation"])
def test_folds_are_stratified(pool: str) -> None:
    for split in splits_of(folds=4, pool=pool):
        counts = split.held_labels.bincount(minlength=11)
        assert counts.min() >= 1
        assert counts.max() - counts.min() <= 1


def test_a_seed_fixes_the_folds_and_another_changes_them() -> None:
    def folds(seed: int) -> list[list[int]]:
        return [places(split.held_pixels) for split in splits_of(seed, folds=4)]

    assert folds(0) == folds(0)
    assert folds(0) != folds(1)


def test_each_picture_is_cut_to_a_window_of_its_own() -> None:
    columns = torch.arange(12, dtype=torch.uint8)
    grid = torch.stack((columns[:, None].expand(12, 12), columns.expand(12, 12)), dim=2)
    pixels = torch.cat((grid, torch.zeros(12, 12, 1, dtype=torch.uint8)), dim=2)
    pixels = pixels.repeat(200, 1, 1, 1)  # each pixel tells its row, its column and its picture
    pixels[..., 2] = torch.arange(200, dtype=torch.uint8)[:, None, None]
    windows = train.random_windows(pixels, 8, generator("windows"))
    assert windows.shape == (200, 8, 8, 3)
    assert (windows[..., 2] == pixels[:, :8, :8, 2]).all(), "pictures keep their order"
    corners = windows[:, 0, 0, :2]
    assert (windows[..., :2] == corners[:, None, None] + grid[:8, :8]).all(), "neighbours stay"
    assert {tuple(corner) for corner in corners.tolist()} == {
        (top, left) for top in range(5) for left in range(5)
    }, "each place comes up"
    assert torch.equal(windows, train.random_windows(pixels, 8, generator("windows")))


@pytest.mark.parametrize("side", [0, 8])
def test_without_windows_pictures_stay_whole(side: int) -> None:
    pixels = torch.from_numpy(pictures().train_images.copy())
    assert torch.equal(train.random_windows(pixels, side, generator(0)), pixels)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("train.crop_size=65",), r"crop_size = 65: use 0, or 16 to data\.image_size"),
        (("train.crop_size=8",), r"crop_size = 8: use 0, or 16"),
        (("train.crop_size=48", "model.name=plain"), r"needs a network for any size"),
    ],
)
def test_a_window_fits_picture_and_network(changes: tuple[str, ...], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "strong.toml", changes)


def test_training_sees_windows_and_predictions_whole_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = set()

    class Watched(models.FoodResNet):
        def forward(self, images: Tensor) -> Tensor:
            sides.add((self.training, images.shape[2], images.shape[3]))
            return super().forward(images)

    monkeypatch.setattr(models, "FoodResNet", Watched)
    more = ("data.folds=2", "train.crop_size=16", "train.steps=4", "predict.views=1")
    run_tiny(SPEC, tmp_path, recipe="boss", figures=False, more=more)
    assert sides == {(True, 16, 16), (False, 32, 32)}


@pytest.mark.parametrize("num_processes", [1, 2])
def test_what_is_measured_is_the_network_that_is_saved(
    num_processes: int, tmp_path: Path, isolated_home: Path
) -> None:
    """Each process has batch statistics of its own; only the first one's are saved."""
    folder = food.write_food11(tmp_path / "data")
    words = command(SPEC, folder, tmp_path, recipe="boss")
    finish(*start_together(words, isolated_home, num_processes, figures=False))

    run = Run.open(only_run(tmp_path))
    recipe = load_recipe(Recipe, run.folder / "recipe.toml")
    data = island.load(official(folder), recipe)
    for number, split in enumerate(train.splits(recipe, data, 0, CPU)):
        model = models.build(recipe.model, recipe.data.image_size, island.NUM_CLASSES)
        path = checkpoint.weights_path(run, number)
        checkpoint.load_weights(path, model)
        held_out = labelled_split.predict_held_out(CPU.to_device(model), split, CPU)
        logged = [entry for entry in run.read_log() if entry["member"] == number][-1]
        assert labelled_split.measure(*held_out)["valid__loss"] == pytest.approx(
            logged["valid/loss"], abs=2e-5
        )
        confusion = torch.tensor(checkpoint.read_metadata(path)["confusion"])
        assert torch.equal(confusion, evaluate.confusion_matrix(*held_out))
