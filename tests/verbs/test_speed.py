"""The measurement of speed: what counts as a pair, and that a stopped one goes on."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import speed
from benchmarks.speed_plans import PLANS
from mlspring import catalog

OURS = {"seconds": 10.004, "score": 0.8, "env_steps": 5000, "peak_memory_mib": 700.0}
THEIRS = {"seconds": 42.0, "ended": "score", "peak_memory_mib": 650.0, "reached": [[2.0, 250]]}
THEIRS |= {"share": 1.0}


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Let a pair cost nothing; return the list of those that are measured."""
    calls: list[tuple[str, int]] = []

    class Bench:
        def __init__(self, spec: Any, *_: Any) -> None:
            self.spec = spec

        def pair(self, level: str, number: int) -> dict[str, Any]:
            calls.append((f"{self.spec.id}/{level}", number))
            if len(calls) == 4:
                raise KeyboardInterrupt
            return speed.as_pair("score", OURS, THEIRS)

    steps = {"loader_efficiency": {"median": 1.0, "pairs": [1.0]}, "peak_share": 0.5}
    monkeypatch.setattr(speed, "Bench", Bench)
    monkeypatch.setattr(speed, "step_figures", lambda *_: steps)
    monkeypatch.setattr(speed, "RESULTS", tmp_path / "speed.json")
    return calls


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(speed.RESULTS.read_text())["rows"]
    return found


def test_a_stopped_measurement_goes_on_with_the_next_pair(
    measured: list[tuple[str, int]],
) -> None:
    words = ["hw03/medium", "hw03/simple", "--pairs", "2", "--device", "cpu"]
    with pytest.raises(KeyboardInterrupt):
        speed.main(words)
    assert [(row["level"], len(row["pairs"])) for row in rows()] == [("simple", 1), ("medium", 2)]
    speed.main(words)
    each = [("hw03/medium", 0), ("hw03/medium", 1), ("hw03/simple", 0)]
    assert measured == [*each, ("hw03/simple", 1), ("hw03/simple", 1)]
    speed.main(words)
    assert len(measured) == 5
    simple, medium = rows()
    assert len(simple["pairs"]) == len(medium["pairs"]) == 2
    assert "loader_efficiency" in medium and "loader_efficiency" not in simple


def test_a_row_begins_anew_when_its_recipe_changed_or_on_request(
    measured: list[tuple[str, int]],
) -> None:
    words = ["hw03/boss", "--pairs", "1", "--device", "cpu"]
    speed.main(words)
    results = json.loads(speed.RESULTS.read_text())
    results["rows"][0]["recipe"] = "of another day"
    speed.RESULTS.write_text(json.dumps(results))
    speed.main(words)
    assert len(measured) == 2
    assert rows()[0]["recipe"] != "of another day"
    speed.main([*words, "--again"])
    assert len(measured) == 3 and len(rows()[0]["pairs"]) == 1


def test_results_of_the_old_shape_are_dropped() -> None:
    old = {"homework": "hw01", "recipe": "strong", "notebook": {"median": 3.7}}
    assert speed.kept_rows({"pairs": 5, "rows": [old]}) == {}
    assert speed.kept_rows({}) == {}


def test_a_stopped_notebook_way_is_projected_or_a_bound() -> None:
    met = speed.as_pair("score", OURS, THEIRS)
    assert (met["ours_seconds"], met["theirs_seconds"], met["known"]) == (10.0, 42.0, "measured")
    assert (met["ours_mib"], met["theirs_mib"], met["score"]) == (700.0, 650.0, 0.8)
    for compared in ("score", "training"):
        after = speed.as_pair(compared, OURS, THEIRS | {"ended": "time"})
        assert (after["theirs_seconds"], after["known"]) == (42.0, "bound")
        halfway = speed.as_pair(compared, OURS, THEIRS | {"ended": "time", "share": 0.5})
        assert (halfway["theirs_seconds"], halfway["known"]) == (84.0, "projected")
    assert speed.as_pair("training", OURS, THEIRS | {"ended": "training"})["known"] == "measured"


def test_play_is_compared_by_equally_many_steps() -> None:
    pair = speed.as_pair("play", OURS, THEIRS | {"ended": "time"})
    assert pair["theirs_seconds"] == 40.0  # 250 steps took 2 s, ours played 5000
    assert pair["known"] == "projected"


def test_rows_are_chosen_by_homework_and_level() -> None:
    assert speed.wanted_levels([]) == {hw: list(plan.levels) for hw, plan in PLANS.items()}
    some = speed.wanted_levels(["hw04/boss", "hw14", "hw04/simple"])
    assert some == {"hw04": ["boss", "simple"], "hw14": ["ewc", "mas", "replay"]}
    for word in ("hw99", "hw03/huge"):
        with pytest.raises(SystemExit, match="is not measured"):
            speed.wanted_levels([word])


@pytest.mark.parametrize("homework", PLANS)
def test_every_plan_fits_its_homework(homework: str) -> None:
    spec, plan = catalog.find(homework), PLANS[homework]
    assert plan.step_level in plan.levels
    assert set(plan.by_training) <= set(plan.levels)
    for level in plan.levels:
        recipe = speed.recipe_of(spec, plan, level)
        several = getattr(recipe, "num_members", 1) > 1
        assert not several or plan.compares(level) == "training"
