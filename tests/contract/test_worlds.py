"""Every homework on its own world: a first run by the command line, ranked and reported."""

import json
from pathlib import Path

import pytest

from mlspring.catalog import SPECS
from mlspring.core.spec import Spec
from tests.contract.journey import finish, start
from tests.tiny.islands import TINY


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder in which each world is made once for all tests here."""
    return tmp_path_factory.mktemp("worlds-home")


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_level_simple_from_nothing_to_the_board(spec: Spec, tmp_path: Path, home: Path) -> None:
    words = ["run", spec.id, "simple", "--out", str(tmp_path), "--precision", "fp32"]
    finish(start(words, home))
    (path,) = tmp_path.glob("*/*/*/result.json")
    result = json.loads(path.read_text())
    run = path.parent

    assert result["source"] == "world"
    if "world" in spec.lines:  # calibrated
        assert result["level"] in spec.levels, "level simple misses its own line"
        assert result["points"]["public"] > 0
    assert (run / spec.submission_name).stat().st_size > 0

    board = json.loads(finish(start(["board", spec.id, "--json"], home)))
    mine = next(row for row in board if row["kind"] == "learner")
    assert mine["public"] == result["score"]["public"]
    if "world" in spec.lines:
        names = [row["name"] for row in board]
        assert names.index("line: boss") < names.index("me") < names.index("line: simple")

    listed = json.loads(finish(start(["list", "--json"], home)))
    entry = next(entry for entry in listed if entry["id"] == spec.id)
    assert entry["best"] == result["score"]["public"]

    page = Path(finish(start(["report", str(run)], home)).strip())
    assert spec.title_zh in page.read_text()
    checked = finish(start(["validate", spec.id, str(run / spec.submission_name)], home))
    assert "a valid submission" in checked.replace("\n", " ")


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_a_world_written_out_is_read_back(spec: Spec, tmp_path: Path, home: Path) -> None:
    out = tmp_path / "out"
    finish(start(["data", spec.id, "--export", str(out)], home))
    answers = (out / "private" / "answers.csv").read_text().splitlines()
    assert not [path for path in (out / "public").rglob("*") if "answer" in path.name]
    submission = tmp_path / spec.submission_name
    table = "\n".join(",".join(row.split(",")[:2]) for row in answers) + "\n"
    TINY[spec.id].hand_in(table, submission)
    words = ["validate", spec.id, str(submission), "--data", str(out / "public")]
    finish(start(words, home))
    words = ["score", spec.id, str(submission), "--answers", str(out / "private" / "answers.csv")]
    scored = json.loads(finish(start([*words, "--json"], home)))
    best = 1.0 if spec.metric.higher_is_better else 0.0
    assert (scored["public"], scored["private"]) == (best, best)
    again = start(["data", spec.id, "--export", str(out)], home)
    output, _ = again.communicate(timeout=120)
    assert again.returncode == 2
    assert "is not empty" in output
