"""Calibration on made-up runs: order, resume, baselines, defects, files."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlspring import catalog
from mlspring.core.errors import InternalError, UserError
from mlspring.core.spec import LEVELS, Spec
from mlspring.verbs.calibration import calibrate as calibrations
from mlspring.verbs.calibration.calibrate import CHECKOUT, calibrate
from mlspring.verbs.calibration.results import late
from mlspring.verbs.calibration.runs import Child
from tests.verbs.made_up_runs import (
    FakeRuns,
    made_up_checkout,
    made_up_spec,
    steady,
)
from tests.verbs.test_calibration_lines import OFFICIAL


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    return made_up_spec(tmp_path, monkeypatch)


@pytest.fixture
def root(spec: Spec, tmp_path: Path) -> Path:
    return made_up_checkout(tmp_path)


# ---- order and resume


def test_levels_take_turns_so_that_a_busy_hour_hits_them_all(
    spec: Spec, root: Path, tmp_path: Path
) -> None:
    runs = FakeRuns(steady)
    calibrate(spec, seeds=2, out=tmp_path / "out", run=runs, root=root)
    assert runs.asked == [(level, seed) for seed in (0, 1) for level in LEVELS]
    assert runs.worlds == 1


def test_a_stopped_calibration_goes_on_where_it_was(spec: Spec, root: Path, tmp_path: Path) -> None:
    first = FakeRuns(steady)
    first.stop_after = 5
    with pytest.raises(KeyboardInterrupt):
        calibrate(spec, seeds=2, out=tmp_path / "out", run=first, root=root)
    assert not (spec.folder / "baselines.toml").exists()
    with (tmp_path / "out" / "hw90.jsonl").open("a") as stream:
        stream.write('{"homework": "hw90", "lev')  # killed while writing
    second = FakeRuns(steady)
    calibration = calibrate(spec, seeds=2, out=tmp_path / "out", run=second, root=root)
    assert first.asked + second.asked == [(level, seed) for seed in (0, 1) for level in LEVELS]
    assert calibration.defects == ()
    third = FakeRuns(steady)
    again = calibrate(spec, seeds=2, out=tmp_path / "out", run=third, root=root)
    assert third.asked == []
    assert third.worlds == 0
    assert again.results["baselines"] == calibration.results["baselines"]


def test_a_changed_recipe_is_measured_again_but_a_changed_comment_is_not(
    spec: Spec, root: Path, tmp_path: Path
) -> None:
    calibrate(spec, seeds=2, out=tmp_path / "out", run=FakeRuns(steady), root=root)
    recipes = spec.folder / "recipes" / "world"
    (recipes / "simple.toml").write_text('# a comment\nname   = "simple"\n')
    (recipes / "boss.toml").write_text('name = "bigger boss"\n')
    runs = FakeRuns(steady)
    calibrate(spec, seeds=2, out=tmp_path / "out", run=runs, root=root)
    assert runs.asked == [("boss", 0), ("boss", 1)]
    (recipes / "boss.toml").write_text('name = "bigger boss"\nkind = "world"\n')
    calibrate(spec, seeds=1, out=tmp_path / "out", run=FakeRuns(steady), root=root)
    (recipes / "boss.toml").write_text('kind = "world"\nname = "bigger boss"\n')
    runs = FakeRuns(steady)
    calibrate(spec, seeds=1, out=tmp_path / "out", run=runs, root=root)
    assert runs.asked == []  # nor are the same keys in another order


def test_another_world_is_measured_again(
    spec: Spec, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrate(spec, seeds=1, out=tmp_path / "out", run=FakeRuns(steady), root=root)
    world = SimpleNamespace(
        name="marbles", title="marbles", version=4, seed=7, libraries=(), extra=""
    )
    monkeypatch.setattr(catalog, "part", lambda spec, name: SimpleNamespace(world=lambda: world))
    runs = FakeRuns(steady)
    calibrate(spec, seeds=1, out=tmp_path / "out", run=runs, root=root)
    assert len(runs.asked) == len(LEVELS)


# ---- what is written


def test_lines_and_results_are_written_and_read_back_by_the_spec(
    spec: Spec, root: Path, tmp_path: Path
) -> None:
    (spec.folder / "baselines.toml").write_text(OFFICIAL)
    kept = root / "benchmarks" / "results" / "hw90.json"
    kept.write_text('{"references": {"guessing": {"public": 0.1, "private": 0.1}}}')
    runs = FakeRuns(steady)
    calibration = calibrate(spec, seeds=5, out=tmp_path / "out", run=runs, root=root)
    assert calibration.defects == ()
    baselines = spec.baselines["world"]
    assert baselines.public == {"simple": 0.492, "medium": 0.554, "strong": 0.654, "boss": 0.754}
    assert "mlspring calibrate hw90 --seeds 5" in baselines.origin
    assert "marbles version 3 seed 7" in baselines.origin
    assert spec.baselines["official"].public == {"simple": 0.50099}
    results = json.loads(kept.read_text())
    boss = results["levels"]["boss"]
    assert boss["public"]["mean"] == pytest.approx(0.804)
    assert boss["public"]["spread"] == pytest.approx(0.008)
    assert boss["private"]["seeds"][0] == pytest.approx(0.79)
    assert boss["seconds"] == {"data": 1.0, "train": 7.0, "total": 9.0}
    assert boss["process_seconds"]["mean"] == 10.0
    assert boss["peak_memory_mib"] == 304.0
    assert boss["items_per_second"] == 102.0
    assert results["baselines"]["public"] == dict(baselines.public)
    assert results["hardware"]["device"] == "cpu"
    assert results["references"] == {"guessing": {"public": 0.1, "private": 0.1}}


def test_a_level_that_does_not_beat_the_one_below_is_a_defect_and_leaves_the_lines(
    spec: Spec, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (spec.folder / "baselines.toml").write_text(OFFICIAL)

    def faulty(level: str, seed: int) -> float:
        return 0.59 if (level, seed) == ("strong", 1) else steady(level, seed)

    out = tmp_path / "out"
    calibration = calibrate(spec, seeds=2, out=out, run=FakeRuns(faulty), root=root)
    assert "strong does not beat medium in seed 1 on the public part" in calibration.defects[0]
    assert (spec.folder / "baselines.toml").read_text() == OFFICIAL
    assert not (root / "benchmarks" / "results" / "hw90.json").exists()
    assert len((out / "hw90.jsonl").read_text().splitlines()) == 8
    said = capsys.readouterr().err
    assert "DEFECT: hw90: strong" in said
    assert "No baselines were written" in said


def test_a_level_over_its_budget_is_a_defect_but_keeps_its_line(
    spec: Spec, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_cores(cores: int) -> None:
        told = {"commit": "c", "hardware": {"cores": cores}, "versions": {}}
        monkeypatch.setattr(calibrations, "conditions", lambda records: told)

    on_cores(2)
    runs = FakeRuns(steady, seconds=60.0)
    calibration = calibrate(spec, seeds=2, out=tmp_path / "out", run=runs, root=root)
    assert calibration.defects == ("simple takes 60.0 s; its budget is 45 s",)
    assert set(spec.baselines["world"].public) == set(LEVELS)
    just = FakeRuns(steady, seconds=45.0)
    assert calibrate(spec, seeds=2, out=tmp_path / "just", run=just, root=root).defects == ()
    on_cores(1)  # of which nobody said how many seconds it may take
    assert calibrate(spec, seeds=2, out=tmp_path / "out", run=runs, root=root).defects == ()


def test_the_slowest_seed_is_held_to_the_budget() -> None:
    measured = {"budget_seconds": 45.0, "process_seconds": {"seeds": [10.0, 50.0, 20.0]}}
    assert late({"simple": measured}) == ["simple takes 50.0 s; its budget is 45 s"]
    assert late({"other": measured | {"budget_seconds": None}}) == []


def test_lines_wait_for_all_levels_and_a_second_seed(
    spec: Spec, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    runs = FakeRuns(steady)
    part = calibrate(spec, seeds=2, out=out, levels=["boss"], run=runs, root=root)
    assert runs.asked == [("boss", 0), ("boss", 1)]
    assert part.missing == 6
    assert "6 runs of other levels or seeds are missing" in capsys.readouterr().err
    one = calibrate(spec, seeds=1, out=out, run=runs, root=root)
    assert one.missing == 0
    assert one.results["baselines"] == {}
    assert not (spec.folder / "baselines.toml").exists()
    calibrate(spec, seeds=2, out=out, run=runs, root=root)
    assert (spec.folder / "baselines.toml").exists()


def test_an_installed_package_writes_into_out_only(spec: Spec, tmp_path: Path) -> None:
    out = tmp_path / "out"
    calibration = calibrate(spec, seeds=2, out=out, run=FakeRuns(steady), root=None)
    assert set(calibration.written) == {out / "hw90.json", out / "hw90-baselines.toml"}
    assert not (spec.folder / "baselines.toml").exists()
    assert tomllib.loads((out / "hw90-baselines.toml").read_text())["world"]["public"]["boss"] < 0.8


def test_no_run_pays_for_what_the_first_one_makes(spec: Spec, root: Path, tmp_path: Path) -> None:
    runs = FakeRuns(steady, seconds=20.0)
    taught = replace(spec, first=("medium",))
    calibration = calibrate(taught, seeds=2, out=tmp_path / "out", run=runs, root=root)
    assert runs.first == ["medium"]
    assert runs.asked.count(("medium", 0)) == 1
    assert calibration.results["levels"]["medium"]["process_seconds"]["seeds"] == [20.0, 20.0]
    assert calibration.defects == ()


def test_several_levels_may_make_what_others_share(spec: Spec, root: Path, tmp_path: Path) -> None:
    runs = FakeRuns(steady, seconds=20.0)
    taught = replace(spec, first=("simple", "strong"))
    calibrate(taught, seeds=1, out=tmp_path / "out", run=runs, root=root)
    assert runs.first == ["simple", "strong"]


# ---- what can go wrong


def test_a_failed_run_shows_its_last_words(spec: Spec, tmp_path: Path) -> None:
    def failing(arguments: Sequence[str], messages: Path) -> Child:
        messages.parent.mkdir(parents=True, exist_ok=True)
        messages.write_text("first\nthe disk is full\n")
        code = 0 if arguments[0] == "data" else 2
        return Child(code=code, stdout="", seconds=1.0, memory_mib=1.0)

    with pytest.raises(InternalError, match="exit code 2\n    first\n    the disk is full"):
        calibrate(spec, seeds=1, out=tmp_path / "out", run=failing)


@pytest.mark.parametrize(
    ("failing", "said"),
    [("data", "making the world of hw90 ended with exit"), ("run", "the first run of hw90 ended")],
)
def test_what_all_runs_share_must_be_made_before_any_is_measured(
    spec: Spec, tmp_path: Path, failing: str, said: str
) -> None:
    asked: list[Sequence[str]] = []

    def run(arguments: Sequence[str], messages: Path) -> Child:
        asked.append(arguments)
        code = 1 if arguments[0] == failing else 0
        return Child(code=code, stdout="", seconds=1.0, memory_mib=1.0)

    with pytest.raises(InternalError, match=f"{said}.* code 1"):
        calibrate(replace(spec, first=("medium",)), seeds=1, out=tmp_path / "out", run=run)
    assert not [arguments for arguments in asked if "--seed" in arguments]


@pytest.mark.parametrize("stdout", ["", "{broken", '{"score": {"public": 0.5}}'])
def test_a_run_without_scores_is_not_recorded(spec: Spec, tmp_path: Path, stdout: str) -> None:
    def silent(arguments: Sequence[str], messages: Path) -> Child:
        return Child(code=0, stdout=stdout, seconds=1.0, memory_mib=1.0)

    with pytest.raises(InternalError, match="printed no public and no private score"):
        calibrate(spec, seeds=1, out=tmp_path / "out", run=silent)
    assert not (tmp_path / "out" / "hw90.jsonl").exists()


def test_unknown_levels_and_no_seeds_are_refused(spec: Spec, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no level 'bos'.*one of simple, medium"):
        calibrate(spec, seeds=1, out=tmp_path, levels=["bos"])
    with pytest.raises(UserError, match="at least 1"):
        calibrate(spec, seeds=0, out=tmp_path)


def test_what_is_calibrated_from_a_checkout_is_written_into_it() -> None:
    """Baselines and results belong to the sources that were measured."""
    repository = Path(__file__).resolve().parents[2]
    assert Path(catalog.__file__).is_relative_to(repository)
    assert repository == CHECKOUT
