"""A whole run on tiny data: networks, attack, pictures, figures; and every shipped recipe."""

import csv
import itertools
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import RecipeError
from mlspring.core.files import read_json
from mlspring.core.recipe import flatten
from mlspring.core.runs import Run
from mlspring.core.source import official
from mlspring.homeworks.hw10_attack import data, figures, models, predict, study, submission, train
from mlspring.homeworks.hw10_attack.recipe import Recipe
from mlspring.homeworks.hw10_attack.spec import SPEC
from mlspring.verbs import recipes
from mlspring.verbs.calibration.ablations import read_ablations
from tests.homeworks.hw10.test_networks import small
from tests.homeworks.whole_run import whole_run
from tests.tiny.attack import SMALL, benign, ids, write_targets

FILES = sorted((SPEC.folder / "recipes").glob("*/*.toml"))


def load(file: Path, *more: str) -> Recipe:
    recipe: Recipe = recipes.load(SPEC, file, more, kind=file.parent.name)
    return recipe


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Recipe, data.Data]]:
    """Return a finished run of level boss through two stand-ins."""
    place = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(place / "home"))
        patch.setattr(models, "PROXIES", dict.fromkeys(models.PROXIES, small))
        told = (*SMALL, "networks.steps=60", "train.steps=5", "train.learning_rate=0.1")
        recipe = load(SPEC.folder / "recipes" / "world" / "boss.toml", *told)
        pictures = data.load(official(write_targets(place / "data")), recipe)
        with whole_run(place / "boss", "hw10", recipe, pictures, train.train, figures.FIGURES) as (
            run,
            done,
        ):
            assert done.validation is not None and 0 <= done.validation <= 1
            yield run, recipe, pictures


def test_the_log_tells_of_proxies_and_of_networks_held_out(
    finished: tuple[Run, Recipe, data.Data],
) -> None:
    run, _, _ = finished
    log = run.read_log()
    assert [entry["step"] for entry in log] == [1, 2, 3, 4, 5]
    assert set(log[0]) == {
        *("member", "step", "seconds", "learning_rate"),
        *("train/loss", "train/accuracy", "valid/loss", "valid/accuracy"),
    }
    assert log[0]["learning_rate"] == pytest.approx(0.8), "grey levels a step"
    assert log[-1]["train/loss"] > log[0]["train/loss"]


def test_what_is_handed_in_is_attacked_and_within_the_budget(
    finished: tuple[Run, Recipe, data.Data], tmp_path: Path
) -> None:
    run, recipe, pictures = finished
    values = predict.predict(recipe, pictures, run)
    assert values.shape == (20, 32, 32, 3) and values.dtype == np.uint8
    change = np.abs(values.astype(int) - benign())
    assert change.max() <= 8 and change.mean() > 2
    submission.write(tmp_path / "submission.tgz", pictures.test_ids, values)
    found = submission.read(tmp_path / "submission.tgz", ids())
    assert np.array_equal(found.pictures, values)


def test_every_figure_has_its_numbers(finished: tuple[Run, Recipe, data.Data]) -> None:
    run, recipe, _ = finished
    assert {q.figure for q in SPEC.questions} == set(figures.FIGURES)
    for name in figures.FIGURES:
        for suffix in ("png", "svg", "csv"):
            assert (run.figures / f"{name}.{suffix}").stat().st_size > 0
    with (run.figures / "pictures.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert [row[0] for row in rows[1:]] == ids()
    assert all(int(row[1]) <= 8 for row in rows[1:])
    measured = read_json(study.path(run))
    names = {*recipe.networks.proxies, *recipe.networks.held_out}
    assert set(measured["transfer"]) == set(measured["accuracies"]) == names
    assert all(set(row) == names for row in measured["transfer"].values())
    held_out = run.read_log()[-1]["valid/accuracy"]
    assert measured["by_budget"]["8"][1] == pytest.approx(held_out, abs=1e-4)
    (one,) = recipe.networks.held_out
    assert measured["by_budget"]["0"][1] == measured["accuracies"][one][0]
    assert measured["accuracies"][one][1] == pytest.approx(held_out, abs=1e-4)
    assert set(measured["jpeg"]["one"]) == {"benign", "attacked", "compressed"}
    assert list(measured["jpeg"]["curve"]) == [str(q) for q in study.QUALITIES]


# ---- recipes


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_recipe_parses_and_says_what_its_step_is(file: Path) -> None:
    recipe = load(file)
    assert set(recipe.networks.proxies).isdisjoint(recipe.networks.held_out)
    assert recipe.attack.epsilon == 8.0, "the course's"
    told = tomllib.loads(file.read_text())
    if "extends" not in told:
        keys = [f"{section}.{key}" for section in told for key in told[section]]
        assert keys == list(flatten(recipe)), "one order of keys"
        alpha = recipe.train.learning_rate * recipe.attack.epsilon
        assert f"# of epsilon: alpha is {alpha:g} grey levels" in file.read_text()


def test_the_levels_are_the_course_s_steps() -> None:
    levels = [load(SPEC.folder / "recipes" / "world" / f"{level}.toml") for level in SPEC.levels]
    simple, medium, strong, boss = levels
    assert simple.train.steps == 1 and simple.train.learning_rate == 1.0, "FGSM"
    assert medium.train.steps > 1 and medium.attack.momentum == 0, "I-FGSM"
    assert strong.attack.momentum > 0 and strong.attack.diversity == 0, "MI-FGSM"
    assert boss.attack.momentum > 0 and boss.attack.diversity > 0, "DIM with momentum"
    counts = [len(level.networks.proxies) for level in (simple, medium, strong)]
    assert counts[0] < counts[1] < counts[2]
    for one, other in itertools.pairwise(levels):
        assert one.networks.held_out == other.networks.held_out, "levels are compared by the same"


def test_every_ablation_takes_something_away_at_equal_steps() -> None:
    rows = read_ablations(SPEC)
    assert {row.level for row in rows} == {"medium", "strong", "boss"}
    for row in rows:
        file = SPEC.folder / "recipes" / "world" / f"{row.level}.toml"
        whole, fewer = flatten(load(file)), flatten(load(file, *row.changes))
        assert whole != fewer and whole["train.steps"] == fewer["train.steps"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("attack.epsilon=9.0", "attack.epsilon = 9.0"),
        ("attack.smoothing=4", "expected an odd number"),
        ('networks.held_out=["plain_bn"]', "both name 'plain_bn'"),
        ('networks.proxies=["nin_bn", "nin_bn"]', "both name 'nin_bn'|names one twice"),
        ("networks.proxies=[]", "networks.proxies"),
        ('networks.proxies=["vgg"]', "networks.proxies"),
    ],
)
def test_an_impossible_recipe_is_told(change: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        load(SPEC.folder / "recipes" / "world" / "boss.toml", change)
