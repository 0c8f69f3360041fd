"""Which recipe is named to who has no GPU."""

from dataclasses import replace
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core.spec import Spec
from mlspring.verbs import recipes

# Homeworks whose official recipes are all meant for a GPU, and single ones of the others.
FOR_A_GPU = ("hw02", "hw03", "hw04", "hw05", "hw06", "hw07", "hw08", "hw10", "hw11", "hw13")
SINGLE = {"hw09": ("all",), "hw15": ("strong", "boss", "tasks")}


def hint(spec: Spec, name: str) -> str | None:
    return recipes.for_laptop(spec, spec.folder / "recipes" / "official" / f"{name}.toml")


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_who_has_no_gpu_is_told_a_recipe_that_exists(spec: Spec) -> None:
    official = recipes.recipe_names(spec, "official")
    hinted = {name: hint(spec, name) for name in official}
    told = {name for name, other in hinted.items() if other}
    expected = official if spec.id in FOR_A_GPU else SINGLE.get(spec.id, ())
    assert told == set(expected)
    for name in told:
        path = recipes.find_recipe(spec, hinted[name], "official")
        assert path.parent.name in ("laptop", "world")
        recipes.load(spec, path)


def test_every_level_of_hw11_leads_to_its_one_laptop_recipe() -> None:
    spec = catalog.find("hw11")
    assert {hint(spec, level) for level in spec.levels} == {"laptop/boss"}


@pytest.fixture
def made_up(tmp_path: Path) -> Spec:
    """A homework with four official recipes of 1,000 steps, and with no other."""
    spec = replace(catalog.find("hw11"), folder=tmp_path)
    for level in spec.levels:
        write(spec, f"official/{level}", 1000)
    return spec


def write(spec: Spec, name: str, steps: int) -> None:
    path = spec.folder / "recipes" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[train]\nsteps = {steps}\nbatch_size = 2\n", encoding="utf-8")


def test_the_same_name_comes_first_then_the_next_level_up_then_the_next_down(made_up: Spec) -> None:
    write(made_up, "laptop/simple", 100)
    write(made_up, "laptop/strong", 100)
    found = [hint(made_up, level) for level in made_up.levels]
    assert found == ["laptop/simple", "laptop/strong", "laptop/strong", "laptop/strong"]


def test_another_level_is_named_only_where_it_is_no_more_work(made_up: Spec) -> None:
    write(made_up, "laptop/boss", 1001)
    assert hint(made_up, "simple") is None
    assert hint(made_up, "boss") == "laptop/boss"


def test_without_laptop_recipes_the_world_s_is_named_if_it_is_far_less_work(made_up: Spec) -> None:
    assert hint(made_up, "simple") is None
    write(made_up, "world/simple", 100)
    write(made_up, "world/medium", 101)
    assert hint(made_up, "simple") == "world/simple"
    assert hint(made_up, "medium") is None


def test_only_official_recipes_have_a_lighter_twin() -> None:
    spec = catalog.find("hw03")
    assert recipes.for_laptop(spec, spec.folder / "recipes" / "world" / "boss.toml") is None
    assert recipes.for_laptop(spec, Path("boss.toml")) is None
