"""Ablations on made-up runs: what is run, what is taken from the calibration, the share told."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlspring import catalog
from mlspring.core.errors import RecipeError, UserError
from mlspring.core.recipe import Section
from mlspring.core.spec import LEVELS, Spec
from mlspring.verbs.calibration.ablations import ablate, read_ablations, share_of_step
from mlspring.verbs.calibration.calibrate import calibrate
from tests.verbs.made_up_runs import (
    ERROR,
    GOOD,
    FakeRuns,
    made_up_checkout,
    made_up_spec,
    steady,
)

ROW = """
[[ablation]]
level = "medium"
without = "the trick"
changes = { "train.trick" = false }
"""


class TrainKnobs(Section):
    steps: int
    trick: bool


class Recipe(Section):
    train: TrainKnobs


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    made = made_up_spec(tmp_path, monkeypatch)
    world = SimpleNamespace(
        name="marbles", title="marbles", version=3, seed=7, libraries=(), extra=""
    )
    parts = SimpleNamespace(world=lambda: world, Recipe=Recipe)
    monkeypatch.setattr(catalog, "part", lambda spec, name: parts)
    for number, level in enumerate(LEVELS):
        text = f"[train]\nsteps = {100 + number}\ntrick = true\n"
        (made.folder / "recipes" / "world" / f"{level}.toml").write_text(text)
    (made.folder / "recipes" / "ablations.toml").write_text(ROW)
    return made


@pytest.fixture
def root(spec: Spec, tmp_path: Path) -> Path:
    return made_up_checkout(tmp_path)


def test_a_level_is_run_without_its_technique_and_told_beside_itself(
    spec: Spec, root: Path, tmp_path: Path
) -> None:
    runs = FakeRuns(steady)
    runs.changed = 0.53
    results = ablate(spec, seeds=2, out=tmp_path / "out", run=runs, root=root)
    assert sorted(runs.asked[:4]) == [("medium", 0), ("medium", 1), ("simple", 0), ("simple", 1)]
    assert runs.asked[4:] == [("medium", 0), ("medium", 1)]
    assert runs.changes[4:] == [["train.trick=false"]] * 2
    (row,) = results["rows"]
    assert row["scores"]["public"]["with"]["seeds"] == [0.6, 0.602]
    assert row["scores"]["public"]["without"]["seeds"] == [0.53, 0.53]
    # the mean of both parts: 0.596 with, 0.525 without, 0.496 below
    assert row["share"] == pytest.approx((0.596 - 0.525) / (0.596 - 0.496), abs=1e-3)
    assert results["defects"] == []
    kept = json.loads((root / "benchmarks" / "results" / "hw90-ablations.json").read_text())
    assert kept == results


def test_rows_that_come_to_one_recipe_are_run_once(spec: Spec, root: Path, tmp_path: Path) -> None:
    """Two techniques without which nothing is left, as with methods and fine-tuning."""
    (spec.folder / "recipes" / "ablations.toml").write_text(ROW + ROW.replace("the trick", "both"))
    runs = FakeRuns(steady)
    runs.changed = 0.53
    results = ablate(spec, seeds=2, out=tmp_path / "out", run=runs, root=root)
    assert runs.changes.count(["train.trick=false"]) == 2
    first, second = (row["scores"] for row in results["rows"])
    assert first == second


def test_a_technique_that_makes_less_than_half_of_the_step_is_a_defect(
    spec: Spec, root: Path, tmp_path: Path
) -> None:
    runs = FakeRuns(steady)
    runs.changed = 0.58
    results = ablate(spec, seeds=1, out=tmp_path / "out", run=runs, root=root)
    assert results["defects"] == [
        "the trick makes 20% of the step from the level below medium",
    ]


def test_exactly_half_of_the_step_is_enough(spec: Spec, root: Path, tmp_path: Path) -> None:
    runs = FakeRuns(steady)
    runs.changed = 0.55
    results = ablate(spec, seeds=1, out=tmp_path / "out", run=runs, root=root)
    assert results["rows"][0]["share"] == 0.5
    assert results["defects"] == []
    runs.changed = 0.553
    results = ablate(spec, seeds=1, out=tmp_path / "more", run=runs, root=root)
    assert results["rows"][0]["share"] == 0.47
    assert len(results["defects"]) == 1


def test_only_the_first_row_of_a_level_is_held_to_the_rule(
    spec: Spec, root: Path, tmp_path: Path
) -> None:
    file = spec.folder / "recipes" / "ablations.toml"
    file.write_text(ROW + ROW.replace("the trick", "another"))
    assert [row.named for row in read_ablations(spec)] == [True, False]


def test_levels_that_were_calibrated_are_not_run_again(
    spec: Spec, root: Path, tmp_path: Path
) -> None:
    calibrate(spec, seeds=3, out=tmp_path / "out", run=FakeRuns(steady), root=root)
    runs = FakeRuns(lambda level, seed: 0.0)
    results = ablate(spec, seeds=2, out=tmp_path / "out", run=runs, root=root)
    assert runs.asked == [("medium", 0), ("medium", 1)]
    assert results["rows"][0]["scores"]["public"]["with"]["seeds"] == [0.6, 0.602]


def test_a_level_whose_recipe_changed_since_is_run_again(
    spec: Spec, root: Path, tmp_path: Path
) -> None:
    calibrate(spec, seeds=3, out=tmp_path / "out", run=FakeRuns(steady), root=root)
    simple = spec.folder / "recipes" / "world" / "simple.toml"
    simple.write_text(simple.read_text().replace("100", "99"))
    runs = FakeRuns(steady)
    ablate(spec, seeds=1, out=tmp_path / "out", run=runs, root=root)
    assert sorted(runs.asked) == [("medium", 0), ("simple", 0)]


def test_what_was_measured_is_not_measured_again(spec: Spec, root: Path, tmp_path: Path) -> None:
    ablate(spec, seeds=1, out=tmp_path / "out", run=FakeRuns(steady), root=root)
    runs = FakeRuns(steady)
    ablate(spec, seeds=2, out=tmp_path / "out", run=runs, root=root)
    assert {seed for _, seed in runs.asked} == {1}


def test_a_homework_that_names_nothing_says_where_to_write_it(spec: Spec) -> None:
    (spec.folder / "recipes" / "ablations.toml").unlink()
    with pytest.raises(UserError, match=r"(?s)names nothing to take away.*ablations\.toml"):
        read_ablations(spec)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[ablation]", "is not valid TOML"),
        ('[[ablation]]\nlevel = "medium"\n', "row 1 has level"),
        (ROW.replace("train.trick", "train.steps"), "row 1 changes train.steps"),
        (ROW.replace("train.trick", "train.batch_size"), "row 1 changes train.batch_size"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(spec: Spec, text: str, said: str) -> None:
    file = spec.folder / "recipes" / "ablations.toml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=said) as error:
        read_ablations(spec)
    assert str(file) in str(error.value)


@pytest.mark.parametrize("key", ["train.trik", "train.steps.trick"])
def test_a_key_that_no_recipe_has_is_refused_before_anything_runs(
    spec: Spec, root: Path, tmp_path: Path, key: str
) -> None:
    (spec.folder / "recipes" / "ablations.toml").write_text(ROW.replace("train.trick", key))
    runs = FakeRuns(steady)
    with pytest.raises(RecipeError, match=key.split(".")[1]):
        ablate(spec, seeds=1, out=tmp_path / "out", run=runs, root=root)
    assert runs.asked == []


def test_the_share_is_one_where_the_level_falls_back_to_the_one_below(spec: Spec) -> None:
    assert share_of_step(spec, 0.6, 0.5, 0.5) == 1
    assert share_of_step(spec, 0.6, 0.6, 0.5) == 0
    assert share_of_step(spec, 0.6, 0.4, 0.5) == pytest.approx(2)
    assert share_of_step(spec, 0.6, 0.4, None) is None
    assert share_of_step(spec, 0.5, 0.4, 0.6) is None


def test_the_share_of_an_error_counts_downwards(spec: Spec) -> None:
    lower = replace(spec, metric=ERROR)
    assert share_of_step(lower, 1.0, 1.5, 2.0) == pytest.approx(0.5)
    assert share_of_step(lower, 2.0, 1.5, 1.0) is None


def test_the_made_up_levels_rise(spec: Spec) -> None:
    assert sorted(GOOD, key=GOOD.__getitem__) == list(LEVELS)
