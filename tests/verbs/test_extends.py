"""Recipes of one's own: a file that holds only what it changes, and a whole one to start from."""

import sys
import tomllib
from pathlib import Path

import pytest

from mlspring import catalog, cli
from mlspring.core.errors import RecipeError
from mlspring.core.recipe import flatten, load_recipe
from mlspring.verbs import recipes
from tests.contract.journey import run_tiny

SPEC = catalog.find("hw03")
MODEL = catalog.part(SPEC, "recipe").Recipe


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def shipped(name: str) -> dict[str, object]:
    return flatten(load_recipe(MODEL, SPEC.folder / "recipes" / f"{name}.toml"))


def test_a_file_holds_only_what_it_changes(tmp_path: Path) -> None:
    path = write(tmp_path / "my.toml", 'extends = "boss"\n\n[train]\nsteps = 7\n')
    made = flatten(recipes.load(SPEC, path))
    assert made == shipped("world/boss") | {"train.steps": 7}
    assert flatten(recipes.load(SPEC, path, ("train.steps=8",)))["train.steps"] == 8


def test_which_boss_it_is_depends_on_the_data_unless_it_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "my.toml", 'extends = "boss"')
    assert flatten(recipes.load(SPEC, path, kind="official")) == shipped("official/boss")
    path = write(tmp_path / "my.toml", 'extends = "laptop/strong"')
    assert flatten(recipes.load(SPEC, path)) == shipped("laptop/strong")


def test_files_extend_files_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "mine" / "one.toml", 'extends = "simple"\n[train]\nsteps = 5\nbatch_size = 4')
    two = write(tmp_path / "mine" / "two.toml", 'extends = "one.toml"\n[train]\nsteps = 6')
    monkeypatch.chdir(tmp_path)
    made = flatten(recipes.load(SPEC, two))
    assert made == shipped("world/simple") | {"train.steps": 6, "train.batch_size": 4}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('extends = "bosss"', "extends = 'bosss': hw03 has no recipe 'bosss'"),
        ('extends = "nowhere.toml"', "nowhere.toml: there is no such file"),
        ("extends = 3", "extends = 3; expected the name of a recipe"),
        ('extends = ""', "extends = ''; expected the name of a recipe"),
        ('extends = "my.toml"', "extends itself: my.toml -> my.toml"),
        ('extends = "other.toml"', "extends itself: my.toml -> other.toml -> my.toml"),
        ('extends = "boss"\n[train]\nstepz = 1', "unknown key 'train.stepz'; did you mean"),
        ('extends = "boss"\ntrain = 1', "train"),
        ("[train]\nsteps = 5", 'begin the file with extends = "simple"'),
    ],
)
def test_what_cannot_be_extended_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = write(tmp_path / "my.toml", text)
    write(tmp_path / "other.toml", 'extends = "my.toml"')
    with pytest.raises(RecipeError) as told:
        recipes.load(SPEC, path)
    assert sentence in str(told.value)
    assert ".toml" in str(told.value.file)
    assert len(str(told.value)) < 500


def test_missing_keys_are_counted_not_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "my.toml", "[train]\nsteps = 5")
    with pytest.raises(RecipeError, match=r"key '[a-z.]+' and \d+ more are missing"):
        recipes.load(SPEC, path)


def test_a_typing_error_in_extends_names_the_nearest_recipe(tmp_path: Path) -> None:
    path = write(tmp_path / "my.toml", 'extends = "bosss"')
    with pytest.raises(RecipeError, match=r"-> did you mean boss\?"):
        recipes.load(SPEC, path)


def test_a_run_keeps_the_file_it_came_from_and_the_whole_recipe(tmp_path: Path) -> None:
    hw01 = catalog.find("hw01")
    path = write(tmp_path / "my strong.toml", 'extends = "world/strong"\n[model]\ndropout = 0.25\n')
    run = run_tiny(hw01, tmp_path, recipe=str(path))
    assert run.folder.parent.name == "file-my strong"
    assert run.request.recipe == str(path)
    kept = tomllib.loads((run.folder / "recipe.toml").read_text())
    assert "extends" not in kept
    assert kept["model"]["dropout"] == 0.25
    path.unlink()  # what it does again needs nothing but the run
    assert recipes.load(hw01, run.folder / "recipe.toml").model.dropout == 0.25


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_the_printed_recipe_is_whole_explained_and_can_be_run(
    spec: catalog.Spec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["mlspring", "recipe", spec.id, spec.levels[-1]])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    printed = capsys.readouterr().out
    path = write(tmp_path / "whole.toml", printed)
    expected = recipes.load(spec, recipes.find_recipe(spec, spec.levels[-1], "world"))
    assert recipes.load(spec, path) == expected
    keys = [line for line in printed.splitlines() if " = " in line]
    assert keys and all("  # " in line for line in keys)
