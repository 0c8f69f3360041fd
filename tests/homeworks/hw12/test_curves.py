"""The comparison of methods over seeds: bands on equal steps."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import curves_hw12
from mlspring.core.errors import UserError
from mlspring.core.runs import Request, Run


def finished(folder: Path, recipe: str, seed: int, points: list[tuple[int, float]]) -> None:
    """Leave a finished run with these validations."""
    run = Run.create(folder, Request(homework="hw12", recipe=recipe, seed=seed), "")
    for steps, reward in points:
        run.log(step=1, env_steps=steps, valid__reward=reward)
    run.log(step=2)
    run.finish({"homework": "hw12", "seconds": {}})
    run.close()


def test_a_band_is_taken_at_equal_steps() -> None:
    """Seeds take different numbers of steps an episode: what is compared is interpolated."""
    one = (np.array([0.0, 100.0]), np.array([0.0, 10.0]))
    two = (np.array([50.0, 200.0]), np.array([20.0, 50.0]))
    steps, worst, mean, best = curves_hw12.band([one, two])
    assert (steps[0], steps[-1]) == (50, 100)
    assert (worst[0], worst[-1]) == (5, 10)
    assert (best[0], best[-1]) == (20, 30)
    assert mean == pytest.approx((worst + best) / 2)


def test_finished_runs_are_grouped_by_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(tmp_path, "simple", 0, [(10, -200.0), (20, -100.0)])
    finished(tmp_path, "boss", 0, [(10, 0.0), (30, 200.0)])
    finished(tmp_path, "boss", 1, [(10, 50.0), (30, 250.0)])
    unfinished = Run.create(tmp_path, Request(homework="hw12", recipe="boss", seed=2), "")
    unfinished.close()
    found = curves_hw12.curves(tmp_path)
    assert {recipe: len(of_seeds) for recipe, of_seeds in found.items()} == {"simple": 1, "boss": 2}
    monkeypatch.setattr(curves_hw12, "RESULTS", tmp_path / "results")
    curves_hw12.main(tmp_path)
    rows = (tmp_path / "results" / "hw12-curves.csv").read_text().splitlines()
    assert rows[0] == "recipe,env_steps,worst,mean,best"
    assert rows[1] == "simple,10.0,-200.0,-200.0,-200.0"
    assert rows[-1] == "boss,30.0,200.0,225.0,250.0"
    assert (tmp_path / "results" / "hw12-curves.png").stat().st_size > 0


def test_no_run_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished run of hw12"):
        curves_hw12.main(tmp_path)
