"""The networks: what is handed in is what was trained."""

import pytest
import torch

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw12_lander import models
from mlspring.homeworks.hw12_lander.recipe import Recipe
from tests.homeworks.hw12.cases import LEVELS, WORLD, network, recipe


@pytest.mark.parametrize("name", [*LEVELS, "dqn"])
def test_the_policy_handed_in_is_the_network(name: str) -> None:
    model = network(recipe(name)).float()
    seen = torch.randn(20, 8)
    policy = models.policy_of(model)
    ours, outputs = policy.logits(seen.numpy()), model(seen)
    theirs = (outputs[0] if isinstance(outputs, tuple) else outputs).detach().numpy()
    assert ours - ours.mean(1, keepdims=True) == pytest.approx(
        theirs - theirs.mean(1, keepdims=True), abs=1e-5
    )
    policy.check()
    before = policy.logits(seen.numpy()).copy()
    with torch.no_grad():
        model.head.bias.add_(1.0)
    assert (policy.logits(seen.numpy()) == before).all(), "a copy, which updates do not change"


def test_the_sample_s_network_has_its_484_parameters() -> None:
    made = load_recipe(Recipe, WORLD / "sample.toml")
    model = models.build(made.method.name, made.model)
    assert sum(p.numel() for p in model.parameters()) == 484
