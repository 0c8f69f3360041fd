"""One contract over all homeworks: a new island is covered by being in the catalog."""

import itertools
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mlspring import catalog
from mlspring.catalog import SPECS
from mlspring.core.errors import RecipeError, SubmissionError
from mlspring.core.recipe import dump_recipe, flatten, load_recipe
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.judge.worker import score_locally
from mlspring.verbs import recipes
from tests.contract.cases import each_homework, each_judged, each_kind, each_recipe
from tests.contract.journey import only_run, run_tiny
from tests.tiny.islands import TINY

PARTS = ("data", "figures", "models", "recipe", "spec", "train")


def recipe_files(spec: Spec, kind: str) -> list[Path]:
    """Return the files of a folder's recipes; a variant has none of its own."""
    every = [recipes.find_recipe(spec, name, kind) for name in recipes.recipe_names(spec, kind)]
    return [file for file in every if file.is_file()]


@each_homework
def test_the_spec_is_complete(spec: Spec) -> None:
    assert spec.id == spec.island[:4]
    assert all((spec.title, spec.title_zh, spec.topic, spec.summary, spec.metric.unit))
    assert spec.quota == 5
    assert spec.questions
    assert spec.levels
    assert spec.submission_name or spec.submission == "none"
    for baselines in spec.baselines.values():
        assert len(baselines.origin) > 20
        assert set(baselines.public) | set(baselines.private) <= set(spec.levels)


@each_homework
def test_lines_rise_from_level_to_level(spec: Spec) -> None:
    for baselines in spec.baselines.values():
        for part in (baselines.public, baselines.private):
            demanded = [part[level] for level in spec.levels if level in part]
            for lower, higher in itertools.pairwise(demanded):
                assert spec.metric.better(higher, lower)


@each_homework
def test_every_part_is_there(spec: Spec) -> None:
    own = () if spec.table else ("score", "submission")
    for name in PARTS if spec.submission == "none" else (*PARTS, "predict", *own):
        assert catalog.part(spec, name).__doc__, name


HEADINGS = [
    "Idea",
    "Run it",
    "Read the code in this order",
    "Levels",
    "What you will see",
    "Exercises",
    "What the notebook gets wrong",
    "Sources",
]


@each_homework
def test_the_readme_teaches_in_one_order(spec: Spec) -> None:
    text = (spec.folder / "README.md").read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert "<!-- scores -->" in parts["Levels"]
    assert "youtu" in parts["Idea"], "the lecture that it belongs to"
    assert (
        2 <= parts["Run it"].count(f"mlspring run {spec.id}") + parts["Run it"].count("report") <= 5
    )
    assert parts["Read the code in this order"].count(".py#L") >= 2
    assert "![" in parts["What you will see"]
    assert 3 <= len(re.findall(r"^\d\. ", parts["Exercises"], re.MULTILINE)) <= 5


@each_homework
def test_every_key_of_the_log_is_explained(spec: Spec, finished: Callable[..., Run]) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "log-keys.md").read_text()
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    told = set(re.findall(r"`([\w/]+)`", parts["Every homework"] + parts[spec.id]))
    for level in {spec.levels[0], spec.levels[-1]}:
        run = finished(spec, recipe=f"world/{level}")
        assert {key for entry in run.read_log() for key in entry} <= told


@each_homework
def test_every_question_has_its_figure(spec: Spec) -> None:
    figures = catalog.part(spec, "figures").FIGURES
    assert {question.figure for question in spec.questions} <= set(figures)


@each_homework
def test_there_is_a_recipe_for_every_level_on_the_world(spec: Spec) -> None:
    assert set(spec.levels) <= set(recipes.recipe_names(spec, "world"))


@each_kind
def test_every_recipe_parses_and_keeps_one_order_of_keys(spec: Spec, kind: str) -> None:
    model = catalog.part(spec, "recipe").Recipe
    files = recipe_files(spec, kind)
    assert files
    orders = []
    for file in files:
        table = tomllib.loads(file.read_text())
        if "extends" in table:  # holds only what it changes
            recipes.load(spec, file, kind=kind)
            continue
        recipe = load_recipe(model, file)
        orders.append([f"{section}.{key}" for section in table for key in table[section]])
        assert orders[-1] == list(flatten(recipe)), f"{file.name}: keys in another order"
    assert all(order == orders[0] for order in orders)


@each_homework
def test_every_knob_is_explained(spec: Spec) -> None:
    recipe = load_recipe(
        catalog.part(spec, "recipe").Recipe, recipes.find_recipe(spec, spec.levels[-1], "world")
    )
    for name, section in recipe:
        for key, field in type(section).model_fields.items():
            assert field.description, f"{name}.{key} has no description"


def test_the_loop_s_knobs_have_the_same_words_and_bounds_everywhere() -> None:
    """Where two homeworks share a knob; batches are of other things in each."""
    known: dict[str, tuple[str, str]] = {}
    for spec in SPECS:
        loop = catalog.part(spec, "recipe").Recipe.model_fields["train"].annotation
        for name, field in loop.model_fields.items():
            said = (str(field.description), str(field.metadata))
            if name != "batch_size":
                assert said == known.setdefault(name, said), f"{spec.id} train.{name}"


@each_homework
def test_a_recipe_survives_its_own_writing(spec: Spec, tmp_path: Path) -> None:
    model = catalog.part(spec, "recipe").Recipe
    recipe = load_recipe(model, recipes.find_recipe(spec, spec.levels[-1], "world"))
    path = tmp_path / "again.toml"
    path.write_text(dump_recipe(recipe))
    assert load_recipe(model, path) == recipe


@each_homework
def test_a_typing_error_is_answered_with_the_nearest_key(spec: Spec) -> None:
    model, level = catalog.part(spec, "recipe").Recipe, spec.levels[-1]
    path = recipes.find_recipe(spec, level, "world")
    for key in flatten(load_recipe(model, path)):
        with pytest.raises(RecipeError, match=rf"unknown key '{key}_'; did you mean '{key}'"):
            load_recipe(model, path, [f"{key}_=1"])
    with pytest.raises(RecipeError, match=f"did you mean {level}"):
        recipes.find_recipe(spec, level[:-1], "world")


@each_recipe
def test_every_recipe_runs_from_data_to_figures(
    spec: Spec, recipe: str, finished: Callable[..., Run]
) -> None:
    run = finished(spec, recipe=recipe)
    result = run.result
    assert result is not None
    assert result["score"]["validation"] is not None
    assert result["score"]["public"] is None, "nobody has the answers of a folder"
    assert {"data", "train", "predict", "figures", "total"} <= set(result["seconds"])
    assert result["items_per_second"] > 0
    assert result["peak_memory_mib"] > 0
    for question in spec.questions:
        for suffix in ("png", "svg", "csv"):
            assert (run.figures / f"{question.figure}.{suffix}").stat().st_size > 0
    assert not list(run.folder.rglob("*.part"))


@each_homework
def test_training_lowers_the_loss(spec: Spec, finished: Callable[..., Run]) -> None:
    tiny = TINY[spec.id]
    entries = [entry for entry in finished(spec).read_log() if tiny.loss in entry]
    losses = [e[tiny.loss] for e in entries if str(e["member"]) not in tiny.trained_by_one]
    assert losses[-1] < losses[0]


@each_homework
def test_diverged_training_is_told_and_leaves_no_network(
    spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = catalog.part(spec, "train")
    fresh = loop.new_state

    def diverged(*settings: object) -> object:
        state = fresh(*settings)
        next(state.model.parameters()).data.fill_(float("nan"))
        return state

    monkeypatch.setattr(loop, "new_state", diverged)
    with pytest.raises(
        RecipeError, match=r"(?s)training diverged: .*train\.learning_rate="
    ) as told:
        run_tiny(spec, tmp_path)
    assert told.value.exit_code == 2
    run = only_run(tmp_path / "runs")
    assert not (run / "log.jsonl").exists() or "NaN" not in (run / "log.jsonl").read_text()
    assert not list(run.glob("checkpoints/member-?.safetensors"))


@each_homework
def test_a_seed_fixes_the_run_and_another_seed_changes_it(
    spec: Spec, tmp_path: Path, finished: Callable[..., Run]
) -> None:
    def weights(run: Run) -> list[bytes]:
        return [file.read_bytes() for file in sorted(run.checkpoints.iterdir())]

    recipe = TINY[spec.id].drawn
    first = weights(finished(spec, recipe=recipe))
    assert weights(run_tiny(spec, tmp_path, recipe=recipe, seed=0, figures=False)) == first
    assert weights(run_tiny(spec, tmp_path, recipe=recipe, seed=1, figures=False)) != first


@each_homework
def test_longer_training_hands_in_another_network(
    spec: Spec, tmp_path: Path, finished: Callable[..., Run]
) -> None:
    """Where weights are averaged over the steps, it is the trained average that is saved."""
    level = spec.levels[-1]
    whole = finished(spec, recipe=f"world/{level}")
    short = run_tiny(
        spec, tmp_path, recipe=f"world/{level}", figures=False, more=TINY[spec.id].short
    )

    def weights(run: Run) -> dict[str, torch.Tensor]:
        return load_file(run.checkpoints / "member-0.safetensors")

    longer, shorter = weights(whole), weights(short)
    assert longer.keys() == shorter.keys()
    moved = [
        not torch.equal(value, shorter[name])
        for name, value in longer.items()
        if value.is_floating_point() and value.dim() > 1
    ]
    assert moved
    assert all(moved)


@each_judged
def test_predictions_go_round_to_a_score(
    spec: Spec, tmp_path: Path, finished: Callable[..., Run]
) -> None:
    run = finished(spec)
    answers = TINY[spec.id].write_answers(tmp_path / "answers.csv")
    file = run.folder / spec.submission_name
    scored = score_locally(spec, file, answers)
    assert scored == score_locally(spec, file, answers), "a scorer is a pure function"


@each_judged
def test_perfect_answers_get_the_best_score(spec: Spec, tmp_path: Path) -> None:
    tiny = TINY[spec.id]
    if tiny.best is None:
        pytest.skip("nobody knows the best score")
    answers = tiny.write_answers(tmp_path / "answers.csv")
    perfect = tiny.write_perfect(answers, tmp_path / spec.submission_name)
    scored = score_locally(spec, perfect, answers)
    assert (scored.public, scored.private) == (tiny.best, tiny.best)


@each_judged
@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95pickle", b"nonsense", b"a,b\n1,2\n"])
def test_broken_files_are_rejected_readably(spec: Spec, content: bytes, tmp_path: Path) -> None:
    answers = TINY[spec.id].write_answers(tmp_path / "answers.csv")
    broken = tmp_path / spec.submission_name
    broken.write_bytes(content)
    with pytest.raises(SubmissionError, match=spec.submission_name):
        score_locally(spec, broken, answers)
