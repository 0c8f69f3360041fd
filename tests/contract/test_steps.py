"""What every training loop owes each of its steps: fresh gradients, their bound, its rate."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from mlspring import catalog
from mlspring.catalog import SPECS
from mlspring.core.spec import Spec
from mlspring.verbs import recipes
from tests.contract.journey import run_tiny

LARGEST = 0.01  # norm of a gradient: what any of these networks would pass
LOOPS = [(spec, f"world/{spec.levels[-1]}") for spec in SPECS]
LOOPS += [(catalog.find("hw12"), f"world/{name}") for name in ("simple", "strong", "dqn")]


class Steps:
    """Norms of the gradients of all steps in order, and each optimizer's rates.

    After a step the gradients are made no number: a loop that does not clear them trains on that.
    """

    def __init__(self) -> None:
        self.norms: list[float] = []
        self.rates: dict[torch.optim.Optimizer, set[float]] = {}

    def before(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        gradients = [p.grad for p in weights_of(optimizer) if p.grad is not None]
        self.norms.append(torch.stack([g.norm() for g in gradients]).norm().item())
        rates = self.rates.setdefault(optimizer, set())
        rates |= {group["lr"] for group in optimizer.param_groups}

    def after(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        for parameter in weights_of(optimizer):
            if parameter.grad is not None:
                parameter.grad.fill_(math.nan)


def weights_of(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


@pytest.fixture
def steps() -> Iterator[Steps]:
    made = Steps()
    hooks = [
        register_optimizer_step_pre_hook(made.before),
        register_optimizer_step_post_hook(made.after),
    ]
    yield made
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize(
    ("spec", "recipe"), [pytest.param(s, r, id=f"{s.id}-{r.split('/')[1]}") for s, r in LOOPS]
)
def test_a_step_takes_its_own_gradient_within_its_bound_at_its_rate(
    spec: Spec, recipe: str, steps: Steps, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    knobs = recipes.load(spec, recipes.find_recipe(spec, recipe, "world")).train
    loop = catalog.part(spec, "train")
    more = ["train.schedule=cosine"] if hasattr(knobs, "schedule") else []
    is_bounded = hasattr(loop, "CLIP_NORM") or hasattr(knobs, "clip_norm")
    if hasattr(loop, "CLIP_NORM"):
        monkeypatch.setattr(loop, "CLIP_NORM", LARGEST)
    elif is_bounded:
        more.append(f"train.clip_norm={LARGEST}")
    run = run_tiny(spec, tmp_path, recipe=recipe, figures=False, submit=False, more=tuple(more))
    assert len(steps.norms) > 1
    assert all(math.isfinite(norm) for norm in steps.norms), "of what another step left"
    if is_bounded:
        assert max(steps.norms) == pytest.approx(LARGEST, rel=1e-3)
    *_, own = steps.rates.values()  # before it what the run needs may have been trained
    assert (len(own) > 1) == hasattr(knobs, "schedule")
    logged = {entry["learning_rate"] for entry in run.read_log() if "learning_rate" in entry}
    assert logged <= set.union(*steps.rates.values())
