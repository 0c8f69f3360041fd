"""What a homework's training step tells: loader efficiency and share of the machine's peak."""

import importlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.speed_plans import Plan
from mlspring import catalog
from mlspring.core.spec import Spec
from mlspring.kit import device
from mlspring.verbs import sources

TIMINGS = 5  # of a step, each way


def step_figures(spec: Spec, plan: Plan, recipe: Any, used: str) -> dict[str, Any]:
    """Return loader efficiency and share of the peak of the homework's step on its world."""
    data = catalog.part(spec, "data").load(sources.open_source(spec, "world"), recipe)
    real, fixed = importlib.import_module(f"benchmarks.steps_{spec.id}").make(recipe, data)
    return {
        "loader_efficiency": loader_efficiency(real, fixed, plan.num_steps),
        "peak_share": peak_share(fixed, plan, used),
    }


def loader_efficiency(
    real: Callable[[], Any], fixed: Callable[[], Any], num_steps: int
) -> dict[str, Any]:
    """Return the ratio of both steps' rates, turn by turn."""
    for step in (real, fixed):
        seconds_of(step, num_steps // 2)
    pairs = [seconds_of(fixed, num_steps) / seconds_of(real, num_steps) for _ in range(TIMINGS)]
    return {"median": round(statistics.median(pairs), 3), "pairs": [round(p, 3) for p in pairs]}


def seconds_of(step: Callable[[], Any], num_steps: int) -> float:
    """Return the seconds of ``num_steps`` steps."""
    device.synchronize()
    start = time.perf_counter()
    for _ in range(num_steps):
        step()
    device.synchronize()  # a GPU has only been told so far
    return time.perf_counter() - start


def peak_share(step: Callable[[], Any], plan: Plan, used: str) -> float:
    """Return training's rate of arithmetic over the rate of a large matrix product here."""
    with FlopCounterMode(display=False) as counter:
        step()
    hardware = device.choose(used, "auto", work=plan.work)  # type: ignore[arg-type]
    dtype = torch.bfloat16 if hardware.precision == "bf16" else torch.float32
    a, b = (torch.randn(2048, 2048, device=hardware.device).to(dtype) for _ in range(2))
    seconds_of(lambda: a @ b, 3)
    peak = 2 * 2048**3 * 10 / min(seconds_of(lambda: a @ b, 10) for _ in range(3))
    rate = counter.get_total_flops() * plan.num_steps / seconds_of(step, plan.num_steps)
    return round(rate / peak, 3)
