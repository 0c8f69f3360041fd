"""One training step of homework 15, with its tasks made or given; and the same in every way.

    python -m benchmarks.steps_hw15 [NUM_TASKS]

prints the seconds of a step of MAML by convolution and arithmetic, beside those of the notebook and
of the inner loop to read (``inner.py``), which take one task after another.
"""

import sys
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch.nn import functional as F

from benchmarks.notebooks.hw15 import Classifier, adapted
from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw15_meta import fast
from mlspring.homeworks.hw15_meta.data import Data
from mlspring.homeworks.hw15_meta.fast import ConvImpl
from mlspring.homeworks.hw15_meta.inner import maml_losses
from mlspring.homeworks.hw15_meta.methods import Learner
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.spec import SPEC
from mlspring.homeworks.hw15_meta.tasks import Tasks, make_pools, make_tasks
from mlspring.homeworks.hw15_meta.train import CLIP_NORM, new_state
from mlspring.kit import device
from mlspring.kit.seeding import generator
from mlspring.kit.state import clip_gradients

IMPLS: tuple[ConvImpl, ...] = ("grouped", "matmul")
NUM_TURNS = 5


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that makes its tasks, and the same step on one fixed batch of tasks."""
    hardware = device.choose("auto", "auto", work="conv")
    method, knobs = recipe.method, recipe.train
    state = new_state(recipe.model.width, method, knobs, 0, hardware)
    network = Learner(state.model, recipe.training_loop)
    characters, fixed_task = recipe.num_characters(0), method.name == "transfer"
    pool, _ = make_pools(data, recipe.data, 0, hardware.device, characters, fixed_task)
    count = 0

    def load() -> Tasks:
        nonlocal count
        count += 1
        stream = generator(0, "tasks", count)
        return make_tasks(pool, knobs.batch_size, method.ways, method.queries, stream)

    def learn(tasks: Tasks) -> None:
        with hardware.autocast():
            losses, _ = network(tasks)
        state.optimizer.zero_grad()
        losses.mean().backward()
        clip_gradients(state.model, CLIP_NORM)
        state.optimizer.step()
        state.update_average(count)

    fixed = load()
    return (lambda: learn(load())), (lambda: learn(fixed))


def notebook_step(tasks: Tasks) -> Callable[[], None]:
    """Return the notebook's step on given tasks: one task after another."""
    model = Classifier(64).to(tasks.support.device)
    optimizer = torch.optim.Adam(model.parameters())

    def step() -> None:
        losses = []
        for support, query, labels in zip(tasks.support, tasks.query, tasks.labels, strict=True):
            weights = adapted(model, support[:, None], 1, 0.4)
            logits = model.functional_forward(query[:, None], weights)
            losses.append(F.cross_entropy(logits, labels))
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()

    return step


def readable_step(tasks: Tasks) -> Callable[[], None]:
    """Return the step of ``inner.py`` on given tasks: one task after another."""
    model = Conv4(64, 5).to(tasks.support.device)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        maml_losses(model, tasks, 1, 0.4).mean().backward()
        optimizer.step()

    return step


def fast_step(
    tasks: Tasks, impl: ConvImpl, precision: Literal["fp32", "bf16"]
) -> Callable[[], None]:
    """Return the step of training on given tasks: all at once."""
    kind = tasks.support.device.type
    layout = torch.channels_last if impl == "grouped" else torch.preserve_format
    model = Conv4(64, 5).to(tasks.support.device, memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "official" / "strong.toml")
    network = Learner(model, recipe.training_loop)

    def step() -> None:
        fast.CONV_IMPL[kind] = impl
        with torch.autocast(kind, torch.bfloat16, enabled=precision == "bf16"):
            losses, _ = network(tasks)
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()

    return step


def main(num_tasks: int) -> None:
    """Print the best of some turns of each step, turn by turn, so that load falls on all alike."""
    where = device.choose("auto", "fp32", work="conv").device
    images = torch.rand(2, num_tasks, 5, 28, 28, device=where)
    labels = torch.arange(5, device=where).expand(num_tasks, 5)
    tasks = Tasks(support=images[0], query=images[1], labels=labels)
    steps = {"notebook": notebook_step(tasks), "readable": readable_step(tasks)}
    precisions: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16")
    for precision in precisions:
        steps |= {f"{impl}, {precision}": fast_step(tasks, impl, precision) for impl in IMPLS}
    best = dict.fromkeys(steps, float("inf"))
    for turn in range(1 + NUM_TURNS):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if where.type == "cuda":
                torch.cuda.synchronize()
            if turn:
                best[name] = min(best[name], time.perf_counter() - start)
    for name, seconds in best.items():
        ratio = best["notebook"] / seconds
        print(f"{name:14} {seconds:.4f} s a step of {num_tasks} tasks, {ratio:.2f} x the notebook")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 32)
