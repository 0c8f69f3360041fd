"""Predictions of homework 3 against a plain loop over members, views and pictures."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw03_food_cnn import models, predict
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.homeworks.hw03_food_cnn.spec import SPEC
from mlspring.kit import checkpoint, views
from mlspring.kit import image_augment as transform
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.seeding import generator, seed_everything

SIDE, NUM_MEMBERS, NUM_VIEWS, SEED = 32, 2, 3, 5
PICTURES = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)


def recipe_with(views: int, weight: float) -> Recipe:
    overrides = [
        f"data.image_size={SIDE}",
        "train.crop_size=0",
        f"data.folds={NUM_MEMBERS}",
        "model.width=4",
        f"predict.views={views}",
        f"predict.views_weight={weight}",
    ]
    return load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "boss.toml", overrides)


@pytest.fixture
def members() -> list[torch.nn.Module]:
    recipe, made = recipe_with(0, 0.0), []
    for number in range(NUM_MEMBERS):
        seed_everything("member", number)
        made.append(models.build(recipe.model, SIDE, 11).eval())
        for parameter in made[-1].parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)  # fresh blocks do nothing
    return made


@pytest.fixture
def run(
    tmp_path: Path, members: list[torch.nn.Module], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """A run with members; a batch takes two pictures, so that there are several batches."""
    monkeypatch.setattr(views, "EVAL_BATCH", 2)
    request = Request(homework="hw03", recipe="t", seed=SEED, device="cpu", precision="fp32")
    made = Run.create(tmp_path, request, "")
    for number, model in enumerate(members):
        checkpoint.save_weights(weights_path(made, number), model, {})
    yield made
    made.close()


def plain(model: torch.nn.Module) -> torch.Tensor:
    """Return the probabilities of one picture at a time, unchanged."""
    with torch.no_grad():
        inputs = [transform.to_input(torch.from_numpy(p[None])) for p in PICTURES]
        return torch.cat([model(x).softmax(1) for x in inputs])


def seen(model: torch.nn.Module, number: int, recipe: Recipe) -> torch.Tensor:
    """Return the mean probabilities over the random views, one batch after the other."""
    total = torch.zeros(len(PICTURES), 11)
    for view in range(NUM_VIEWS):
        for first in range(0, len(PICTURES), 2):
            pixels = torch.from_numpy(PICTURES[first : first + 2])
            stream = generator("view", SEED, number, view, first)
            draws = transform.draw(recipe.augment, len(pixels), stream)
            with torch.no_grad():
                total[first : first + 2] += model(transform.vary(pixels, draws)).softmax(1)
    return total / NUM_VIEWS


@pytest.mark.parametrize(("views", "weight"), [(0, 0.5), (NUM_VIEWS, 0.0)])
def test_without_views_members_are_averaged(
    views: int, weight: float, run: Run, members: list[torch.nn.Module]
) -> None:
    found = predict.probabilities(recipe_with(views, weight), PICTURES, run)
    expected = (plain(members[0]) + plain(members[1])) / 2
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_views_weigh_as_the_recipe_says(
    weight: float, run: Run, members: list[torch.nn.Module]
) -> None:
    recipe = recipe_with(NUM_VIEWS, weight)
    found = torch.from_numpy(predict.probabilities(recipe, PICTURES, run))
    each = [
        weight * seen(model, number, recipe) + (1 - weight) * plain(model)
        for number, model in enumerate(members)
    ]
    torch.testing.assert_close(found, sum(each) / NUM_MEMBERS, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found.sum(1), torch.ones(len(PICTURES)))
    assert (found - sum(map(plain, members)) / NUM_MEMBERS).abs().max() > 1e-3, "views matter"


def test_each_picture_gets_the_class_of_its_largest_probability(run: Run) -> None:
    recipe = recipe_with(0, 0.0)
    data = SimpleNamespace(test_images=PICTURES)
    classes = predict.predict(recipe, data, run)
    assert classes.shape == (len(PICTURES),), "five pictures, eleven classes"
    assert classes.tolist() == [
        int(np.argmax(row)) for row in predict.probabilities(recipe, PICTURES, run)
    ]
