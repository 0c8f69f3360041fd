"""What the contract is checked on: every homework, those that hand something in, every recipe."""

import pytest

from mlspring.catalog import SPECS
from mlspring.core.spec import Spec
from mlspring.verbs import recipes

JUDGED = tuple(spec for spec in SPECS if spec.ranked)


def kinds(spec: Spec) -> list[str]:
    """Return the kinds of data that a homework has recipes for: its folders of recipes."""
    return sorted(path.name for path in (spec.folder / "recipes").iterdir() if path.is_dir())


def recipes_to_run(spec: Spec) -> list[str]:
    """Return ``kind/name`` of every recipe that has a file, and of every variant once.

    A variant changes a few keys of a recipe that runs in each folder, so the folders take turns.
    """
    chosen = []
    for turn, kind in enumerate(kinds(spec)):
        names = recipes.recipe_names(spec, kind)
        variants = [n for n in names if not recipes.find_recipe(spec, n, kind).is_file()]
        own = variants[turn :: len(kinds(spec))]
        chosen += [f"{kind}/{n}" for n in names if n in own or n not in variants]
    return chosen


each_homework = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
each_judged = pytest.mark.parametrize("spec", JUDGED, ids=lambda spec: spec.id)
each_kind = pytest.mark.parametrize(
    ("spec", "kind"),
    [pytest.param(spec, kind, id=f"{spec.id}-{kind}") for spec in SPECS for kind in kinds(spec)],
)
each_recipe = pytest.mark.parametrize(
    ("spec", "recipe"),
    [
        pytest.param(spec, name, id=f"{spec.id}-{name.replace('/', '-')}")
        for spec in SPECS
        for name in recipes_to_run(spec)
    ],
)
