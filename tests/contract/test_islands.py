"""One contract over all homeworks: a new island is covered by being in the catalog."""

import itertools
import tomllib
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.catalog import SPECS
from mlspring.core.errors import RecipeError, SubmissionError
from mlspring.core.recipe import dump_recipe, flatten, load_recipe
from mlspring.core.spec import Spec
from mlspring.verbs import recipes
from tests.contract.journey import run_tiny
from tests.tiny.islands import TINY

PARTS = ("data", "figures", "models", "predict", "recipe", "score", "spec", "submission", "train")
KINDS = ("world", "official")

each_homework = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)


def recipe_files(spec: Spec, kind: str) -> list[Path]:
    return [recipes.find_recipe(spec, name, kind) for name in recipes.recipe_names(spec, kind)]


@each_homework
def test_the_spec_is_complete(spec: Spec) -> None:
    assert spec.id == spec.island[:4]
    assert all((spec.title, spec.title_zh, spec.topic, spec.summary, spec.metric.unit))
    assert spec.quota == 5
    assert spec.questions
    assert spec.submission_name
    for lines in spec.lines.values():
        assert len(lines.origin) > 20
        assert set(lines.public) | set(lines.private) <= set(spec.levels)


@each_homework
def test_lines_rise_from_level_to_level(spec: Spec) -> None:
    for lines in spec.lines.values():
        for part in (lines.public, lines.private):
            demanded = [part[level] for level in spec.levels if level in part]
            for lower, higher in itertools.pairwise(demanded):
                assert spec.metric.better(higher, lower)


@each_homework
@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_there(spec: Spec, name: str) -> None:
    assert catalog.part(spec, name).__doc__


@each_homework
def test_the_readme_tells_what_a_learner_needs(spec: Spec) -> None:
    text = (spec.folder / "README.md").read_text()
    for heading in ("## Task", "## Data", "## Levels", "## What to look at", "## Sources"):
        assert heading in text
    assert "<!-- scores -->" in text


@each_homework
@pytest.mark.parametrize("kind", KINDS)
def test_every_recipe_parses_and_keeps_one_order_of_keys(spec: Spec, kind: str) -> None:
    model = catalog.part(spec, "recipe").Recipe
    files = recipe_files(spec, kind)
    assert [file.stem for file in files][: len(spec.levels)] == list(spec.levels)
    orders = []
    for file in files:
        recipe = load_recipe(model, file)
        table = tomllib.loads(file.read_text())
        orders.append([f"{section}.{key}" for section in table for key in table[section]])
        assert orders[-1] == list(flatten(recipe)), f"{file.name}: keys in another order"
    assert all(order == orders[0] for order in orders)


@each_homework
def test_every_knob_is_explained(spec: Spec) -> None:
    recipe = load_recipe(
        catalog.part(spec, "recipe").Recipe, recipes.find_recipe(spec, "boss", "world")
    )
    for name, section in recipe:
        for key, field in type(section).model_fields.items():
            assert field.description, f"{name}.{key} has no description"


@each_homework
def test_a_recipe_survives_its_own_writing(spec: Spec, tmp_path: Path) -> None:
    model = catalog.part(spec, "recipe").Recipe
    recipe = load_recipe(model, recipes.find_recipe(spec, "boss", "world"))
    path = tmp_path / "again.toml"
    path.write_text(dump_recipe(recipe))
    assert load_recipe(model, path) == recipe


@each_homework
def test_a_typing_error_is_answered_with_the_nearest_key(spec: Spec) -> None:
    path = recipes.find_recipe(spec, "simple", "world")
    with pytest.raises(RecipeError, match=r"(?s)train\.learning_rat'.*train\.learning_rate"):
        load_recipe(catalog.part(spec, "recipe").Recipe, path, ["train.learning_rat=1e-3"])
    with pytest.raises(RecipeError, match="did you mean strong"):
        recipes.find_recipe(spec, "stron", "world")


@each_homework
@pytest.mark.parametrize("recipe", ["simple", "medium", "strong", "boss"])
def test_every_level_runs_from_data_to_figures(spec: Spec, recipe: str, tmp_path: Path) -> None:
    run = run_tiny(spec, tmp_path, recipe=recipe)
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
def test_training_lowers_the_loss(spec: Spec, tmp_path: Path) -> None:
    run = run_tiny(spec, tmp_path)
    losses = [entry[TINY[spec.id].loss] for entry in run.read_log() if TINY[spec.id].loss in entry]
    assert losses[-1] < losses[0]


@each_homework
def test_a_seed_fixes_the_run_and_another_seed_changes_it(spec: Spec, tmp_path: Path) -> None:
    def weights(seed: int) -> list[bytes]:
        run = run_tiny(spec, tmp_path, seed=seed)
        return [file.read_bytes() for file in sorted(run.checkpoints.iterdir())]

    first = weights(0)
    assert weights(0) == first
    assert weights(1) != first


@each_homework
def test_predictions_go_round_to_a_score(spec: Spec, tmp_path: Path) -> None:
    run = run_tiny(spec, tmp_path)
    answers = TINY[spec.id].write_answers(tmp_path / "answers.csv")
    score = catalog.part(spec, "score")
    file = run.folder / spec.submission_name
    assert catalog.part(spec, "submission").read(file, score.answer_ids(answers)) is not None
    scored = score.score(file, answers)
    assert scored == score.score(file, answers), "a scorer is a pure function"


@each_homework
def test_perfect_answers_get_the_best_score(spec: Spec, tmp_path: Path) -> None:
    answers = TINY[spec.id].write_answers(tmp_path / "answers.csv")
    rows = [line.split(",")[:2] for line in answers.read_text().splitlines()]
    perfect = tmp_path / spec.submission_name
    TINY[spec.id].hand_in("\n".join(",".join(row) for row in rows) + "\n", perfect)
    scored = catalog.part(spec, "score").score(perfect, answers)
    best = 1.0 if spec.metric.higher_is_better else 0.0
    assert (scored.public, scored.private) == (best, best)


@each_homework
@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95pickle", b"nonsense", b"a,b\n1,2\n"])
def test_broken_files_are_rejected_readably(spec: Spec, content: bytes, tmp_path: Path) -> None:
    answers = TINY[spec.id].write_answers(tmp_path / "answers.csv")
    broken = tmp_path / spec.submission_name
    broken.write_bytes(content)
    with pytest.raises(SubmissionError, match=spec.submission_name):
        catalog.part(spec, "score").score(broken, answers)
