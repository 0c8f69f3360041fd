"""Predictions for other data never take the place of the run's own submission."""

import shutil
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core.runs import Run
from mlspring.homeworks.hw01_regression import data as island
from mlspring.verbs import sources
from mlspring.verbs.predict import predict
from mlspring.worlds import epidemic, world
from tests.contract.journey import run_tiny
from tests.tiny.survey import SIZE

SPEC = catalog.find("hw01")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return run_tiny(SPEC, tmp_path)


def other_data(run: Run) -> Path:
    """A folder with the run's tables but for the last test row."""
    folder = Path(run.request.data).with_name("last [year]")
    shutil.copytree(run.request.data, folder)
    table = folder / "covid.test.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    return folder


def test_other_data_get_a_name_of_their_own(run: Run) -> None:
    own = run.folder / SPEC.submission_name
    before, folder = own.read_bytes(), other_data(run)
    first = predict(run.folder, data=str(folder), out=None)
    assert first == run.folder / "pred-last [year].csv"
    assert first.read_text().count("\n") == own.read_text().count("\n") - 1
    first.write_text("mine now")
    second = predict(run.folder, data=str(folder), out=None)
    assert second == run.folder / "pred-last [year]-2.csv"
    assert (own.read_bytes(), first.read_text()) == (before, "mine now")


def test_the_world_is_other_data_for_a_run_on_a_folder(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = epidemic.epidemic_world(SIZE, name="epidemic-tiny")
    monkeypatch.setattr(island, "world", lambda: tiny)
    monkeypatch.setattr(sources, "world_folder", lambda spec: world.build(tiny, processes=1))
    before = (run.folder / SPEC.submission_name).read_bytes()
    assert predict(run.folder, data="world", out=None).name == "pred-world.csv"
    assert (run.folder / SPEC.submission_name).read_bytes() == before


def test_the_runs_own_data_keep_their_name_and_out_is_obeyed(run: Run, tmp_path: Path) -> None:
    own = run.folder / SPEC.submission_name
    before = own.read_bytes()
    own.unlink()
    assert predict(run.folder, data=None, out=None) == own
    assert own.read_bytes() == before
    assert predict(run.folder, data=f"{run.request.data}/../data", out=None) == own
    named = tmp_path / "deep" / "mine.csv"
    assert predict(run.folder, data=None, out=named) == named
    assert named.read_bytes() == before
