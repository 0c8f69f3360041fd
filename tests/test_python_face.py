"""``import mlspring``: light, with the errors of the command line, and as docs/python.md says."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlspring
from mlspring import catalog
from mlspring.core.errors import DataError, RecipeError, RunError, SubmissionError, UserError
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.verbs import predict, recipes, redraw
from mlspring.verbs import run as verb
from tests.contract.journey import pass_for_world
from tests.tiny.islands import TINY

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
EXAMPLES = dict(
    re.findall(r"^## (hw\d\d):.*?```python\n(.*?)```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
)
HW01, HW14 = catalog.find("hw01"), catalog.find("hw14")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a notebook; the world of hw01 is its tiny data."""
    pass_for_world(HW01, tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_importing_it_loads_neither_torch_nor_numpy() -> None:
    code = "import mlspring, sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "mlspring.face" in loaded
    assert not {"torch", "numpy", "rich", "typer", "pydantic", "matplotlib"} & loaded


def test_all_of_its_names_are_there_and_explained() -> None:
    for name in set(mlspring.__all__) - {"__version__"}:
        assert getattr(mlspring, name).__doc__, name
        assert name in PAGE.read_text() or name == "Finished"
    assert (Path(mlspring.__file__).parent / "py.typed").is_file()


def test_there_is_an_example_of_every_homework() -> None:
    assert list(EXAMPLES) == [spec.id for spec in catalog.SPECS]


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_the_example_of_the_page_runs(
    spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pass_for_world(spec, tmp_path, monkeypatch)
    path = recipes.find_recipe(spec, spec.levels[0], "world")
    small = recipes.load(spec, path, TINY[spec.id].small)
    start, load = verb.run_recipe, catalog.part(spec, "data").load
    monkeypatch.setattr(
        verb, "run_recipe", lambda spec, asked, _, **rest: start(spec, asked, small, **rest)
    )
    monkeypatch.setattr(catalog.part(spec, "data"), "load", lambda source, _: load(source, small))
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():  # Box2D's bindings warn at import, where no error can be raised
        warnings.simplefilter("ignore")
        exec(compile(EXAMPLES[spec.id], f"{PAGE}, {spec.id}", "exec"), {})
    assert capsys.readouterr().out.strip()


# ---- the same errors as the command line


def test_errors_are_those_of_the_command_line(tiny: Path) -> None:
    for call, kind, sentence in (
        (lambda: mlspring.load("hw003"), UserError, "did you mean hw03"),
        (lambda: mlspring.recipe("hw01", "bos"), RecipeError, "did you mean boss"),
        (lambda: mlspring.recipe("hw01", train__stepz=3), RecipeError, "did you mean 'train.step"),
        (lambda: mlspring.recipe("hw01", train__steps="3"), RecipeError, "changes: train.steps"),
        (lambda: mlspring.recipe("hw01", train=3, train__steps=3), RecipeError, "train"),
        (lambda: mlspring.run("hw01", train__stepz=3), RecipeError, "did you mean"),
        (lambda: mlspring.write("hw01", np.zeros(2), "x.csv"), SubmissionError, "2 predictions"),
        (lambda: mlspring.validate("hw01", "nothing.csv"), SubmissionError, "no such file"),
        (lambda: mlspring.baselines("hw14"), UserError, "no board"),
        (lambda: mlspring.submit("hw14", "x"), UserError, "no board"),
        (lambda: mlspring.Log("hw01", "../up"), UserError, "cannot be called"),
        (lambda: mlspring.Log("hw01", "my.toml"), UserError, "cannot be called"),
    ):
        with pytest.raises(kind, match=re.escape(sentence)) as told:
            call()
        assert isinstance(told.value, mlspring.MlspringError)
    assert not (tiny / "runs").exists()


def test_data_are_those_of_the_lowest_level_unless_a_recipe_is_named(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog.part(HW01, "data"), "load", lambda source, recipe: recipe)
    boss = mlspring.recipe("hw01", "boss")
    assert mlspring.load("hw01") == mlspring.recipe("hw01", HW01.levels[0]) != boss
    assert mlspring.load("hw01", recipe="boss") == mlspring.load("hw01", recipe=boss) == boss


def test_a_folder_that_is_not_there_is_told() -> None:
    with pytest.raises(DataError, match="there is no such folder"):
        mlspring.load("hw01", "nowhere")


def test_a_recipe_with_changes_is_what_runs_and_is_kept(tiny: Path) -> None:
    small = {"train__steps": 4, "train__validate_every": 2}
    done = mlspring.run("hw01", "simple", seed=3, submit=False, **small)
    assert done.result["recipe"] == "world/simple"
    assert done.folder.parent == Path("runs/hw01/simple")
    kept = mlspring.recipe("hw01", str(done.folder / "recipe.toml"))
    assert (kept.train.steps, kept) == (4, mlspring.recipe("hw01", "simple", **small))
    again = mlspring.run("hw01", kept, seed=3, submit=False)
    assert again.result["score"] == done.result["score"]
    assert again.submission is not None and done.submission is not None
    assert again.submission.read_bytes() == done.submission.read_bytes()


def test_a_notebook_shows_scores_and_figures_and_no_markup_of_others(tiny: Path) -> None:
    done = mlspring.run("hw01", "simple", submit=False, train__steps=4, train__validate_every=2)
    page = done._repr_html_()
    assert f"{done.result['score']['public']:.5f}" in page
    assert page.count('src="data:image/png;base64,') == len(done.figures) >= 4
    evil = mlspring.Finished(
        folder=done.folder,
        result={**done.result, "recipe": "<script>"},
        figures={},
        submission=None,
    )
    assert "<script>" not in evil._repr_html_()


# ---- a loop of one's own


def own_loop(**finish: Any) -> mlspring.Finished:
    with mlspring.Log("hw01", "my net", seed=5) as log:
        for epoch in range(4):
            log({"train/loss": 1 / (epoch + 1)}, step=10 * epoch, epoch=epoch)
            log(step=10 * epoch, epoch=epoch, valid__loss=np.float32(2 / (epoch + 1)))
        log(step=40, epoch=4, train__loss=float("nan"))
        return log.finish(validation=0.5, **finish)


def test_its_log_has_the_format_of_ours(tiny: Path) -> None:
    done = own_loop()
    entries = Run.open(done.folder).read_log()
    assert [e.get("train/loss") for e in entries[::2]] == [1.0, 0.5, 1 / 3, 0.25, None]
    assert [e.get("valid/loss") for e in entries[1::2]] == pytest.approx([2, 1, 2 / 3, 0.5])
    assert all(e.keys() >= {"step", "epoch", "member", "seconds"} for e in entries)
    assert [(e["step"], e["epoch"], e["member"]) for e in entries[::2]] == [
        (10 * epoch, epoch, 0) for epoch in range(5)
    ]
    for line in (done.folder / "log.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_a_value_belongs_to_its_network_and_without_epochs_to_its_step(tiny: Path) -> None:
    with mlspring.Log("hw01") as log:
        log(step=7, member=1, train__loss=0.5)
        (entry,) = Run.open(log.folder).read_log()
    assert (entry["step"], entry["epoch"], entry["member"]) == (7, 7, 1)


def test_it_is_drawn_reported_listed_and_ranked_as_a_run(tiny: Path) -> None:
    data = mlspring.load("hw01")
    file = mlspring.write("hw01", np.full(len(data.test_ids), 20.0), tiny / "mine.csv")
    done = own_loop(file=file)
    assert set(done.figures) == {"learning_curves"}
    assert done.result["score"]["public"] == pytest.approx(mlspring.score("hw01", file)["public"])
    rows = [row for row in mlspring.board("hw01") if row["kind"] == "learner"]
    assert [row["public"] for row in rows] == [done.result["score"]["public"]]
    page = done.report().read_text()
    assert "own/my net" in page and "train loss goes from 1 to 0.25" in page
    assert "mlspring resume" not in page and "mlspring run" not in page
    (done.figures["learning_curves"]).unlink()
    redraw.redraw(done.folder)
    assert done.figures["learning_curves"].stat().st_size > 1000


def test_another_file_of_answers_may_judge(tiny: Path) -> None:
    ids = mlspring.load("hw01").test_ids
    file = mlspring.write("hw01", np.linspace(0, 50, len(ids)), tiny / "mine.csv")
    swapped = TINY["hw01"].write_answers(tiny / "swapped.csv")
    parts = {"Public": "Private", "Private": "Public"}
    text = re.sub("Public|Private", lambda found: parts[found.group()], swapped.read_text())
    swapped.write_text(text)
    plain, other = mlspring.score("hw01", file), mlspring.score("hw01", file, swapped)
    assert (other["public"], other["private"]) == (plain["private"], plain["public"])
    assert plain["public"] != plain["private"]


def test_a_loop_that_stops_keeps_its_log_and_cannot_be_resumed(tiny: Path) -> None:
    with pytest.raises(ZeroDivisionError), mlspring.Log("hw01") as log:
        log(step=1, train__loss=1.0)
        log(step=2, train__loss=1 / 0)
    assert len(Run.open(log.folder).read_log()) == 1
    with pytest.raises(RunError, match="a loop of one's own"):
        verb.resume(log.folder)
    own_loop()
    with pytest.raises(RunError, match="a loop of one's own"):
        predict.predict(own_loop().folder, data=None, out=None)


def test_a_value_that_is_no_number_is_named(tiny: Path) -> None:
    with mlspring.Log("hw01") as log, pytest.raises(UserError, match="train/loss is 'much'"):
        log(step=1, train__loss="much")
