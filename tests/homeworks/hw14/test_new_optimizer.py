"""Each task has an optimizer that knows nothing of the tasks before, as in the notebook."""

from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from mlspring.homeworks.hw14_lifelong.spec import SPEC
from tests.contract.journey import run_tiny


def test_the_moments_of_adam_begin_anew_with_every_task(tmp_path: Path) -> None:
    is_new: list[bool] = []

    def look(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        is_new.append(not optimizer.state)

    hook = register_optimizer_step_pre_hook(look)
    try:
        run = run_tiny(SPEC, tmp_path, recipe="world/finetune", figures=False)
    finally:
        hook.remove()
    ends = [e["step"] for e in run.read_log() if e["step"] % 8 == 0]
    assert ends == [8, 16, 24]
    assert [step for step, new in enumerate(is_new, start=1) if new] == [1, 9, 17]
