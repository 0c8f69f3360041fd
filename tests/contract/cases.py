"""What the contract is checked on: every homework, those that hand something in, every recipe."""

import pytest

from mlspring.catalog import SPECS
from mlspring.core.spec import Spec
from mlspring.verbs import recipes

JUDGED = tuple(spec for spec in SPECS if spec.ranked)


def kinds(spec: Spec) -> list[str]:
    """Return the kinds of data that a homework has recipes for: its folders of recipes."""
    return sorted(path.name for path in (spec.folder / "recipes").iterdir() if path.is_dir())


each_homework = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
each_judged = pytest.mark.parametrize("spec", JUDGED, ids=lambda spec: spec.id)
each_kind = pytest.mark.parametrize(
    ("spec", "kind"),
    [pytest.param(spec, kind, id=f"{spec.id}-{kind}") for spec in SPECS for kind in kinds(spec)],
)
each_recipe = pytest.mark.parametrize(
    ("spec", "recipe"),
    [
        pytest.param(spec, f"{kind}/{name}", id=f"{spec.id}-{kind}-{name}")
        for spec in SPECS
        for kind in kinds(spec)
        for name in recipes.recipe_names(spec, kind)
    ],
)
