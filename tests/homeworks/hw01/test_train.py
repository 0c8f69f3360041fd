"""The loop of homework 1: what it keeps, when it stops, what its members see."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import RecipeError
from mlspring.core.recipe import dump_recipe, load_recipe
from mlspring.core.runs import Request, Run
from mlspring.core.source import Source
from mlspring.homeworks.hw01_regression import data as island
from mlspring.homeworks.hw01_regression import predict, train
from mlspring.homeworks.hw01_regression.data import Data
from mlspring.homeworks.hw01_regression.recipe import Recipe
from mlspring.homeworks.hw01_regression.spec import SPEC
from mlspring.kit import device
from mlspring.worlds import epidemic
from tests.tiny.survey import SIMPLE

SIZE = epidemic.Size(
    num_states=6, train_days=50, gap_days=4, test_windows=6, train_rows=260, test_rows=30
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    public, private = (tmp_path_factory.mktemp(name) for name in ("public", "private"))
    epidemic.write([epidemic.make(0, 0, SIZE)], public, private)
    return island.load(Source(kind="world", folder=public), SIMPLE)


def recipe_of(level: str, *overrides: str) -> Recipe:
    return load_recipe(Recipe, SPEC.folder / "recipes" / "world" / f"{level}.toml", overrides)


def trained(tmp_path: Path, data: Data, recipe: Recipe, seed: int = 0) -> tuple[Run, float]:
    request = Request(homework="hw01", recipe="test", seed=seed, device="cpu")
    with closing(Run.create(tmp_path, request, dump_recipe(recipe))) as run:
        error = train.train(recipe, data, run).validation
    assert error is not None
    return run, error


def test_a_few_hundred_steps_beat_persistence(tmp_path: Path, data: Data) -> None:
    _, error = trained(tmp_path, data, recipe_of("boss", "train.steps=200"))
    lag = data.train_survey[:, island.LAGS[-1]]
    assert error < 0.9 * np.mean((lag - data.train_targets) ** 2)


def test_with_patience_the_best_network_is_kept(tmp_path: Path, data: Data) -> None:
    rough = ("train.learning_rate=0.05", "train.steps=3000", "train.validate_every=10")
    run, error = trained(tmp_path, data, recipe_of("strong", *rough, "train.patience=200"))
    seen = [entry["valid/loss"] for entry in run.read_log()]
    assert error == pytest.approx(min(seen), abs=1e-5)
    best_step = run.read_log()[seen.index(min(seen))]["step"]
    assert run.read_log()[-1]["step"] - best_step == 200


def test_without_patience_the_last_network_is_kept(tmp_path: Path, data: Data) -> None:
    rough = ("train.learning_rate=0.05", "train.steps=100", "train.validate_every=10")
    run, error = trained(tmp_path, data, recipe_of("strong", *rough))
    assert error == pytest.approx(run.read_log()[-1]["valid/loss"], abs=1e-5)
    assert run.read_log()[-1]["step"] == 100


def test_too_high_a_rate_is_a_sentence(tmp_path: Path, data: Data) -> None:
    """A real divergence: the sample's gradient descent, unclipped, far too fast."""
    wild = ["train.learning_rate=1.0", "train.clip_norm=0.0", "train.optimizer=sgd"]
    wild += ["model.linear_path=true"]  # ReLUs alone would fall silent instead
    with pytest.raises(RecipeError, match=r"diverged: .* step \d+\n  -> .*learning_rate=0\.1"):
        trained(tmp_path, data, recipe_of("simple", *wild))
    (log,) = tmp_path.glob("*/*/*/log.jsonl")
    assert "NaN" not in log.read_text()
    assert "Infinity" not in log.read_text()


def test_each_fold_is_a_member_with_weights_of_its_own(tmp_path: Path, data: Data) -> None:
    recipe = recipe_of("boss", "data.folds=6", "train.steps=20")
    run, _ = trained(tmp_path, data, recipe)
    assert recipe.num_members == 6
    assert len(list(run.checkpoints.iterdir())) == 6
    each = predict.member_predictions(recipe, data.test_states, data.test_survey, run)
    assert each.shape == (6, len(data.test_ids))
    assert len({row.tobytes() for row in each}) == 6
    mean = predict.predict(recipe, data, run)
    np.testing.assert_allclose(mean, each.mean(0).clip(0, 100))


def test_columns_are_chosen_and_scaled_on_training_rows_alone(data: Data) -> None:
    """Changing held-out rows changes nothing that a member has learned of them."""
    recipe, hardware = recipe_of("strong"), device.choose("cpu", "fp32", work="dense")
    (split,) = train.splits(recipe.data, data, 0, hardware)
    before = train.new_state(0, split, recipe, 0, hardware).model.scaling.state_dict()
    split.table[split.held_out] += 1000
    split.targets[split.held_out] = 0
    after = train.new_state(0, split, recipe, 0, hardware).model.scaling.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_one_thread_is_given_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), train.one_thread():
        assert torch.get_num_threads() == 1
        1 / 0  # noqa: B018
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.folds=1", "holds everything out"),
        ("data.split=random", "blocks of time"),
        ("model.hidden=[]", "at least 1 item"),
        ("model.hidden=[0]", "1 to 4096 units"),
        ("data.held_out=1.0", "less than 1"),
        ("train.optimizer=adam", "'sgd' or 'adamw'"),
    ],
)
def test_an_impossible_recipe_is_refused(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe_of("boss", override)


def test_the_log_counts_epochs(tmp_path: Path, data: Data) -> None:
    recipe = recipe_of("strong", "train.steps=40", "train.validate_every=10", "train.batch_size=50")
    run, _ = trained(tmp_path, data, recipe)
    (split,) = train.splits(recipe.data, data, 0, device.choose("cpu", "fp32", work="dense"))
    per_epoch = len(split.train) // 50
    assert [e["epoch"] for e in run.read_log()] == [
        round(s / per_epoch, 3) for s in (10, 20, 30, 40)
    ]
