"""A whole run on tiny data: pair, study, pictures, figures; and every shipped recipe."""

import csv
import itertools
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import RecipeError
from mlspring.core.files import read_json
from mlspring.core.recipe import flatten
from mlspring.core.runs import Run
from mlspring.core.source import official
from mlspring.homeworks.hw06_gan import data, figures, methods, samples, study, train
from mlspring.homeworks.hw06_gan.methods import Batch
from mlspring.homeworks.hw06_gan.models import Discriminator
from mlspring.homeworks.hw06_gan.recipe import Recipe
from mlspring.homeworks.hw06_gan.spec import SPEC
from mlspring.verbs import recipes
from mlspring.verbs.calibration.ablations import read_ablations
from tests.homeworks.whole_run import whole_run
from tests.tiny.gan import SMALL, write_faces

FILES = sorted(
    f for f in (SPEC.folder / "recipes").glob("*/*.toml") if "extends" not in f.read_text()
)


def load(file: Path, *more: str) -> Recipe:
    recipe: Recipe = recipes.load(SPEC, file, more, kind=file.parent.name)
    return recipe


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Recipe, data.Data]]:
    """Return a finished run of level boss on tiny data, with its figures."""
    place = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(place / "home"))
        patch.setattr(samples, "MEASURED", 40)
        patch.setattr(study, "PICTURES", 20)
        recipe = load(SPEC.folder / "recipes" / "world" / "boss.toml", *SMALL, "study.steps=5")
        blots = data.load(official(write_faces(place / "data")), recipe)
        with whole_run(place / "boss", "hw06", recipe, blots, train.train, figures.FIGURES) as (
            run,
            done,
        ):
            assert done.validation is not None and done.validation > 0
            yield run, recipe, blots


def test_the_log_tells_of_both_losses_and_of_the_distance(
    finished: tuple[Run, Recipe, data.Data],
) -> None:
    log = finished[0].read_log()
    assert [entry["step"] for entry in log] == [1, 2, 3, 4, 5]
    assert set(log[0]) == {
        *("member", "step", "epoch", "seconds", "learning_rate"),
        *("train/loss", "train/generator_loss", "valid/distance"),
    }


def test_every_validation_leaves_a_grid(finished: tuple[Run, Recipe, data.Data]) -> None:
    grids = samples.grids(finished[0])
    assert list(grids) == [1, 2, 3, 4, 5]
    assert all(grid.shape == (100, 64, 64, 3) for grid in grids.values())
    board = samples.tiled(grids[5], 10)
    assert np.array_equal(board[64:128, 128:192], grids[5][12])


def test_every_figure_has_its_numbers(finished: tuple[Run, Recipe, data.Data]) -> None:
    run, _, _ = finished
    assert {q.figure for q in SPEC.questions} <= set(figures.FIGURES)
    for name in figures.FIGURES:
        for suffix in ("png", "svg", "csv"):
            assert (run.figures / f"{name}.{suffix}").stat().st_size > 0
    with (run.figures / "neighbours.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert len(rows) == 1001 and all(0 <= int(row[1]) < 57 for row in rows[1:])


def test_the_study_tells_losses_distances_and_norms(
    finished: tuple[Run, Recipe, data.Data],
) -> None:
    told = read_json(study.path(finished[0]))
    assert list(told) == list(study.SETTINGS)
    for name, one in told.items():
        assert len(one["losses"]) == 5
        assert list(one["distances"]) == ([] if name == "WGAN-GP" else ["1", "2", "3", "4", "5"])
        assert len(one["norms"]) == (0 if name == study.GAN else 5)


def test_the_norms_of_gradients_are_those_of_the_chain_rule() -> None:
    """At the last convolution d loss / d output is -1 / N of a real picture, 1 / N of others."""
    torch.manual_seed(0)
    critic = Discriminator(4, batch_norm=False)
    real, fake = torch.randn(3, 3, 64, 64), torch.randn(3, 3, 64, 64)
    batch = Batch(real=real, fake=fake, mix=torch.ones(3), update=1)
    norms = study.layer_gradients(critic, batch)
    assert norms.shape == (5,)
    assert norms[-1].item() == pytest.approx((6 / 9) ** 0.5)
    outputs = critic.layers[:-1](torch.cat([real, fake])).detach().requires_grad_()
    values = critic.layers[-1](outputs).flatten()
    (values[3:].mean() - values[:3].mean()).backward()
    slope = torch.where(critic.layers[:-2](torch.cat([real, fake])) > 0, 1.0, 0.2)
    assert outputs.grad is not None
    assert norms[-2].item() == pytest.approx((outputs.grad * slope).norm().item(), rel=1e-5)


def test_latents_between_two_have_their_length() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(2, 3, 50)
    assert torch.allclose(figures.between(a, b, 0.0), a, atol=1e-5)
    assert torch.allclose(figures.between(a, b, 1.0), b, atol=1e-5)
    lengths = figures.between(a, b, 0.5).norm(dim=1)
    assert torch.allclose(lengths, (a.norm(dim=1) + b.norm(dim=1)) / 2, rtol=0.1)


# ---- recipes


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_recipe_parses_in_one_order_of_keys(file: Path) -> None:
    recipe, told = load(file), tomllib.loads(file.read_text())
    keys = [f"{section}.{key}" for section in told for key in told[section]]
    assert keys == list(flatten(recipe))


def test_the_levels_are_the_course_s_steps() -> None:
    levels = [load(SPEC.folder / "recipes" / "world" / f"{level}.toml") for level in SPEC.levels]
    names = [level.method.name for level in levels]
    assert names == ["dcgan", "dcgan", "wgan_gp", "stylegan"]
    seen = [level.train.steps * level.train.batch_size for level in levels]
    assert seen[1] > seen[0]
    sample = load(SPEC.folder / "recipes" / "official" / "simple.toml")
    assert (sample.model.z_dim, sample.model.feature_dim, sample.train.batch_size) == (100, 64, 64)
    assert (sample.train.learning_rate, sample.train.steps) == (1e-4, 1115)


def test_every_ablation_takes_something_away_at_equal_steps() -> None:
    rows = read_ablations(SPEC)
    assert {row.level for row in rows} == {"medium", "strong", "boss"}
    for row in rows:
        file = SPEC.folder / "recipes" / "world" / f"{row.level}.toml"
        whole, fewer = flatten(load(file)), flatten(load(file, *row.changes))
        assert whole != fewer and whole["train.steps"] == fewer["train.steps"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (("method.name=wgan", "method.clip=0.0"), "method.clip = 0"),
        (("method.name=wgan_gp", "method.penalty=0.0"), "method.penalty = 0"),
        (("method.name=gan",), "method.name"),
        (("method.critic_steps=0",), "method.critic_steps"),
        (("augment.cutout=1.0",), "augment.cutout"),
    ],
)
def test_an_impossible_recipe_is_told(changes: tuple[str, ...], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        load(SPEC.folder / "recipes" / "world" / "simple.toml", *changes)


def test_every_method_has_its_own_pair() -> None:
    knobs = load(SPEC.folder / "recipes" / "world" / "boss.toml", *SMALL)
    made = {}
    for name in ("dcgan", "wgan", "wgan_gp", "stylegan"):
        method = knobs.method.model_copy(update={"name": name})
        made[name] = methods.new_pair(knobs.model, method)
    kinds = {n: [type(m).__name__ for m in pair.children()] for n, pair in made.items()}
    assert kinds["wgan"] == kinds["wgan_gp"] == kinds["dcgan"] == ["Generator", "Discriminator"]
    assert kinds["stylegan"] == ["StyleGenerator", "StyleDiscriminator"]
    for one, other in itertools.combinations(("wgan", "wgan_gp"), 2):
        shapes = [{k: v.shape for k, v in made[n].state_dict().items()} for n in (one, other)]
        assert shapes[0] == shapes[1], "they differ in how the critic is bounded"
