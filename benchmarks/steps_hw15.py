"""One training step of homework 15, with its tasks made or given; and the same in every way.

    python -m benchmarks.steps_hw15 [NUM_TASKS]

prints the seconds of a step of MAML by way of convolution and arithmetic, beside the notebook's.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from benchmarks.notebooks.hw15 import Classifier, adapted
from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw15_meta.data import Data
from mlspring.homeworks.hw15_meta.methods import Learner
from mlspring.homeworks.hw15_meta.models import Conv4, Way
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.spec import SPEC
from mlspring.homeworks.hw15_meta.tasks import Tasks, make_pools, make_tasks
from mlspring.homeworks.hw15_meta.train import new_state
from mlspring.kit import device
from mlspring.kit.seeding import generator

WAYS: tuple[Way, ...] = ("loop", "grouped", "matmul")
NUM_TURNS = 5


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that makes its tasks, and the same step on one fixed batch of tasks."""
    hardware = device.choose("auto", "auto", work="conv")
    member = new_state(0, recipe, 0, hardware)
    network = Learner(member.model, recipe.method, recipe.model.norm)
    pool, _ = make_pools(recipe, data, 0, hardware.device)
    count = 0

    def load() -> Tasks:
        nonlocal count
        count += 1
        knobs = recipe.method
        stream = generator(0, "tasks", count)
        size = recipe.train.batch_size
        return make_tasks(pool, size, knobs.ways, knobs.queries, stream, recipe.augment)

    def learn(tasks: Tasks) -> None:
        with hardware.autocast():
            objective, _ = network(tasks, 1)
        member.optimizer.zero_grad()
        objective.mean().backward()
        torch.nn.utils.clip_grad_norm_(member.model.parameters(), recipe.train.clip_norm)
        member.optimizer.step()

    fixed = load()
    return (lambda: learn(load())), (lambda: learn(fixed))


def notebook_step(tasks: Tasks) -> Callable[[], None]:
    """Return the notebook's step on given tasks: one task after another."""
    model = Classifier(64).to(tasks.support.device)
    optimizer = torch.optim.Adam(model.parameters())

    def step() -> None:
        losses = []
        for support, query, labels in zip(tasks.support, tasks.query, tasks.labels, strict=True):
            fast = adapted(model, support[:, None], 1, 0.4)
            logits = model.functional_forward(query[:, None], fast)
            losses.append(F.cross_entropy(logits, labels))
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()

    return step


def our_step(tasks: Tasks, way: Way, precision: str) -> Callable[[], None]:
    """Return our step on given tasks: all at once."""
    layout = torch.channels_last if way == "grouped" else torch.preserve_format
    model = Conv4(64, 5, way).to(tasks.support.device, memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "official" / "strong.toml")
    network = Learner(model, recipe.method, recipe.model.norm)

    def step() -> None:
        kind = tasks.support.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=precision == "bf16"):
            losses, _ = network(tasks, 1)
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()

    return step


def main(num_tasks: int) -> None:
    """Print the best of some turns of each step, turn by turn, so that load falls on all alike."""
    place = device.choose("auto", "fp32", work="conv").device
    images = torch.rand(2, num_tasks, 5, 28, 28, device=place)
    labels = torch.arange(5, device=place).expand(num_tasks, 5)
    tasks = Tasks(support=images[0], query=images[1], labels=labels)
    steps = {"notebook": notebook_step(tasks)}
    for precision in ("fp32", "bf16"):
        steps |= {f"{way}, {precision}": our_step(tasks, way, precision) for way in WAYS}
    best = dict.fromkeys(steps, float("inf"))
    for turn in range(1 + NUM_TURNS):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if place.type == "cuda":
                torch.cuda.synchronize()
            if turn:
                best[name] = min(best[name], time.perf_counter() - start)
    for name, seconds in best.items():
        ratio = best["notebook"] / seconds
        print(f"{name:14} {seconds:.4f} s a step of {num_tasks} tasks, {ratio:.2f} x the notebook")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 32)
