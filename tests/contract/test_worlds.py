"""Every homework on its own world: a first run by the command line, ranked and reported."""

import json
from pathlib import Path

import pytest

from mlspring.core.spec import Spec
from tests.contract.cases import each_homework, each_judged
from tests.contract.journey import finish, start, start_whole
from tests.tiny.islands import TINY


@pytest.fixture(scope="module")
def home(shared: Path) -> Path:
    """Return a cache folder in which each world is made once for all tests here."""
    return shared / "worlds-home"


@each_homework
def test_the_first_level_from_nothing_to_the_board(spec: Spec, tmp_path: Path, home: Path) -> None:
    first, last = spec.levels[0], spec.levels[-1]
    words = ["run", spec.id, first, "--out", str(tmp_path)]
    words += [word for override in TINY[spec.id].spared for word in ("--set", override)]
    finish(start_whole(words, home))
    (path,) = tmp_path.glob("*/*/*/result.json")
    result = json.loads(path.read_text())
    run = path.parent

    assert result["source"] == "world"
    if "world" in spec.baselines:  # calibrated
        assert result["level"] in spec.levels, "the first level misses its own baseline"
        assert result["points"]["public"] > 0
    page = Path(finish(start(["report", str(run)], home)).strip())
    assert spec.title_zh in page.read_text()
    if spec.submission == "none":
        return

    assert (run / spec.submission_name).stat().st_size > 0

    board = json.loads(finish(start(["board", spec.id, "--json"], home)))
    mine = next(row for row in board if row["kind"] == "learner")
    assert mine["public"] == result["score"]["public"]
    if "world" in spec.baselines:
        names = [row["name"] for row in board]
        assert names.index(f"baseline: {last}") < names.index("me")
        assert names.index("me") < names.index(f"baseline: {first}")

    listed = json.loads(finish(start(["list", "--json"], home)))
    entry = next(entry for entry in listed if entry["id"] == spec.id)
    assert entry["best"] == result["score"]["public"]

    checked = finish(start(["validate", spec.id, str(run / spec.submission_name)], home))
    assert "a valid submission" in checked.replace("\n", " ")


@each_judged
def test_a_world_written_out_is_read_back(spec: Spec, tmp_path: Path, home: Path) -> None:
    out = tmp_path / "out"
    finish(start(["data", spec.id, "--export", str(tmp_path / "learner")], home))
    assert not list((tmp_path / "learner").rglob("*answers*")), "only those who ask get them"
    finish(start(["data", spec.id, "--export", str(out), "--answers"], home))
    (answers,), tiny = (out / "private").iterdir(), TINY[spec.id]
    assert not [path for path in (out / "public").rglob("*") if "answer" in path.name]
    submission = tiny.write_perfect(answers, tmp_path / spec.submission_name)
    words = ["validate", spec.id, str(submission), "--data", str(out / "public")]
    finish(start(words, home))
    words = ["score", spec.id, str(submission), "--answers", str(answers)]
    scored = json.loads(finish(start([*words, "--json"], home)))
    if tiny.best is not None:
        assert (scored["public"], scored["private"]) == (tiny.best, tiny.best)
    again = start(["data", spec.id, "--export", str(out)], home)
    output, _ = again.communicate(timeout=120)
    assert again.returncode == 2
    assert "is not empty" in output
