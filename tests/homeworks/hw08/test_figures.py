"""The study and the figures: what is measured for them, on networks whose answer is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.runs import Run
from mlspring.homeworks.hw08_anomaly import judged, study
from mlspring.homeworks.hw08_anomaly.data import Data
from mlspring.homeworks.hw08_anomaly.recipe import Recipe
from mlspring.homeworks.hw08_anomaly.spec import SPEC
from mlspring.kit.style import house_style
from mlspring.verbs import recipes
from tests.contract.journey import run_tiny
from tests.tiny import anomaly
from tests.tiny.anomaly import face

FACES = np.stack([face(number) for number in range(40)])
DATA = Data(train=FACES[:32], held_out=FACES[32:], test=FACES, is_world=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a finished run of a few steps."""
    return run_tiny(SPEC, tmp_path_factory.mktemp("run"), figures=False, submit=False)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    path = recipes.find_recipe(SPEC, "world/simple", "world")
    loaded: Recipe = recipes.load(SPEC, path, anomaly.SMALL)
    return loaded


def test_a_factor_of_one_changes_nothing_and_larger_ones_change_more(
    run: Run, recipe: Recipe
) -> None:
    told = study.change(run, recipe, DATA, 2, (1, 2, 3), 1)
    assert len(told["pictures"]) == len(told["elements"]) == 2
    for pictures in told["pictures"]:
        assert pictures.shape == (2 + 3, 16, 16, 3)
        assert np.allclose(pictures[1], pictures[2], atol=1e-6), "the reconstruction, times 1"
    for _, _, _, *distances in told["rows"]:
        once, twice, thrice = map(float, distances)
        assert once < 1e-5 and twice <= thrice
    doubled = [float(row[4]) for row in told["rows"]]
    assert told["elements"] == np.argsort(doubled)[::-1][:2].tolist()


def test_both_networks_are_measured_on_held_out_faces(run: Run, recipe: Recipe) -> None:
    told = study.compare(run, recipe, DATA, 4)
    (plain, error, nothing, _), (variational, _, divergence, _) = told["rows"]
    assert (plain, variational) == study.NAMES
    shown = told["autoencoder reconstruction"]
    assert shown.shape == told["VAE sample"].shape == (4, 16, 16, 3)
    model, images = study._opened(run, study.PLAIN, recipe, DATA)
    with torch.inference_mode():
        expected = (model(images).images - images).square().mean().item()
    assert float(error) == pytest.approx(expected, abs=1e-5)
    assert nothing == "" and float(divergence) > 0


def test_without_a_truth_half_of_what_is_judged_has_a_planted_fault(
    run: Run, recipe: Recipe
) -> None:
    found = judged.judge(run, recipe, DATA)
    assert len(found.scores) == 16 and found.wrong.sum() == 8
    assert set(found.kinds.tolist()) == {"normal", judged.PLANTED}
    normal, faulty = found.images[:8], found.images[8:]
    assert ((normal != faulty).flatten(1).any(1)).all()
    pictures, places = judged.maps(run, recipe, found, np.array([3, 12]))
    assert pictures.shape == (2, 16, 16, 3) and places.shape[0] == 2
    score = places[0].reshape(-1)
    assert score.max() >= found.scores[3] >= score.mean()


@pytest.mark.parametrize("name", ["q1_vae", "q2_latent", "roc", "scores", "misses"])
def test_every_figure_has_its_numbers(
    name: str, run: Run, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlspring.homeworks.hw08_anomaly.figures import FIGURES

    monkeypatch.setattr(Run, "figures", tmp_path)
    draw: Callable[..., None] = FIGURES[name]
    with house_style():
        draw(run, recipe, DATA)
    lines = (tmp_path / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 2
    if name == "roc":
        assert lines[1] == "0.0,0.0" and lines[-1] == "1.0,1.0"
