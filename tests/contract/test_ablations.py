"""What a homework wants taken away from its levels can be taken away, at equal steps."""

import pytest

from mlspring.catalog import SPECS
from mlspring.core.recipe import flatten
from mlspring.core.spec import Spec
from mlspring.verbs import recipes
from mlspring.verbs.calibration.ablations import read_ablations

NAMED = [spec for spec in SPECS if (spec.folder / "recipes" / "ablations.toml").is_file()]


@pytest.mark.parametrize("spec", NAMED, ids=lambda spec: spec.id)
def test_every_row_changes_its_recipe_and_no_step(spec: Spec) -> None:
    for row in read_ablations(spec):
        path = recipes.find_recipe(spec, row.level, "world")
        whole = flatten(recipes.load(spec, path))
        fewer = flatten(recipes.load(spec, path, row.changes))
        changed = {key for key in whole if whole[key] != fewer[key]}
        assert changed
        assert changed <= {change.partition("=")[0] for change in row.changes}
        assert whole.get("train.steps") == fewer.get("train.steps")


@pytest.mark.parametrize("spec", [spec for spec in NAMED if spec.ranked], ids=lambda spec: spec.id)
def test_every_level_above_the_first_has_a_row(spec: Spec) -> None:
    assert {row.level for row in read_ablations(spec)} >= set(spec.levels[1:])
