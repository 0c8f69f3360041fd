"""An unknown recipe is answered with those that may be meant, on one line of a terminal."""

from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core.errors import RecipeError
from mlspring.verbs import recipes


def answer(homework: str, name: str, kind: str = "world") -> tuple[str, str]:
    """Return the sentence and the fix of an unknown recipe."""
    with pytest.raises(RecipeError) as told:
        recipes.find_recipe(catalog.find(homework), name, kind)
    sentence, fix = str(told.value).split("\n  -> ")
    return sentence, fix


@pytest.mark.parametrize(
    ("homework", "name", "kind", "fix"),
    [
        ("hw12", "bosss", "world", "did you mean boss? Or official/boss?"),
        ("hw12", "bosss", "official", "did you mean boss? Or world/boss?"),
        ("hw03", "stong", "world", "did you mean strong? Or laptop/strong, official/strong?"),
        ("hw15", "anli", "official", "did you mean world/anil?"),
        ("hw15", "anil", "official", "did you mean world/anil?"),
        ("hw11", "laptop/bos", "world", "did you mean laptop/boss? Or boss, official/boss?"),
        ("hw12", "laptop/boss", "world", "did you mean boss? Or official/boss?"),
    ],
)
def test_a_typing_error_is_answered_with_the_recipes_of_that_name(
    homework: str, name: str, kind: str, fix: str
) -> None:
    sentence, found = answer(homework, name, kind)
    assert sentence.startswith(f"{homework} has no recipe {name!r}; expected the name of a recipe")
    assert found == fix


@pytest.mark.parametrize(
    ("homework", "fix"),
    [
        ("hw12", "simple medium strong boss dqn sample official/*"),
        ("hw03", "simple medium strong boss {laptop,official}/{simple,medium,strong,boss}"),
        ("hw11", "simple medium strong boss dann dirt_t mcd .. laptop/* official/*"),
        ("hw15", "simple medium strong boss anil protonet reptile tasks laptop/* official/*"),
    ],
)
def test_a_name_like_no_other_is_answered_with_all(homework: str, fix: str) -> None:
    sentence, found = answer(homework, "nonsense")
    assert sentence.endswith("expected one of these, or a file that ends in .toml")
    assert found == fix


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
@pytest.mark.parametrize("kind", ["world", "official"])
def test_the_answer_fits_a_terminal_and_names_every_folder(spec: catalog.Spec, kind: str) -> None:
    _, fix = answer(spec.id, "nonsense", kind)
    assert len(f"  -> {fix}") <= 80
    assert fix.startswith(recipes.recipe_names(spec, kind)[0])
    folders = {path.name for path in (spec.folder / "recipes").iterdir() if path.is_dir()}
    assert all(folder in fix for folder in folders - {kind})


def test_a_cut_list_says_so() -> None:
    _, fix = answer("hw14", "nonsense")
    assert fix.startswith("finetune ewc ")
    assert fix.endswith(" .. official/*")


def test_every_listed_recipe_is_found(tmp_path: Path) -> None:
    for spec in catalog.SPECS:
        for file in (spec.folder / "recipes").glob("*/*.toml"):
            name = f"{file.parent.name}/{file.stem}"
            assert recipes.find_recipe(spec, name, "world") == file
            assert recipes.find_recipe(spec, file.stem, file.parent.name) == file
    own = tmp_path / "my.toml"
    assert recipes.find_recipe(catalog.find("hw03"), str(own), "world") == own


def test_a_variant_is_the_default_recipe_with_a_few_keys_changed() -> None:
    """Of the folder that is asked for; the file that holds the rest is shown where one is."""
    spec = catalog.find("hw14")
    every = recipes.load(spec, recipes.find_recipe(spec, "all", "official"))
    for name in ("ewc", "official/ewc"):
        alone = recipes.load(spec, recipes.find_recipe(spec, name, "official"))
        assert alone.method.names == ["ewc"]
        assert alone.train == every.train
        assert alone.data == every.data
    world = recipes.load(spec, recipes.find_recipe(spec, "world/ewc", "official"))
    assert world.train != every.train
    own = recipes.find_recipe(spec, "ewc", "world")
    assert recipes.load(spec, own, ("method.names=['mas']",)).method.names == ["mas"]


def test_variants_are_recipes_in_every_folder_that_has_the_default_one() -> None:
    spec = catalog.find("hw14")
    names = set(recipes.variants(spec))
    assert {"ewc", "permuted", "replay"} <= names
    for kind in ("world", "official"):
        assert names < set(recipes.recipe_names(spec, kind))
    assert recipes.recipe_names(spec, "laptop") == []
    assert recipes.variants(catalog.find("hw03")) == {}


@pytest.mark.parametrize("name", ["ewcc", "laptop/ewc", "variants"])
def test_what_is_no_variant_is_no_recipe(name: str) -> None:
    with pytest.raises(RecipeError, match="hw14 has no recipe"):
        recipes.find_recipe(catalog.find("hw14"), name, "world")


def test_a_wrong_override_of_a_variant_is_blamed_on_the_override() -> None:
    spec = catalog.find("hw14")
    path = recipes.find_recipe(spec, "ewc", "world")
    with pytest.raises(RecipeError, match=r"--set: .*batch_size"):
        recipes.load(spec, path, ("train.batch_size=0",))
